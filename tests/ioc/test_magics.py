# SPDX-License-Identifier: Apache-2.0
"""The magics against the demo machine's real IOC, in a shell without terminal."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from catools import caget, caput, close_client, connect
from coshell import magics
from coshell.demo.machine import DemoMachine
from coshell.magics.parsing import Refused, run
from coshell.panel.model import State
from coshell.put import PutInterrupted
from coshell.session import session
from coshell.views import open_kept
from cothread import Sleep, Spawn
from cothread.clock import monotonic

pytest.importorskip("epicscorelibs")

DEADLINE_S = 30.0


class Dock:
    """A dock that only remembers what it was given."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.shown: list[str] = []
        self.invalidations = 0

    def add(self, item: Any) -> None:
        self.items.append(item)

    def remove(self, item: Any) -> None:
        self.items.remove(item)

    def invalidate(self) -> None:
        self.invalidations += 1

    def text(self, width: int = 100, height: int = 20) -> str:
        return "\n".join(
            line for item in self.items for line in item.render(width, height, monotonic())
        )


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Wait for a condition; fail naming it when it does not come true in time."""
    deadline = monotonic() + DEADLINE_S
    while not condition():
        assert monotonic() < deadline, f"never happened: {what}"
        Sleep(0.02)


@pytest.fixture(scope="module")
def machine() -> Iterator[DemoMachine]:
    one = DemoMachine()
    one.start()
    before = {key: os.environ.get(key) for key in one.env}
    os.environ.update(one.env)
    close_client()
    yield one
    close_client()
    for key, value in before.items():
        os.environ.pop(key) if value is None else os.environ.update({key: value})
    one.stop()


@pytest.fixture
def dock(machine: DemoMachine) -> Iterator[Dock]:
    place = Dock()
    session.open(place, place.shown.append)
    yield place
    session.close()
    close_client()


def do(line: str, **variables: Any) -> Any:
    """Do what a line says, as the shell would."""
    name, _, rest = line[1:].partition(" ")
    return run(magics.SPECS[name], session, rest, variables)


def test_caget_returns_the_value_and_says_it_in_words(dock, capsys):
    value = do("%caget DEMO:CURRENT")
    assert value == pytest.approx(300, abs=50)
    assert f"{value:.3f} mA" in capsys.readouterr().out


def test_caget_of_many_is_a_table(dock):
    values = do("%caget DEMO:BPM-{01..12}:{X,Y}")
    assert len(values) == 24
    assert all(value.ok for value in values)
    assert len(str(values).splitlines()) == 24
    assert "DEMO:BPM-12:Y" in str(values)


def test_caget_of_many_tells_which_gave_no_value(dock):
    values = do("%caget -w 0.3 DEMO:SHUTTER DEMO:NOWHERE")
    assert [value.ok for value in values] == [True, False]
    assert "1 of 2 gave no value" in str(values)


def test_an_unknown_pv_is_refused_with_a_near_miss(dock):
    do("%caget -t DEMO:CURRENT")
    with pytest.raises(Refused, match=r"DEMO:CURENT: .*\(did you mean DEMO:CURRENT\?\)"):
        do("%caget -w 0.3 DEMO:CURENT")


def test_caput_shows_old_and_new(dock, capsys):
    do("%caput DEMO:RF:FREQ 499.65")
    result = do("%caput DEMO:RF:FREQ 499.66")
    assert (result.old, result.new, result.ok, result.completed) == (499.65, 499.66, True, True)
    assert "DEMO:RF:FREQ  499.650000 → 499.660000 MHz" in capsys.readouterr().out


def test_caput_tells_what_the_record_made_of_it(dock, capsys):
    result = do("%caput DEMO:RF:FREQ 600")
    assert not result.ok
    assert "asked for 600.000000; it takes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("%caput DEMO:RF:FREQ lots", "'lots' is none"),
        ("%caput DEMO:SHUTTER 7", "no state 7"),
        ("%caput DEMO:SHUTTER opne", "did you mean 'Open'"),
        ("%caput DEMO:RF:FREQ", "no value"),
        ("%caput DEMO:RF:FREQ 1 2", "holds one value"),
        ("%caput DEMO:RF:FREQ 1 -w 3", "flags go first"),
    ],
)
def test_a_bad_put_is_refused_in_one_line_and_nothing_is_written(dock, line, says):
    name = line.split()[1]
    before = caget(name)
    with pytest.raises(Refused, match=says) as caught:
        do(line)
    assert "\n" not in str(caught.value)
    assert caget(name) == before


def test_a_put_into_a_range_is_a_table(dock, capsys):
    names = ["DEMO:ID:SPEED", "DEMO:OPERATOR"]
    before = caget(names)
    try:
        results = do("%caput DEMO:{ID:SPEED,OPERATOR} 3")
        assert [result.new for result in results] == [3.0, "3"]
        assert repr(results) == "<2 puts>"
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[0] for line in lines] == names
        assert lines[0].index("→") > 0
        assert lines[1].endswith("→ 3")
    finally:
        caput(names, before, wait=True)


def test_a_put_into_a_range_writes_nothing_unless_all_take_it(dock):
    before = caget("DEMO:RF:FREQ")
    with pytest.raises(Refused, match=r"^nothing was written, because 1 of 2 .*DEMO:NOWHERE: "):
        do("%caput -w 1 DEMO:{RF:FREQ,NOWHERE} 499.66")
    with pytest.raises(Refused, match=r"^nothing was written, because 1 of 2 .*DEMO:MODE: "):
        do("%caput DEMO:{RF:FREQ,MODE} 499.66")
    with pytest.raises(Refused, match="DEMO:ENERGY: the server grants no write access"):
        do("%caput DEMO:{RF:FREQ,ENERGY} 499.66")
    assert caget("DEMO:RF:FREQ") == before


def test_a_put_into_a_range_tells_which_did_not_complete(dock, capsys):
    wait_until(lambda: caget("DEMO:ID:GAP:MOVING") == 0, "the gap stands still")
    results = do("%caput -w 1 DEMO:{ID:GAP,RF:FREQ} 30")
    assert [one.ok for one in results] == [False, False]
    assert [one.name for one in results.failed] == ["DEMO:ID:GAP"]
    said = capsys.readouterr().out
    assert "✕" in said
    assert "the put was sent and its completion has not been reported" in said
    assert "asked for 30.000000; it takes" in said
    assert "1 of 2 puts failed" in said
    assert not session.desk.waiting
    caput("DEMO:ID:GAP", 15, wait=True, timeout=DEADLINE_S)


def test_puts_into_a_range_that_are_interrupted_say_which_go_on(dock):
    ended = []

    def put() -> None:
        try:
            do("%caput DEMO:{RF:FREQ,ID:GAP} 25")
        except BaseException as exc:
            ended.append(exc)

    wait_until(lambda: caget("DEMO:ID:GAP:MOVING") == 0, "the gap stands still")
    task = Spawn(put)
    wait_until(lambda: list(session.desk.waiting) == ["DEMO:ID:GAP"], "one has completed")
    task.raise_in(KeyboardInterrupt())
    wait_until(lambda: ended, "the puts are interrupted")
    assert isinstance(ended[0], PutInterrupted)
    assert "after 2 puts were sent: 1 have completed" in str(ended[0])
    assert "(DEMO:ID:GAP)" in str(ended[0])
    assert not session.desk.waiting
    caput("DEMO:ID:GAP", 15, wait=True, timeout=DEADLINE_S)


def test_a_put_without_the_right_to_is_refused(dock):
    do("%caput -t DEMO:LOCK 1")
    try:
        wait_until(lambda: not connect("DEMO:MODE", cainfo=True).write, "the right is gone")
        with pytest.raises(Refused, match=r"DEMO:MODE: .*denied"):
            do("%caput DEMO:MODE 1")
    finally:
        do("%caput -t DEMO:LOCK 0")
        wait_until(lambda: connect("DEMO:MODE", cainfo=True).write, "the right is back")


def test_a_put_that_is_interrupted_says_that_it_was_sent(dock):
    ended = []

    def put() -> None:
        try:
            do("%caput DEMO:ID:GAP 30")
        except BaseException as exc:
            ended.append(exc)

    wait_until(lambda: caget("DEMO:UPTIME") > 1, "the gap has finished its start-up")
    task = Spawn(put)
    wait_until(lambda: "DEMO:ID:GAP" in session.desk.waiting, "the put is sent")
    wait_until(lambda: "waiting for completion" in dock.text(), "the dock says so")
    task.raise_in(KeyboardInterrupt())
    wait_until(lambda: ended, "the put is interrupted")
    assert isinstance(ended[0], PutInterrupted)
    assert "after the put was sent" in str(ended[0])
    assert not dock.items
    assert not session.desk.waiting
    caput("DEMO:ID:GAP", 15, wait=True, timeout=DEADLINE_S)


def test_camonitor_docks_a_panel_that_lives(dock):
    watch = do("%camonitor DEMO:CURRENT DEMO:GAUGE-0{1..3}")
    wait_until(lambda: not watch.panel.count().lost, "all are connected")
    row = watch.panel["DEMO:CURRENT"]
    wait_until(lambda: row.metadata.units == "mA", "the units come")
    seen = row.updates
    wait_until(lambda: row.updates > seen, "the current changes")
    assert dock.invalidations
    assert "DEMO:CURRENT" in dock.text()
    assert do("%camonitor") == [watch]


def test_a_panel_connects_before_anything_is_missing(dock):
    watch = do("%camonitor DEMO:CURRENT DEMO:NOWHERE # and no more")
    assert repr(watch) == "<panel watch: 2 PVs, connecting>"
    assert watch.names == ["DEMO:CURRENT", "DEMO:NOWHERE"]
    wait_until(lambda: watch.panel["DEMO:CURRENT"].live, "one is connected")
    assert repr(watch) == "<panel watch: 2 PVs, 1 searching>"
    assert "1 searching" in dock.text()


def test_a_put_from_anywhere_shows_in_its_row(dock):
    watch = do("%camonitor DEMO:RF:FREQ")
    wait_until(lambda: watch.panel["DEMO:RF:FREQ"].live, "connected")
    caput("DEMO:RF:FREQ", 499.655, wait=True)
    wait_until(lambda: watch.panel["DEMO:RF:FREQ"].last_put is not None, "the put is noted")
    assert "499.655000 0." in dock.text(width=140)


def test_panels_and_pvs_are_dropped(dock):
    do("%camonitor DEMO:CURRENT DEMO:SHUTTER")
    do("%camonitor vac: DEMO:GAUGE-01")
    assert len(dock.items) == 2
    assert do("%camonitor -d DEMO:CURRENT") == ["DEMO:CURRENT"]
    with pytest.raises(Refused, match="DEMO:CURRENT: not watched; watched are watch, vac"):
        do("%camonitor -d DEMO:CURRENT")
    wait_until(lambda: session.watches["vac"].panel["DEMO:GAUGE-01"].live, "connected")
    assert do("%camonitor -d vac:") == ["vac"]
    assert do("%camonitor -d DEMO:SHUTTER") == ["DEMO:SHUTTER"]
    assert not dock.items
    assert not len(session.watches)


@pytest.mark.leaks("the machine of the module is another process afterwards")
def test_rows_die_and_live_with_the_ioc(dock, machine):
    watch = do("%camonitor DEMO:CURRENT DEMO:SHUTTER")
    rows = list(watch.panel)
    wait_until(lambda: all(row.live for row in rows), "connected")
    machine.stop()
    wait_until(lambda: all(row.state is State.LOST for row in rows), "both are disconnected")
    assert "○ disconnected" in dock.text()
    assert rows[0].value is not None
    machine.start()
    wait_until(lambda: all(row.live for row in rows), "both are back")


def test_connect_and_cainfo_say_where_a_pv_is(dock, capsys):
    info = do("%connect DEMO:CURRENT")
    assert info.host in str(info)
    do("%cainfo DEMO:MODE")
    text = capsys.readouterr().out
    assert f"host       {info.host}" in text
    assert "access     read/write\n" in text
    assert "0 Shutdown" in text
    with pytest.raises(Refused, match="DEMO:NOWHERE: "):
        do("%cainfo -w 0.3 DEMO:NOWHERE")


def test_expressions_are_rows(dock):
    watch = do("%camonitor orbit: DEMO:BPM-01:X 'mean(DEMO:BPM-{01..12}:X)' 'DEMO:RF:FREQ / 2'")
    mean = watch.panel["mean(DEMO:BPM-{01..12}:X)"]
    wait_until(lambda: mean.live and mean.metadata.units == "mm", "the mean is computed")
    assert abs(mean.value) < 1
    half = watch.panel["DEMO:RF:FREQ / 2"]
    wait_until(lambda: half.live, "half the frequency is computed")
    assert half.value == pytest.approx(caget("DEMO:RF:FREQ") / 2)
    assert half.metadata.units == ""
    with pytest.raises(Refused, match="no function nope"):
        do("%camonitor 'nope(DEMO:CURRENT)'")


def test_an_expression_over_text_says_why_not(dock):
    watch = do("%camonitor 'DEMO:MESSAGE + 1'")
    (row,) = watch.panel
    wait_until(lambda: row.state is State.FAILED, "it fails")
    assert "✕ DEMO:MESSAGE: holds text" in dock.text(width=140)


def test_thresholds_make_rows_stand_out(dock):
    watch = do("%camonitor --mark 'DEMO:CURRENT > 1' DEMO:CURRENT DEMO:SHUTTER")
    wait_until(lambda: watch.panel["DEMO:CURRENT"].marked, "the current is marked")
    assert "⚑ > 1" in dock.text()
    with pytest.raises(Refused, match="NOPE: has no row"):
        do("%camonitor --mark 'NOPE > 1' DEMO:CURRENT")


def test_a_panel_is_shown_another_way(dock):
    do("%camonitor vac: DEMO:GAUGE-0{1..3}")
    watch = do("%camonitor vac: --sort name --columns name,rate --group vacuum DEMO:GAUGE-04")
    assert watch.look.choice.sort == "name"
    assert dock.items[0].table.columns[1].key == "rate"
    wait_until(lambda: not watch.panel.count().lost, "connected")
    assert " vacuum" in dock.text()
    with pytest.raises(Refused, match="there is no panel other"):
        do("%camonitor other: --sort name")


def test_a_log_prints_changes_for_a_while(dock):
    watch = do("%camonitor --log --for 2s --rate 5 DEMO:CURRENT DEMO:SHUTTER")
    wait_until(lambda: watch.name not in session.watches, "it closes by itself")
    lines = [line for line in dock.shown if "DEMO:CURRENT" in line]
    assert 5 <= len(lines) <= 12
    assert any("Open" in line for line in dock.shown)


def test_panels_are_kept_and_opened_again(dock, tmp_path, capsys):
    session.stores = [tmp_path / "site.toml", tmp_path / "own.toml"]
    do("%camonitor --group vacuum --mark '> 1' vac: DEMO:GAUGE-01 'max(DEMO:GAUGE-{01..06})'")
    assert do("%panels --save --open vac") == ["vac"]
    do("%camonitor -d all")
    assert do("%panels") == []
    assert "vac: kept: DEMO:GAUGE-01, max(DEMO:GAUGE-{01..06})" in capsys.readouterr().out
    (watch,) = do("%panels --load vac")
    assert watch.names == ["DEMO:GAUGE-01", "max(DEMO:GAUGE-{01..06})"]
    assert [row.group for row in watch.panel] == ["vacuum"] * 2
    assert len(dock.items) == 1
    do("%camonitor -d all")
    assert [watch.name for watch in open_kept(session)] == ["vac"]
    wait_until(lambda: not session.watches["vac"].panel.count().lost, "connected")
    with pytest.raises(Refused, match="no panel ring is kept; kept are: vac"):
        do("%panels --load ring")


def test_a_file_of_panels_that_is_broken_stops_nothing(dock, tmp_path):
    session.stores = [tmp_path / "own.toml"]
    session.stores[0].write_text("[panels.x]\npvs = 3\n")
    assert open_kept(session) == []
    assert "panels were not loaded" in dock.shown[0]
    with pytest.raises(Refused, match="wrong kind"):
        do("%panels")
    session.stores[0].write_text("[panels.x]\nopen = true\npvs = ['f(A)']\n")
    assert open_kept(session) == []
    assert "panel x was not opened: f(A): no function f" in dock.shown[1]
    assert not len(session.watches)


def test_panels_are_hidden_and_shown(dock):
    watch = do("%camonitor ring: DEMO:CURRENT")
    wait_until(lambda: watch.panel["DEMO:CURRENT"].live, "connected")
    do("%panels --hide ring")
    assert dock.text() == ""
    do("%panels --show")
    assert "DEMO:CURRENT" in dock.text()
    with pytest.raises(Refused, match="no panel vac is open; open are: ring"):
        do("%panels --hide vac")


def test_curves_are_docked_or_printed_once(dock, capsys):
    watch = do("%caplot DEMO:TUNE:SPECTRUM DEMO:CURRENT")
    wait_until(lambda: not watch.panel.count().lost, "connected")
    assert "━ DEMO:TUNE:SPECTRUM [1000] dB" in dock.text(width=120)
    drawn = do("%caplot --once DEMO:TUNE:SPECTRUM")
    assert drawn[0].size == 1000
    text = capsys.readouterr().out
    assert "999" in text.splitlines()[-1]
    with pytest.raises(Refused, match=r"DEMO:NOWHERE: no value within 0\.2 s"):
        do("%caplot --once --for 200ms DEMO:NOWHERE")


def test_curves_begin_where_somebody_recorded(dock, capsys):
    ring = do("%camonitor ring: DEMO:CURRENT")
    row = ring.panel["DEMO:CURRENT"]
    wait_until(lambda: len(row.trend) >= 2, "recorded")
    began = next(iter(row.trend)).began
    capsys.readouterr()
    watch = do("%caplot --since 1h DEMO:CURRENT DEMO:BPM-01:X")
    said = capsys.readouterr().out
    assert "DEMO:CURRENT: nothing recorded before " in said
    assert "DEMO:BPM-01:X: nothing recorded until now" in said
    assert len(said.splitlines()) == 1
    wait_until(lambda: not watch.panel.count().lost, "connected")
    assert next(iter(watch.panel["DEMO:CURRENT"].trend)).began == began
    assert "now" in dock.text(width=120)
    do("%caplot --once --since 1s DEMO:CURRENT")
    assert "nothing recorded" not in capsys.readouterr().out
    do("%caplot DEMO:CURRENT")
    assert "2m ago" in dock.text(width=120)


def test_without_a_dock_a_panel_is_printed(dock, capsys):
    session.dock = None
    watch = do("%camonitor DEMO:CURRENT")
    assert "DEMO:CURRENT" in capsys.readouterr().out
    assert not watch.views
    with pytest.raises(Refused, match="needs a terminal"):
        do("%camonitor --screen DEMO:CURRENT")
