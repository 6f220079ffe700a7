# SPDX-License-Identifier: Apache-2.0
"""The dialog for a put: what the PV holds, what it may hold, and what became of the put."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from qtpy import QtCore, QtWidgets

from coshell.panel.model import Panel, Row, State
from coshell.panel.style import alarm_cell, number_text, unit_text, value_texts
from coshell.panel.theme import Theme
from coshell.qt.colours import Looks
from coshell.qt.pictures import Pictures
from cothread import Spawn

__all__ = ["PutWindow"]

PICTURE_MS: Final = 100


class PutWindow(QtWidgets.QWidget):
    """The window for puts to one PV.

    Args:
        panel: has a live row of the PV.
        row: that row.
        put: writes a text to the PV and says what became of it, or raises; it may take its time.
    """

    def __init__(
        self,
        panel: Panel,
        row: Row,
        put: Callable[[str, str], object],
        theme: Theme,
        styles: dict[str, str],
        on_close: Callable[[], object],
    ) -> None:
        super().__init__()
        self.setWindowTitle(f"put {row.name}")
        self.panel = panel
        self.row = row
        self._put = put
        self._theme = theme
        self._looks = Looks(styles, self.font())
        self._on_close = on_close
        self._task: Spawn[None] | None = None
        self._metadata: Any = None
        self._build()
        self._pictures = Pictures(self, PICTURE_MS, self.show_state)
        self._end = panel.listen(self._pictures.want)
        self.show_state()

    def _build(self) -> None:
        name = QtWidgets.QLabel(self.row.name)
        name.setTextInteractionFlags(QtCore.Qt.TextSelectableByMouse)
        self.value = QtWidgets.QLabel()
        font = self.value.font()
        font.setPointSize(2 * font.pointSize())
        self.value.setFont(font)
        self.alarm = QtWidgets.QLabel()
        self.limits = QtWidgets.QLabel()
        self.text = QtWidgets.QLineEdit()
        self.text.returnPressed.connect(self.put)
        self.choice = QtWidgets.QComboBox()
        self.choice.hide()
        self.button = QtWidgets.QPushButton("Put")
        self.button.clicked.connect(self.put)
        self.result = QtWidgets.QLabel()
        self.result.setWordWrap(True)
        self.result.setMinimumHeight(2 * self.fontMetrics().height())
        entry = QtWidgets.QHBoxLayout()
        for widget in (self.text, self.choice):
            entry.addWidget(widget, 1)
        entry.addWidget(self.button)
        whole = QtWidgets.QVBoxLayout(self)
        for part in (name, self.value, self.alarm, self.limits):
            whole.addWidget(part)
        whole.addLayout(entry)
        whole.addWidget(self.result)
        self.setMinimumWidth(360)

    # -- what the PV says

    def show_state(self) -> None:
        """Show the value, the alarm and the limits there are now."""
        self.panel.look()
        row = self.row
        if row.metadata is not self._metadata:
            self._metadata = row.metadata
            self._describe()
        unit = unit_text(row)
        self.value.setText(f"{value_texts(row.value, row.metadata)[0]} {unit}".strip())
        cell = alarm_cell(row, self._theme)
        self.alarm.setText(cell.variants[0])
        self.alarm.setVisible(bool(cell.variants[0]))
        brush = self._looks.brush(cell.role, background=False)
        self.alarm.setStyleSheet(f"color: {brush.color().name()}" if brush else "")
        self.button.setEnabled(row.state is State.LIVE and self._task is None)

    def _describe(self) -> None:
        """Offer the states of an enum, or say which numbers the record takes."""
        metadata = self._metadata
        self.text.setVisible(not metadata.enums)
        self.choice.setVisible(bool(metadata.enums))
        if metadata.enums:
            chosen = self.choice.currentText()
            self.choice.clear()
            self.choice.addItems(metadata.enums)
            index = self.choice.findText(chosen)
            if index < 0 and isinstance(self.row.value, int):
                index = int(self.row.value)
            self.choice.setCurrentIndex(index)
        low = metadata.limits.get("lower_ctrl_limit")
        high = metadata.limits.get("upper_ctrl_limit")
        bounded = low is not None and high is not None and low < high
        self.limits.setVisible(bounded)
        if bounded:
            ends = (number_text(end, metadata.precision) for end in (low, high))
            self.limits.setText("takes " + " … ".join(ends))

    # -- what the operator does

    def put(self) -> None:
        """Write what was entered; everything else goes on meanwhile."""
        if self._task is not None:
            return
        text = self.choice.currentText() if self._metadata.enums else self.text.text().strip()
        if not text:
            self._say("type a value first", "minor")
            return
        self._say(f"putting {text} …", "text")
        self.button.setEnabled(False)
        self._task = Spawn(self._put_text, text)
        self._task.name = f"put {self.row.name}"

    def _put_text(self, text: str) -> None:
        try:
            said, role = str(self._put(self.row.name, text)), "ok"
        except Exception as exc:
            # Whatever went wrong is the operator's to read, where the put was asked for.
            said, role = str(exc), "major"
        self._task = None
        self._say(said, role)
        self.show_state()

    def _say(self, text: str, role: str) -> None:
        self.result.setText(text)
        brush = self._looks.brush(role, background=False)
        self.result.setStyleSheet(f"color: {brush.color().name()}" if brush else "")

    def closeEvent(self, event: Any) -> None:  # noqa: N802
        """Let go of the PV; a put that is under way goes on."""
        self._end()
        self._pictures.stop()
        self._on_close()
        super().closeEvent(event)
