# SPDX-License-Identifier: Apache-2.0
"""The axes of a chart: one for each unit, with the ranges that stand for an alarm."""

from __future__ import annotations

from typing import Any, Final

import pyqtgraph as pg

from coshell.panel.model import Row

__all__ = ["Axis", "bands"]

_WARNING: Final = (255, 193, 7, 36)
_ALARM: Final = (214, 39, 40, 30)
_FAR: Final = 1e30


class Axis:
    """Curves that share a unit: a view of their own over the common axis of time."""

    def __init__(self, plot: Any, unit: str, number: int) -> None:
        self.unit = unit
        self.bands: list[Any] = []
        self.rows: list[Row] = []
        if number == 0:
            self.axis = plot.getAxis("left")
            self.view = plot.getViewBox()
        else:
            self.axis = pg.AxisItem("right")
            # What pyqtgraph reserves by itself lets the label touch the numbers.
            self.axis.setStyle(tickTextWidth=64, autoReduceTextSpace=False)
            self.view = pg.ViewBox()
            plot.layout.addItem(self.axis, 2, 2 + number)
            plot.scene().addItem(self.view)
            self.axis.linkToView(self.view)
            self.view.setXLink(plot)
            main = plot.getViewBox()
            main.sigResized.connect(lambda: self.view.setGeometry(main.sceneBoundingRect()))
            self.view.setGeometry(main.sceneBoundingRect())
        # Numbers stand on the axis as in the table, not scaled by what its label would have to say.
        self.axis.enableAutoSIPrefix(False)
        self.axis.setLabel(unit or None)

    def colour(self, colour: str) -> None:
        """Give the axis the colour of its curve, or none in particular when there are several."""
        self.axis.setTextPen(colour if len(self.rows) == 1 else "#333333")

    def limit(self, row: Row) -> None:
        """Colour what lies beyond the alarm limits of the only row of this axis."""
        for band in self.bands:
            self.view.removeItem(band)
        self.bands = []
        if len(self.rows) != 1:
            return
        for low, high, colour in bands(row.metadata.limits):
            band = pg.LinearRegionItem(
                (low, high), "horizontal", brush=colour, pen=pg.mkPen(None), movable=False
            )
            band.setZValue(-10)
            self.view.addItem(band, ignoreBounds=True)
            self.bands.append(band)


def bands(limits: dict[str, float]) -> list[tuple[float, float, tuple[int, int, int, int]]]:
    """Return the ranges of a number that stand for an alarm: low end, high end, colour."""

    def limit(name: str) -> float | None:
        value = limits.get(name, float("nan"))
        return value if value == value and abs(value) < _FAR else None

    low, high = limit("lower_alarm_limit"), limit("upper_alarm_limit")
    warn_low, warn_high = limit("lower_warning_limit"), limit("upper_warning_limit")
    found = []
    if low is not None and high is not None and low < high:
        found += [(high, _FAR, _ALARM), (-_FAR, low, _ALARM)]
    if warn_low is not None and warn_high is not None and warn_low < warn_high:
        found += [(warn_high, high if high is not None and high > warn_high else _FAR, _WARNING)]
        found += [(low if low is not None and low < warn_low else -_FAR, warn_low, _WARNING)]
    return found
