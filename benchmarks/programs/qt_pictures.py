# SPDX-License-Identifier: Apache-2.0
"""What one picture of a window costs: 50 PVs in a table; ten curves and an array in a chart."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from time import process_time, time

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import numpy as np
from measuring import ROUNDS, report

import cothread.loops.qt
from coshell.panel.look import Look
from coshell.panel.model import Panel
from coshell.panel.theme import Theme
from coshell.qt.chart import Chart
from coshell.qt.table import PanelTable
from cothread.clock import monotonic

PVS = 50
CURVES = 10
POINTS = 1_000
PAST = 600


class Reading(float):
    """A value in time format."""

    ok, severity, status, timestamp, update_count, datatype = True, 0, 0, 1.7e9, 1, 6


class Array(np.ndarray):
    """An array in time format."""

    ok, severity, status, timestamp, update_count, datatype = True, 0, 0, 1.7e9, 1, 6


def update(panel: Panel, when: float) -> None:
    """Give every row a new value."""
    now = monotonic()
    for row in panel:
        if row.name == "WAVE":
            panel.apply_update(row, np.random.default_rng().normal(size=POINTS).view(Array), now)
        else:
            reading = Reading(random.random())
            reading.timestamp = when
            panel.apply_update(row, reading, now)


def cost_ms(panel: Panel, draw: Callable[[], object]) -> float:
    """Return the least processor time of a picture, painted."""
    best = float("inf")
    for _ in range(ROUNDS):
        update(panel, time())
        began = process_time()
        draw()
        app.processEvents()
        best = min(best, process_time() - began)
    return best * 1e3


app = cothread.iqt(argv=["measured"])
names = [f"SR-DI-EBPM-{number:02d}:X" for number in range(PVS)]
rows = Panel("table", [*names, "WAVE"], monotonic())
curves = Panel("chart", [*names[:CURVES], "WAVE"], monotonic())
table = PanelTable(rows, Look(), Theme(), {}, print, print)
chart = Chart(curves)
table.resize(960, 1300)
start = time() - PAST / 10
for number in range(PAST):
    update(curves, start + number / 10)
table.show()
chart.show()
cothread.Sleep(0.5)


def measure() -> None:
    """Measure where slots run, and nobody else."""
    report(
        table_ms=cost_ms(rows, table.model.refresh),
        chart_ms=cost_ms(curves, chart.draw),
    )


cothread.loops.qt.on_qt(measure)
