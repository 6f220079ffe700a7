# SPDX-License-Identifier: Apache-2.0
"""The windows of the shell, on panels driven by hand."""

from __future__ import annotations

import csv
import time
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from qtpy import QtCore, QtGui, QtWidgets

from cothread import Sleep

pytest.importorskip("pyqtgraph", reason="pyqtgraph is not installed")

from coshell.panel.look import Look
from coshell.panel.model import NEVER_PROCESSED, Metadata, Panel
from coshell.panel.theme import Theme
from coshell.panel.trend import Trend
from coshell.qt.axes import bands
from coshell.qt.chart import Chart
from coshell.qt.history import History
from coshell.qt.pictures import Pictures
from coshell.qt.places import Places
from coshell.qt.put import PutWindow
from coshell.qt.table import PanelTable

DEADLINE_S = 20


class Reading(float):
    """A number as Channel Access delivers it."""

    ok = True
    status = 0
    datatype = 6

    def __new__(cls, value: float, severity: int = 0, timestamp: float | None = None):
        made = super().__new__(cls, value)
        made.severity = severity
        made.timestamp = time.time() if timestamp is None else timestamp
        return made


def until(condition) -> None:
    """Wait for a condition, giving way."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it never became true"
        Sleep(0.01)


@pytest.fixture
def panel():
    made = Panel("ring", ["B-10", "B-2", "C"])
    made.apply_metadata(made["B-2"], Metadata("mA", 2), 0.0)
    made.apply_update(made["B-2"], Reading(1.5), time.monotonic())
    made.apply_update(made["C"], Reading(7, severity=2), time.monotonic())
    return made


@pytest.fixture
def table(panel):
    asked = SimpleNamespace(plotted=[], put=[])
    window = PanelTable(
        panel, Look(), Theme(colours=None), {}, asked.plotted.append, asked.put.append
    )
    window.asked = asked
    window.show()
    yield window
    window.close()
    window.deleteLater()


def names(table) -> list[str]:
    return [row.name for row in table.model.rows]


def text(table, name: str, column: str) -> str:
    number = names(table).index(name)
    keys = [column.key for column in table.model.columns]
    return table.model.data(table.model.index(number, keys.index(column)))


def test_the_table_follows_the_panel(table, panel):
    assert names(table) == ["B-10", "B-2", "C"]
    assert text(table, "B-2", "value") == "1.50"
    assert text(table, "B-2", "unit") == "mA"
    panel.apply_update(panel["B-2"], Reading(2.5), time.monotonic())
    until(lambda: text(table, "B-2", "value") == "2.50")
    panel.add("D", time.monotonic())
    until(lambda: names(table)[-1] == "D")
    panel.remove("B-10")
    until(lambda: names(table) == ["B-2", "C", "D"])


def test_only_pictures_that_are_needed(table, panel):
    """A thousand updates are a few pictures, and none of a row that did not change."""
    drawn = []
    table.model.dataChanged.connect(lambda first, last: drawn.append(first.row()))
    for number in range(1000):
        panel.apply_update(panel["B-2"], Reading(number), time.monotonic())
        if number % 100 == 0:
            Sleep(0.002)
    until(lambda: drawn)
    Sleep(0.15)
    assert len(drawn) < 20
    assert set(drawn) - {0} == {1} or set(drawn) == {1}


def test_slow_pictures_leave_time_for_others():
    began = []

    def draw() -> None:
        began.append(time.monotonic())
        time.sleep(0.05)
        pictures.want()

    pictures = Pictures(None, 1, draw)
    pictures.want()
    until(lambda: pictures.drawn == 3)
    pictures.stop()
    assert all(after - before >= 0.1 for before, after in pairwise(began))


def test_rows_are_sorted_and_filtered(table):
    keys = [column.key for column in table.model.columns]
    table.sort(keys.index("name"))
    assert names(table) == ["B-2", "B-10", "C"]
    table.sort(keys.index("name"))
    assert names(table) == ["B-10", "B-2", "C"]
    table.filter.setText("b-")
    assert names(table) == ["B-10", "B-2"]
    table.filter.clear()
    table.only.setCurrentText("disconnected")
    assert names(table) == ["B-10"]
    table.only.setCurrentText("alarm")
    assert set(names(table)) == {"B-10", "C"}


def test_alarms_have_colours(table):
    index = table.model.index(2, 1)
    red = table.model.data(index, QtCore.Qt.ForegroundRole).color()
    assert red.red() > red.green()
    plain = table.model.data(table.model.index(1, 1), QtCore.Qt.ForegroundRole)
    assert plain is None


def test_selected_rows_are_copied_plotted_and_put(table):
    table.view.selectRow(1)
    copied = table.copy()
    assert copied.startswith("B-2\t1.50\tmA")
    assert QtWidgets.QApplication.clipboard().text() == copied
    actions = {action.text(): action for action in table.menu().actions()}
    actions["Plot"].trigger()
    actions["Put…"].trigger()
    assert table.asked.plotted == [["B-2"]]
    assert table.asked.put == ["B-2"]


def test_nothing_selected_offers_nothing(table):
    table.view.clearSelection()
    assert not any(action.isEnabled() for action in table.menu().actions())


def test_the_line_above_the_table_counts(table, panel):
    assert table.count.text() == "3 of 3 · 1 searching · 1 in alarm"
    panel.apply_disconnect(panel["C"], time.monotonic(), time.time())
    until(lambda: table.count.text() == "3 of 3 · 1 searching · 1 disconnected")


def test_dragged_rows_are_names(table):
    model = table.model
    assert model.flags(model.index(0, 0)) & QtCore.Qt.ItemIsDragEnabled
    dragged = [model.index(row, column) for row in (1, 2) for column in (0, 1)]
    data = model.mimeData(dragged)
    assert data.text() == "B-2\nC"
    assert data.formats() == ["text/plain"]


@pytest.fixture
def chart(panel):
    window = Chart(panel, 10.0)
    window.show()
    yield window
    window.close()
    window.deleteLater()


def test_the_chart_draws_what_arrives(chart, panel):
    before = chart.pictures
    start = time.time()
    for number in range(20):
        panel.apply_update(panel["C"], Reading(number, timestamp=start + number), time.monotonic())
    until(lambda: chart.pictures > before)
    times, values = chart._traces["C"].curve.getData()
    # The last one may be there twice, drawn up to now.
    assert list(dict.fromkeys(values))[-3:] == [17, 18, 19]
    assert times[-1] == pytest.approx(start + 19)
    low, high = chart.plot.viewRange()[0]
    assert low < start + 19 < high
    assert high - low == pytest.approx(10, rel=0.1)


def test_each_unit_has_an_axis(chart, panel):
    panel.apply_metadata(panel["C"], Metadata("mm"), time.monotonic())
    panel.apply_update(panel["C"], Reading(3), time.monotonic())
    until(lambda: set(chart._axes) >= {"mA", "mm"})
    assert chart._traces["C"].axis is not chart._traces["B-2"].axis


def test_a_paused_chart_stands_still_and_loses_nothing(chart, panel):
    chart.pause()
    before = chart.pictures
    for number in range(10):
        panel.apply_update(panel["C"], Reading(number), time.monotonic())
    Sleep(0.12)
    assert chart.pictures == before
    chart.pause(False)
    assert list(dict.fromkeys(chart._traces["C"].curve.getData()[1]))[-2:] == [8, 9]


def test_a_gap_where_there_was_no_value(chart, panel):
    panel.apply_disconnect(panel["C"], time.monotonic(), time.time())
    assert np.isnan(chart._traces["C"].history.values[-1])


def test_a_chart_begins_when_it_is_told_to(panel):
    since = time.time() - 100
    panel["C"].trend.clear()
    for ago, value in ((90.0, 1.0), (50.0, 2.0)):
        panel["C"].trend.add(value, time.monotonic() - ago)
    chart = Chart(panel, 10.0, since=since)
    times, values = chart._traces["C"].curve.getData()
    assert list(values[:2]) == [1, 2]
    assert times[0] == pytest.approx(time.time() - 90, abs=5)
    assert chart.plot.viewRange()[0][0] == pytest.approx(since, abs=5)
    chart.span.setValue(30)
    low, high = chart.plot.viewRange()[0]
    assert high - low == pytest.approx(30, rel=0.1)
    chart.close()
    chart.deleteLater()


def test_an_open_chart_begins_anew_with_what_was_found_since(chart, panel):
    row = panel["C"]
    old = row.trend
    row.trend = Trend()
    row.trend.add(5.0, time.monotonic() - 500)
    for bucket in old:
        row.trend.add(bucket.last, bucket.began)
    chart.begin_at(time.time() - 600)
    assert chart._traces["C"].curve.getData()[1][0] == 5
    chart.begin_at(None)
    low, high = chart.plot.viewRange()[0]
    assert high - low == pytest.approx(10, rel=0.1)


def test_a_value_that_nobody_changes_is_drawn_up_to_now(chart, panel):
    panel.apply_update(panel["C"], Reading(4, timestamp=time.time()), time.monotonic())
    before = chart._traces["C"].history.times[-1]
    until(lambda: chart._traces["C"].curve.getData()[0][-1] > before + 1)
    assert chart._traces["C"].history.times[-1] == before
    assert chart._traces["C"].curve.getData()[1][-1] == 4


def test_a_chart_tells_what_it_remembers(chart):
    start = time.time()
    assert chart.past("nobody", 0.0).buckets == ()
    chart._traces["C"].history = History()
    for number in range(1000):
        chart._traces["C"].history.add(start - 100 + number / 10, number)
    found = chart.past("C", time.monotonic() - 50)
    assert found.datatype == 6
    assert len(found.buckets) <= 120
    assert found.buckets[0].began == pytest.approx(time.monotonic() - 50, abs=5)
    assert found.buckets[-1].last == 999


def test_a_record_that_was_never_processed_is_drawn_now(panel):
    panel.add("NEW", time.monotonic())
    panel.apply_update(panel["NEW"], Reading(1, timestamp=NEVER_PROCESSED), time.monotonic())
    chart = Chart(panel)
    assert chart._traces["NEW"].history.times[-1] == pytest.approx(time.time(), abs=DEADLINE_S)
    chart.close()
    chart.deleteLater()


def test_names_dropped_on_a_chart_are_drawn_too(panel):
    added = []

    def add(names: list[str]) -> None:
        if "}" in names[0]:
            raise ValueError("no such pattern")
        added.extend(names)

    chart = Chart(panel, add=add)
    for text in ("DEMO:A DEMO:B\n", "}"):
        data = QtCore.QMimeData()
        data.setText(text)
        place, buttons = QtCore.QPointF(5, 5), QtCore.Qt.LeftButton
        drop = QtGui.QDropEvent(place, QtCore.Qt.CopyAction, data, buttons, QtCore.Qt.NoModifier)
        chart.dropEvent(drop)
        assert drop.isAccepted()
    until(lambda: chart.readout.text() == "no such pattern")
    assert added == ["DEMO:A", "DEMO:B"]
    chart.close()
    chart.deleteLater()


class Array(np.ndarray):
    """An array as Channel Access delivers it."""

    ok = True
    status = severity = 0
    timestamp = 0.0


def test_arrays_and_pictures(panel):
    wave = np.arange(12.0).view(Array)
    panel.apply_update(panel["B-10"], wave, time.monotonic())
    plain, image = Chart(panel), Chart(panel, image_width=4)
    assert list(plain._traces["B-10"].curve.getData()[1]) == list(range(12))
    assert image._traces["B-10"].image.image.shape == (3, 4)
    for window in (plain, image):
        window.close()
        window.deleteLater()


def test_export(chart, panel, tmp_path):
    picture, numbers = tmp_path / "a.png", tmp_path / "a.csv"
    chart.export(picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
    chart.export(numbers)
    rows = list(csv.DictReader(numbers.read_text().splitlines()))
    assert {"B-2", "C"} <= {row["pv"] for row in rows}
    with pytest.raises(ValueError, match=r"png or \.csv"):
        chart.export(tmp_path / "a.txt")
    dialog = chart.ask_export()
    assert dialog.isVisible()
    dialog.close()


def test_alarm_bands():
    limits = {
        "upper_alarm_limit": 10.0,
        "upper_warning_limit": 8.0,
        "lower_warning_limit": 2.0,
        "lower_alarm_limit": 1.0,
    }
    ranges = {(low, high) for low, high, _ in bands(limits)}
    assert (8.0, 10.0) in ranges
    assert (1.0, 2.0) in ranges
    assert bands(dict.fromkeys(limits, 0.0)) == []
    assert bands(dict.fromkeys(limits, float("nan"))) == []


def test_history_is_bounded_and_in_order():
    history = History(capacity=10)
    for number in range(25):
        history.add(number, number)
    assert len(history) <= 10
    assert history.values[-1] == 24
    history.add(3.0, 99)
    assert history.times[-1] == 24
    history.gap(30)
    history.gap(31)
    assert history.times[-1] == 30
    room = 10 - len(history)
    before = list(history.times)
    history.precede([(float(number), 0.0) for number in range(12)])
    assert list(history.times) == [float(12 - room + n) for n in range(room)] + before


@pytest.fixture
def put_window(panel):
    puts = []

    def put(name: str, value: str) -> str:
        Sleep(0.01)
        if value == "bad":
            raise ValueError("refused: bad")
        puts.append((name, value))
        return f"{name} → {value}"

    window = PutWindow(panel, panel["B-2"], put, Theme(colours=None), {}, lambda: None)
    window.puts = puts
    window.show()
    yield window
    window.close()
    window.deleteLater()


def test_put(put_window, panel):
    window = put_window
    assert window.value.text() == "1.50 mA"
    window.text.setText("2.5")
    window.button.click()
    assert not window.button.isEnabled()
    until(lambda: window.result.text() == "B-2 → 2.5")
    assert window.puts == [("B-2", "2.5")]
    assert window.button.isEnabled()
    window.text.setText("bad")
    window.put()
    until(lambda: window.result.text() == "refused: bad")
    window.text.clear()
    window.put()
    assert "value first" in window.result.text()


def test_put_offers_states_and_limits(put_window, panel):
    window = put_window
    limits = {"lower_ctrl_limit": 0.0, "upper_ctrl_limit": 5.0}
    panel.apply_metadata(panel["B-2"], Metadata("mA", 2, limits=limits), time.monotonic())
    until(lambda: window.limits.text() == "takes 0.00 … 5.00")
    states = Metadata(enums=("Off", "On"))
    panel.apply_metadata(panel["B-2"], states, time.monotonic())
    until(window.choice.isVisible)
    window.choice.setCurrentText("On")
    window.put()
    until(lambda: window.puts == [("B-2", "On")])


def test_no_put_without_a_connection(put_window, panel):
    panel.apply_disconnect(panel["B-2"], time.monotonic(), time.time())
    until(lambda: not put_window.button.isEnabled())


def test_places_are_kept(tmp_path):
    file = tmp_path / "windows.json"
    Places(file).put("ring", b"\x01\x02")
    assert Places(file).get("ring") == b"\x01\x02"
    assert Places(file).get("other") == b""
    file.write_text("nonsense")
    assert Places(file).get("ring") == b""
