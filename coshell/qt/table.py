# SPDX-License-Identifier: Apache-2.0
"""A panel in a window: a table to sort, filter, copy from, plot from and put from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from qtpy import QtCore, QtGui, QtWidgets

from coshell.panel.columns import columns_named
from coshell.panel.look import Look
from coshell.panel.model import Panel, Row
from coshell.panel.select import ONLY
from coshell.panel.style import EMPTY, Cell
from coshell.panel.theme import Theme
from coshell.qt.colours import Looks
from coshell.qt.pictures import Pictures, timed
from cothread.clock import monotonic

__all__ = ["PanelModel", "PanelTable"]

PICTURE_MS: Final = 100
AGEING_MS: Final = 1000

SAMPLES: Final = {
    "name": "SR01C-DI-EBPM-01:SA:X",
    "value": "-1.2345e-10",
    "unit": "mbar/s",
    "trend": "████████",
    "range": "-1.2345…-1.2345",
    "alarm": "◆ HIHI invalid",
    "age": "59.9s",
    "put": "12s ago",
}
"""What a column has room for at first, besides its title and the names there are."""
WIDEST: Final = 1200

_OF_A_CELL: Final = frozenset(
    {
        QtCore.Qt.DisplayRole,
        QtCore.Qt.FontRole,
        QtCore.Qt.ForegroundRole,
        QtCore.Qt.BackgroundRole,
    }
)
FRESH_S: Final = 0.02

# A click on a heading orders the rows as `%camonitor --sort` would.
_SORTS: Final = {"name": "name", "alarm": "alarm", "age": "change"}


class PanelModel(QtCore.QAbstractTableModel):
    """The chosen rows of a panel as Qt wants them; texts are made for what is on the screen."""

    def __init__(self, panel: Panel, look: Look, theme: Theme, looks: Looks) -> None:
        super().__init__()
        self.panel = panel
        self.choice = look.choice
        self.columns = columns_named(look.columns)
        self.rows: list[Row] = []
        self._theme = theme
        self._looks = looks
        self._versions: list[int] = []
        self._last: tuple[object, float, Cell] = (None, 0.0, EMPTY)
        self.choose()

    def choose(self) -> None:
        """Look which rows there are now, and in which order."""
        rows = self.choice.apply(self.panel.rows, monotonic())
        if rows != self.rows:
            self.layoutAboutToBeChanged.emit()
            old = self.persistentIndexList()
            kept = [self.rows[index.row()] for index in old]
            at = {id(row): number for number, row in enumerate(rows)}
            self.rows = rows
            none = QtCore.QModelIndex()
            for index, row in zip(old, kept, strict=True):
                number = at.get(id(row))
                new = none if number is None else self.index(number, index.column())
                self.changePersistentIndex(index, new)
            self.layoutChanged.emit()
        self._versions = [row.version for row in rows]

    def refresh(self) -> None:
        """Show what has changed."""
        self.panel.look()
        before, versions = self.rows, self._versions
        self.choose()
        last = len(self.columns) - 1
        if self.rows is not before or len(versions) != len(self.rows):
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.rows) - 1, last))
            return
        for number, version in enumerate(versions):
            if self._versions[number] != version:
                self.dataChanged.emit(self.index(number, 0), self.index(number, last))

    def age(self) -> None:
        """Show the columns again that change by themselves."""
        for number, column in enumerate(self.columns):
            if column.timed and self.rows:
                self.dataChanged.emit(self.index(0, number), self.index(len(self.rows) - 1, number))

    def rowCount(self, parent: Any = None) -> int:  # noqa: N802
        """Return how many rows are chosen."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: Any = None) -> int:  # noqa: N802
        """Return how many columns there are."""
        return 0 if parent is not None and parent.isValid() else len(self.columns)

    def data(self, index: Any, role: int = QtCore.Qt.DisplayRole) -> Any:
        """Return the text, colour, font or side of a cell."""
        if role == QtCore.Qt.TextAlignmentRole:
            return self._side(index.column())
        if role not in _OF_A_CELL or not index.isValid() or index.row() >= len(self.rows):
            return None
        cell = self._cell(self.rows[index.row()], index.column())
        if role == QtCore.Qt.DisplayRole:
            return cell.variants[0]
        if role == QtCore.Qt.FontRole:
            return self._looks.font(cell.role)
        if role in (QtCore.Qt.ForegroundRole, QtCore.Qt.BackgroundRole):
            return self._looks.brush(cell.role, background=role == QtCore.Qt.BackgroundRole)
        return None

    def flags(self, index: Any) -> Any:
        """Let rows be dragged to where a PV is wanted."""
        return super().flags(index) | QtCore.Qt.ItemIsDragEnabled

    def mimeTypes(self) -> list[str]:  # noqa: N802
        """Return what a dragged row is: the name of its PV, as text."""
        return ["text/plain"]

    def mimeData(self, indexes: Any) -> Any:  # noqa: N802
        """Return the names of dragged rows, one in a line."""
        numbers = sorted({index.row() for index in indexes})
        data = QtCore.QMimeData()
        data.setText("\n".join(self.rows[number].name for number in numbers))
        return data

    def _cell(self, row: Row, column: int) -> Cell:
        """Return a cell; Qt asks for its text, font and colours one after the other."""
        now = monotonic()
        key, made, cell = self._last
        if key != (row, column, row.version) or now - made > FRESH_S:
            cell = self.columns[column].make(row, self._theme, now)
            self._last = ((row, column, row.version), now, cell)
        return cell

    def headerData(self, section: int, orientation: Any, role: int = 0) -> Any:  # noqa: N802
        """Return a column's title, and on which side it stands."""
        if role == QtCore.Qt.DisplayRole and orientation == QtCore.Qt.Horizontal:
            return self.columns[section].title
        if role == QtCore.Qt.TextAlignmentRole and orientation == QtCore.Qt.Horizontal:
            return self._side(section)
        return None

    def _side(self, column: int) -> int:
        side = QtCore.Qt.AlignRight if self.columns[column].right else QtCore.Qt.AlignLeft
        return int(side | QtCore.Qt.AlignVCenter)


