# SPDX-License-Identifier: Apache-2.0
"""A strip chart of a panel's rows: one axis for each unit, arrays and pictures below."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from time import time
from typing import Any, Final

import numpy as np
import pyqtgraph as pg
import pyqtgraph.exporters
from qtpy import QtCore, QtWidgets

from coshell.panel.model import Kind, Panel, Row, State
from coshell.past import NOTHING, Past, since_then
from coshell.qt.axes import Axis
from coshell.qt.colours import CURVES
from coshell.qt.history import History
from coshell.qt.pictures import Pictures, timed
from cothread import Spawn
from cothread.clock import monotonic

__all__ = ["Chart"]

PICTURE_MS: Final = 50
MOVING_MS: Final = 1000
_LEGEND: Final = {"offset": (10, 10), "labelTextColor": "#333333", "brush": (255, 255, 255, 200)}
QUIET_S: Final = 0.9
"""A value that is as old as this is drawn as a line up to now."""


class _Plot(pg.PlotWidget):
    """A plot whose painting is timed."""

    def paintEvent(self, event: Any) -> None:  # noqa: N802
        """Paint."""
        with timed():
            super().paintEvent(event)


class _Trace:
    """One row in the chart: a curve over time, or the newest array."""

    def __init__(self, row: Row, colour: str) -> None:
        self.row = row
        self.colour = colour
        self.history = History()
        self.drawn = -1
        self.axis: Axis | None = None
        self.curve: Any = None
        self.array: Any = None
        self.image: Any = None


def _stamp(row: Row) -> float:
    """Return the time stamp of a value, 0 where there is none to be believed."""
    return 0.0 if row.never_processed else row.timestamp or 0.0


def _remembered(row: Row) -> list[tuple[float, float]]:
    """Return what a panel remembers, at its coarser step, on the clock of the curves."""
    offset = time() - monotonic()
    return [
        (bucket.began + offset, value)
        for bucket in row.trend
        for value in dict.fromkeys((bucket.low, bucket.high, bucket.last))
    ]


class Chart(QtWidgets.QWidget):
    """The window of a chart.

    Args:
        panel: whose rows are drawn; those that join later are drawn too.
        span_s: how much time is shown while it is live.
        image_width: draw arrays as pictures of that many columns.
        since: epoch seconds at which the time axis begins, for as long as nobody chooses a span.
        add: watches PVs whose names are dropped on the chart; without it none can be.
    """

    def __init__(
        self,
        panel: Panel,
        span_s: float = 60.0,
        image_width: int = 0,
        since: float | None = None,
        add: Callable[[list[str]], object] | None = None,
    ) -> None:
        super().__init__()
        self.setWindowTitle(f"{panel.title} plot")
        self.resize(900, 520)
        self.panel = panel
        self.span_s = span_s
        self.since = since
        self._add = add
        self.setAcceptDrops(add is not None)
        self.image_width = image_width
        self.paused = False
        self.pictures = 0
        self._axis_end = 0.0
        self._traces: dict[str, _Trace] = {}
        self._axes: dict[str, Axis] = {}
        self._build()
        self._pictures = Pictures(self, PICTURE_MS, self.draw)
        self._moving = QtCore.QTimer(self)
        self._moving.setInterval(MOVING_MS)
        self._moving.timeout.connect(self._move)
        for row in panel:
            self._begin(row)
        self._end = panel.observe(self._observed)
        self.draw()

    def _build(self) -> None:
        self.graphics = _Plot(background="w", axisItems={"bottom": pg.DateAxisItem(utcOffset=None)})
        self.plot = self.graphics.getPlotItem()
        self.plot.showGrid(x=True, y=True, alpha=0.25)
        self.legend = self.plot.addLegend(**_LEGEND)
        self.plot.getViewBox().sigRangeChangedManually.connect(lambda *_: self.pause(True))
        self.arrays = _Plot(background="w")
        self.arrays.showGrid(x=True, y=True, alpha=0.25)
        self.arrays.addLegend(**_LEGEND)
        self.arrays.hide()
        self.images = _Plot(background="w")
        self.images.getPlotItem().setAspectLocked(True)
        self.images.getPlotItem().invertY(True)
        self.images.hide()
        self._split = QtWidgets.QSplitter(QtCore.Qt.Vertical)
        for part in (self.graphics, self.arrays, self.images):
            part.setAcceptDrops(False)
            self._split.addWidget(part)
        self.pause_button = QtWidgets.QPushButton("Pause")
        self.pause_button.setCheckable(True)
        self.pause_button.clicked.connect(self.pause)
        self.span = QtWidgets.QDoubleSpinBox()
        self.span.setRange(1.0, 86400.0)
        self.span.setDecimals(0)
        self.span.setSuffix(" s")
        self.span.setValue(self.span_s)
        self.span.valueChanged.connect(self._respan)
        save = QtWidgets.QPushButton("Export…")
        save.clicked.connect(self.ask_export)
        self.readout = QtWidgets.QLabel("live")
        bar = QtWidgets.QHBoxLayout()
        bar.addWidget(self.pause_button)
        bar.addWidget(self.span)
        bar.addWidget(save)
        bar.addStretch(1)
        bar.addWidget(self.readout)
        whole = QtWidgets.QVBoxLayout(self)
        whole.addWidget(self._split)
        whole.addLayout(bar)

    # -- what comes in

    def _begin(self, row: Row) -> _Trace:
        trace = _Trace(row, CURVES[len(self._traces) % len(CURVES)])
        self._traces[row.name] = trace
        trace.history.precede(_remembered(row))
        if row.value is not None:
            self._take(trace, row)
        return trace

    def _observed(self, row: Row, kind: Kind, _now: float) -> None:
        trace = self._traces.get(row.name) or self._begin(row)
        if kind is Kind.UPDATE:
            self._take(trace, row)
        elif kind is Kind.METADATA:
            self._describe(trace)
        elif kind is Kind.DISCONNECT:
            trace.history.gap(time())
        if not self.paused:
            self._pictures.want()

    def _take(self, trace: _Trace, row: Row) -> None:
        value = row.value
        if isinstance(value, (int, float)):
            if row.state is State.LIVE:
                trace.history.add(_stamp(row) or time(), float(value))
        elif hasattr(value, "dtype") and value.dtype.kind in "biuf":
            trace.array = value
            trace.drawn = -1

    def _describe(self, trace: _Trace) -> None:
        if trace.axis is not None and trace.axis.unit == trace.row.metadata.units:
            trace.axis.limit(trace.row)
        elif trace.curve is not None and trace.axis is not None:
            self._remove(trace)

    def _remove(self, trace: _Trace) -> None:
        """Take a curve off its axis: its unit has changed."""
        assert trace.axis is not None
        trace.axis.view.removeItem(trace.curve)
        trace.axis.rows.remove(trace.row)
        self.legend.removeItem(trace.curve)
        trace.axis = trace.curve = None
        trace.drawn = -1

    # -- pictures

    def draw(self) -> None:
        """Draw what has changed."""
        self.pictures += 1
        end = self._end_of_axis()
        moved = False
        for trace in self._traces.values():
            if trace.array is not None:
                self._draw_array(trace)
            elif len(trace.history) and trace.drawn != trace.history.version:
                self._draw_curve(trace, end)
                moved = True
        # Where an array is all that is new, the curves above it need not be painted again.
        if end and not self.paused and (moved or end - self._axis_end > MOVING_MS / 2000):
            self._axis_end = end
            begin = end - self.span_s if self.since is None else self.since
            self.plot.setXRange(begin, end, padding=0.01)

    def _end_of_axis(self) -> float:
        """Return what time it is on the clocks of the IOCs, 0 before anything was drawn."""
        now = monotonic()
        return max(
            (
                stamp + trace.row.age(now)
                if trace.row.live and (stamp := _stamp(trace.row))
                else trace.history.times[-1]
                for trace in self._traces.values()
                if trace.history.times
            ),
            default=0.0,
        )

    def _move(self) -> None:
        """Go on where nothing arrives: a value that nobody changes still holds."""
        if self.paused:
            return
        end = self._end_of_axis()
        for trace in self._traces.values():
            if trace.array is None and len(trace.history) and trace.row.live:
                if end - trace.history.times[-1] > QUIET_S:
                    trace.drawn = -1
        self.draw()

    def _draw_curve(self, trace: _Trace, end: float) -> None:
        if trace.curve is None:
            trace.axis = self._axis(trace.row.metadata.units)
            trace.axis.rows.append(trace.row)
            # Qt draws lines that are wider than one pixel ten times slower.
            trace.curve = pg.PlotDataItem(
                pen=pg.mkPen(trace.colour), connect="finite", stepMode=None
            )
            trace.curve.setDownsampling(auto=True, method="peak")
            trace.curve.setClipToView(True)
            trace.axis.view.addItem(trace.curve)
            self.legend.addItem(trace.curve, trace.row.name)
            trace.axis.limit(trace.axis.rows[0])
            trace.axis.colour(trace.colour)
        trace.drawn = trace.history.version
        # A view of an array holds it in place: pyqtgraph gets copies.
        times, values = np.array(trace.history.times), np.array(trace.history.values)
        if trace.row.live and end - times[-1] > QUIET_S:
            times, values = np.append(times, end), np.append(values, values[-1])
        trace.curve.setData(times, values)

    def _axis(self, unit: str) -> Axis:
        if unit not in self._axes:
            self._axes[unit] = Axis(self.plot, unit, len(self._axes))
        return self._axes[unit]

    def _draw_array(self, trace: _Trace) -> None:
        if trace.drawn == 0:
            return
        trace.drawn = 0
        array = np.asarray(trace.array)
        if self.image_width and len(array) >= self.image_width:
            if trace.image is None:
                self._make_room(self.images)
                trace.image = pg.ImageItem(axisOrder="row-major")
                self.images.addItem(trace.image)
            rows = len(array) // self.image_width
            picture = array[: rows * self.image_width].reshape(rows, self.image_width)
            trace.image.setImage(picture)
            return
        if trace.curve is None:
            self._make_room(self.arrays)
            self.graphics.setVisible(any(len(other.history) for other in self._traces.values()))
            trace.curve = self.arrays.plot(pen=pg.mkPen(trace.colour), name=trace.row.name)
        trace.curve.setData(array)

    def _make_room(self, part: Any) -> None:
        part.show()
        self._split.setSizes([300, 200, 300])

    # -- what the operator does

    def pause(self, paused: bool = True) -> None:
        """Hold the picture still, or go on; moving and zooming by hand pauses too."""
        self.paused = paused
        self.pause_button.setChecked(paused)
        self.readout.setText("paused" if paused else "live")
        if not paused:
            self._axis_end = 0.0
            self.draw()

    def begin_at(self, since: float | None) -> None:
        """Let the time axis begin at that moment; None lets it move along again."""
        self.since = since
        for trace in self._traces.values() if since is not None else ():
            history = trace.history
            first = history.times[0] if history.times else time()
            history.precede([point for point in _remembered(trace.row) if point[0] < first])
        self.pause(False)

    def past(self, name: str, since: float) -> Past:
        """Return what this chart remembers of a PV since a monotonic time."""
        trace = self._traces.get(name)
        if trace is None or not len(trace.history):
            return NOTHING
        offset = time() - monotonic()
        trend = trace.history.trend(since + offset, time())
        buckets = [bucket._replace(began=bucket.began - offset) for bucket in trend]
        return since_then(trace.row.datatype, buckets, since)

    def _respan(self, span_s: float) -> None:
        self.span_s = span_s
        self.since = None
        self.pause(False)

    def export(self, file: Path) -> None:
        """Write the picture (.png) or the numbers (.csv) to a file.

        Raises:
            ValueError: the name ends in neither.
            OSError: it cannot be written.
        """
        if file.suffix == ".png":
            if not self.grab().save(str(file)):
                raise OSError(f"{file} cannot be written")
        elif file.suffix == ".csv":
            self._write_csv(file)
        else:
            raise ValueError(f"{file}: the name must end in .png or .csv")

    def _write_csv(self, file: Path) -> None:
        with file.open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["time", "pv", "value", "unit"])
            for trace in self._traces.values():
                name, unit = trace.row.name, trace.row.metadata.units
                for when, value in zip(trace.history.times, trace.history.values, strict=True):
                    stamp = datetime.fromtimestamp(when).isoformat(timespec="milliseconds")
                    writer.writerow([stamp, name, value, unit])
                if trace.array is not None:
                    writer.writerow(["newest", name, *np.asarray(trace.array).tolist()])

    def ask_export(self) -> Any:
        """Ask for the name of a file to export to, and return the dialog that does."""
        dialog = QtWidgets.QFileDialog(self, "Export", f"{self.panel.title}.png")
        dialog.setAcceptMode(QtWidgets.QFileDialog.AcceptSave)
        dialog.setNameFilters(["Picture (*.png)", "Numbers (*.csv)"])
        dialog.setAttribute(QtCore.Qt.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._export_to)
        # A dialog that is waited for in a slot would hold the prompt.
        dialog.open()
        return dialog

    def _export_to(self, name: str) -> None:
        try:
            self.export(Path(name))
        except (OSError, ValueError) as exc:
            self.readout.setText(str(exc))
        else:
            self.readout.setText(f"written to {name}")

    def dragEnterEvent(self, event: Any) -> None:  # noqa: N802
        """Welcome names of PVs."""
        if event.mimeData().hasText():
            event.setDropAction(QtCore.Qt.CopyAction)
            event.accept()

    def dropEvent(self, event: Any) -> None:  # noqa: N802
        """Draw the PVs that were dropped, too."""
        names = event.mimeData().text().split()
        event.setDropAction(QtCore.Qt.CopyAction)
        event.accept()
        # Whoever drags is held until this returns.
        Spawn(self._take_in, names).name = f"plot {' '.join(names)}"

    def _take_in(self, names: list[str]) -> None:
        try:
            if self._add is not None:
                self._add(names)
        except ValueError as exc:
            self.readout.setText(str(exc))

    def showEvent(self, event: Any) -> None:  # noqa: N802
        """Begin to move along."""
        super().showEvent(event)
        self._moving.start()

    def hideEvent(self, event: Any) -> None:  # noqa: N802
        """Rest while nobody looks."""
        super().hideEvent(event)
        self._moving.stop()

    def closeEvent(self, event: Any) -> None:  # noqa: N802
        """Let go of the panel."""
        self._end()
        self._pictures.stop()
        super().closeEvent(event)
