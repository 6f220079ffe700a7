# SPDX-License-Identifier: Apache-2.0
"""What the demo machine's records promise, seen through Channel Access."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest

from catools import (
    DBR_ENUM_STR,
    FORMAT_CTRL,
    FORMAT_TIME,
    ca_nothing,
    caget,
    cainfo,
    camonitor,
    caput,
    close_client,
)
from coshell.demo.machine import DemoMachine
from tests.support.waiting import wait_until

pytest.importorskip("epicscorelibs")

NONE, MINOR, MAJOR, INVALID = range(4)
TIMEOUT_S = 20.0


@pytest.fixture(scope="module")
def machine() -> Iterator[DemoMachine]:
    """Provide one machine for all tests of this module; each leaves it as it was."""
    one = DemoMachine()
    one.start()
    yield one
    one.stop()


@pytest.fixture(autouse=True)
def client(machine: DemoMachine, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make this test's client see the machine and nothing else."""
    close_client()
    for name, value in machine.env.items():
        monkeypatch.setenv(name, value)
    yield
    close_client()


def get(name: str, **options: Any) -> Any:
    """Read one record of the machine with its time and severity."""
    return caget(f"DEMO:{name}", timeout=TIMEOUT_S, **{"format": FORMAT_TIME, **options})


def put(name: str, value: object) -> None:
    """Write one record of the machine and wait for it."""
    caput(f"DEMO:{name}", value, wait=True, timeout=TIMEOUT_S)


def test_every_record_is_readable_and_has_been_processed(machine: DemoMachine):
    values = caget(machine.names(), format=FORMAT_TIME, timeout=TIMEOUT_S)
    assert len(values) > 50
    never = [value.name for value in values if value.timestamp < 1e9]
    assert not never, f"never processed: {never}"
    invalid = [value.name for value in values if value.severity == INVALID]
    assert not invalid


def test_every_number_has_a_unit_or_is_a_count():
    plain = {"DEMO:FILLS", "DEMO:TUNE:X", "DEMO:TUNE:Y"}
    machine_names = [f"DEMO:{name}" for name in ("CURRENT", "RF:FREQ", "GAUGE-01", "FLUX")]
    values = caget([*machine_names, *plain], format=FORMAT_CTRL, timeout=TIMEOUT_S)
    assert {value.name for value in values if not value.units} == plain


def test_beam_position_monitors_move():
    seen: list[Any] = []
    names = [f"DEMO:BPM-{number:02d}:{axis}" for number in range(1, 13) for axis in "XY"]
    monitors = camonitor(names, lambda value, index: seen.append((index, float(value))))
    wait_until(
        lambda: all(len({v for i, v in seen if i == n}) > 2 for n in range(len(names))),
        "every position changes",
    )
    for monitor in monitors:
        monitor.close()


def test_the_spectrum_is_a_waveform_that_lives():
    seen: list[Any] = []
    monitor = camonitor("DEMO:TUNE:SPECTRUM", seen.append)
    wait_until(lambda: len(seen) > 3, "the spectrum is updated")
    monitor.close()
    assert all(len(value) == 1000 for value in seen[1:])
    assert (seen[-1] != seen[-2]).any()
    peak = 0.5 * int(seen[-1].argmax()) / 1000
    assert peak == pytest.approx(float(get("TUNE:X")), abs=0.01)


def test_a_put_with_completion_returns_when_the_gap_has_arrived():
    start = float(get("ID:GAP:RBV"))
    put("ID:GAP", start + 1)
    assert float(get("ID:GAP:RBV")) == pytest.approx(start + 1, abs=1e-6)
    put("ID:GAP", start)


def test_a_put_without_completion_does_not_wait():
    start = float(get("ID:GAP:RBV"))
    caput("DEMO:ID:GAP", start + 3)
    wait_until(lambda: get("ID:GAP:MOVING", datatype=DBR_ENUM_STR) == "Moving", "it moves")
    assert float(get("ID:GAP:RBV")) < start + 3
    put("ID:SPEED", 5)
    caput("DEMO:ID:GAP", start)
    wait_until(lambda: float(get("ID:GAP:RBV")) == pytest.approx(start), "it is back")
    put("ID:SPEED", 2)


def test_the_frequency_has_drive_limits_and_moves_the_beam():
    start = get("RF:FREQ", format=FORMAT_CTRL)
    assert (start.lower_ctrl_limit, start.upper_ctrl_limit) == (499.604, 499.704)
    put("RF:FREQ", 600)
    assert float(get("RF:FREQ")) == 499.704
    wait_until(lambda: get("BPM-03:X").severity == MAJOR, "the orbit follows")
    assert get("BPM-01:X").severity == NONE, "no dispersion here"
    put("RF:FREQ", float(start))
    wait_until(lambda: get("BPM-03:X").severity == NONE, "the orbit is back")


def test_without_beam_positions_are_invalid_and_the_current_is_in_alarm():
    put("MODE", "Shutdown")
    wait_until(lambda: get("CURRENT").severity == MAJOR, "the beam is lost")
    wait_until(lambda: get("BPM-01:X").severity == INVALID, "nothing to measure")
    assert math.isnan(get("BPM-01:X"))
    put("MODE", "Injection")
    wait_until(lambda: get("BPM-01:X").severity == NONE, "the beam is back")
    put("MODE", "Top-up")


def test_the_shutter_takes_its_time_and_stops_the_light():
    put("SHUTTER", "Closed")
    wait_until(lambda: get("SHUTTER:STATUS", datatype=DBR_ENUM_STR) == "Closed", "closed")
    wait_until(lambda: float(get("FLUX")) == 0, "dark")
    put("SHUTTER", "Open")
    wait_until(lambda: get("SHUTTER:STATUS", datatype=DBR_ENUM_STR) == "Open", "open")


def test_read_only_means_the_server_refuses():
    information = cainfo("DEMO:ENERGY", timeout=TIMEOUT_S)
    assert information.read
    assert not information.write
    with pytest.raises(ca_nothing, match="DEMO:ENERGY"):
        put("ENERGY", 3.1)
    assert get("ENERGY") == 3


def test_a_lock_takes_rights_away_from_clients_that_are_connected():
    def writable() -> bool:
        return bool(cainfo("DEMO:MODE", timeout=TIMEOUT_S).write)

    assert writable()
    put("LOCK", "Locked")
    wait_until(lambda: not writable(), "the lock is noticed")
    put("LOCK", "Unlocked")
    wait_until(writable, "the lock is gone")


def test_the_message_is_longer_than_a_string():
    assert len(get("MESSAGE")) < 40
    assert len(get("MESSAGE.VAL$")) > 80


def test_nobody_elses_settings_reach_the_machine(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("EPICS_CAS_SERVER_PORT", "1")
    monkeypatch.setenv("EPICS_CAS_INTF_ADDR_LIST", "192.0.2.1")
    other = DemoMachine("OTHER:")
    other.start()
    try:
        for name, value in other.env.items():
            monkeypatch.setenv(name, value)
        close_client()
        assert caget("OTHER:MODE", datatype=DBR_ENUM_STR, timeout=TIMEOUT_S) == "Top-up"
    finally:
        other.stop()