class _View(QtWidgets.QTableView):
    """A table whose painting is timed."""

    def paintEvent(self, event: Any) -> None:  # noqa: N802
        """Paint."""
        with timed():
            super().paintEvent(event)


class PanelTable(QtWidgets.QWidget):
    """The window of a panel.

    Args:
        panel: what is shown.
        look: columns and choice of rows.
        theme: as in the terminal.
        styles: what the profile changes in it.
        plot: opens a chart of some PVs.
        put: opens the dialog for a put to a PV.
    """

    def __init__(
        self,
        panel: Panel,
        look: Look,
        theme: Theme,
        styles: dict[str, str],
        plot: Callable[[list[str]], object],
        put: Callable[[str], object],
    ) -> None:
        super().__init__()
        self.setWindowTitle(panel.title)
        self._plot = plot
        self._put = put
        self.model = PanelModel(panel, look, theme, Looks(styles, self.font()))
        self._build()
        self._pictures = Pictures(self, PICTURE_MS, self._show)
        self._ageing = QtCore.QTimer(self)
        self._ageing.setInterval(AGEING_MS)
        self._ageing.timeout.connect(self.model.age)
        self._end = panel.listen(self._pictures.want)
        self._show()

    def _build(self) -> None:
        self.filter = QtWidgets.QLineEdit()
        self.filter.setPlaceholderText("filter names")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self._choose)
        self.only = QtWidgets.QComboBox()
        self.only.addItem("all", "")
        for key in ONLY:
            self.only.addItem(key, key)
        self.only.currentIndexChanged.connect(self._choose)
        self.count = QtWidgets.QLabel()
        self.view = _View()
        self.view.setModel(self.model)
        self.view.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectRows)
        self.view.setDragEnabled(True)
        self.view.setAlternatingRowColors(True)
        self.view.setShowGrid(False)
        self.view.setWordWrap(False)
        self.view.verticalHeader().hide()
        self.view.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)
        header = self.view.horizontalHeader()
        header.setSectionsClickable(True)
        header.setStretchLastSection(True)
        header.sectionClicked.connect(self.sort)
        self._size_columns()
        self.view.setContextMenuPolicy(QtCore.Qt.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._menu)
        self.view.doubleClicked.connect(lambda index: self._put(self.model.rows[index.row()].name))
        copy = QtWidgets.QShortcut(QtGui.QKeySequence.Copy, self.view)
        copy.activated.connect(self.copy)
        above = QtWidgets.QHBoxLayout()
        for widget, stretch in ((self.filter, 1), (self.only, 0), (self.count, 0)):
            above.addWidget(widget, stretch)
        whole = QtWidgets.QVBoxLayout(self)
        whole.addLayout(above)
        whole.addWidget(self.view)

    def _size_columns(self) -> None:
        """Give the columns room for what they usually hold, and the window room for them."""
        font = self.font()
        font.setBold(True)
        measure = QtGui.QFontMetrics(font)
        total = 0
        for number, column in enumerate(self.model.columns):
            texts = [column.title, SAMPLES.get(column.key, "1234567890")]
            if column.key == "name":
                texts += [row.name for row in self.model.rows]
            room = max(map(measure.horizontalAdvance, texts)) + measure.horizontalAdvance("00")
            self.view.setColumnWidth(number, room)
            total += room
        frame = 3 * self.view.verticalScrollBar().sizeHint().width()
        self.resize(min(max(total + frame, 480), WIDEST), 440)

    # -- pictures

    def _show(self) -> None:
        if not self.isVisible():
            self.model.panel.look()
            return
        self.model.refresh()
        count = self.model.panel.count()
        parts = [f"{len(self.model.rows)} of {count.rows}"]
        parts += [f"{count.searching} searching"] if count.searching else []
        parts += [f"{count.disconnected} disconnected"] if count.disconnected else []
        parts += [f"{count.alarms} in alarm"] if count.alarms else []
        self.count.setText(" · ".join(parts))

    def showEvent(self, event: Any) -> None:  # noqa: N802
        """Begin to follow the panel."""
        super().showEvent(event)
        self._show()
        self._ageing.start()

    def hideEvent(self, event: Any) -> None:  # noqa: N802
        """Rest while nobody looks."""
        super().hideEvent(event)
        self._ageing.stop()

    def closeEvent(self, event: Any) -> None:  # noqa: N802
        """Let go of the panel."""
        self._end()
        super().closeEvent(event)

    # -- what the operator does

    def _choose(self) -> None:
        self.model.choice = replace(
            self.model.choice, text=self.filter.text(), only=self.only.currentData()
        )
        self._show()

    def sort(self, section: int) -> None:
        """Order the rows by a column; again gives back the given order."""
        wanted = _SORTS.get(self.model.columns[section].key, "given")
        sort = "given" if self.model.choice.sort == wanted else wanted
        self.model.choice = replace(self.model.choice, sort=sort)
        self._show()

    def selected(self) -> list[str]:
        """Return the names of the selected rows."""
        indexes = self.view.selectionModel().selectedRows()
        return [self.model.rows[index.row()].name for index in indexes]

    def copy(self) -> str:
        """Put the selected rows on the clipboard, as tab-separated text, and return that."""
        numbers = sorted(index.row() for index in self.view.selectionModel().selectedRows())
        lines = [
            "\t".join(
                str(self.model.data(self.model.index(number, column)) or "")
                for column in range(self.model.columnCount())
            )
            for number in numbers
        ]
        text = "\n".join(lines)
        QtWidgets.QApplication.clipboard().setText(text)
        return text

    def menu(self) -> Any:
        """Return the context menu for the selected rows."""
        names = self.selected()
        menu = QtWidgets.QMenu(self)
        menu.setAttribute(QtCore.Qt.WA_DeleteOnClose)
        plot = menu.addAction("Plot", lambda: self._plot(names))
        put = menu.addAction("Put…", lambda: self._put(names[0]))
        copy = menu.addAction("Copy", self.copy)
        plot.setEnabled(bool(names))
        put.setEnabled(len(names) == 1)
        copy.setEnabled(bool(names))
        return menu

    def _menu(self, position: Any) -> None:
        self.menu().popup(self.view.viewport().mapToGlobal(position))
