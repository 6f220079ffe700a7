# SPDX-License-Identifier: Apache-2.0
"""caput against a real IOC."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

import catools
import cothread
from catools import CAException, ca_nothing, caget, camonitor, caput, connect, put_hooks
from catools.client.put_hooks import Attempt
from cothread.clock import monotonic
from tests.support.ioc import Ioc
from tests.support.waiting import wait_until


@pytest.fixture
def slow(ioc: Ioc) -> str:
    """A record that takes half a second to process, at rest."""
    wait_until(lambda: caget(ioc.name("SLOW:DELAY.PACT")) == 0, "the slow record is at rest")
    return ioc.name("SLOW")


def test_put_and_read_back(ioc: Ioc) -> None:
    for record, value in (("AO2", -1.25), ("LONG", 42), ("STRING", "text"), ("MBBO", 2)):
        result = caput(ioc.name(record), value)
        assert (result.ok, result.name) == (True, ioc.name(record))
        assert caget(ioc.name(record)) == value


def test_one_value_for_many_and_many_for_many(ioc: Ioc) -> None:
    names = [ioc.name("AO2"), ioc.name("LONG")]
    assert all(caput(names, 5))
    assert caget(names) == [5, 5]
    caput(names, (6, 7))
    assert caget(names) == [6, 7]
    caput([ioc.name("WF"), ioc.name("WFLONG")], [1, 2, 3], repeat_value=True, wait=True)
    assert [list(value) for value in caget([ioc.name("WF"), ioc.name("WFLONG")])] == [[1, 2, 3]] * 2
    caput((name for name in names), "8")
    assert caget(names) == [8, 8]


@pytest.mark.parametrize(
    "value",
    [np.float64(3), np.float32(3), np.int64(3), np.uint8(3), np.array(3), np.array(3.0)],
    ids=repr,
)
def test_number_of_numpy_is_one_value(ioc: Ioc, value: Any) -> None:
    names = [ioc.name("AO2"), ioc.name("LONG"), ioc.name("WF")]
    caput(names, 0, wait=True)
    assert all(caput(names, value, wait=True))
    one, two, three = caget(names)
    assert (one, two, list(three)) == (3, 3, [3])
    caput(ioc.name("AO2"), value + 1)
    assert caget(ioc.name("AO2")) == 4


def test_callback_that_is_none_is_refused_at_once(ioc: Ioc) -> None:
    caput(ioc.name("AO2"), 1, wait=True)
    with pytest.raises(TypeError, match="callback must be callable, not 5"):
        caput(ioc.name("AO2"), 2, callback=5)  # type: ignore[call-overload]
    assert caget(ioc.name("AO2")) == 1


def test_lists_of_different_length(ioc: Ioc) -> None:
    with pytest.raises(AssertionError, match="PV and value lists must match in length"):
        caput([ioc.name("AO2"), ioc.name("LONG")], [1, 2, 3])
    assert catools.default_client().statistics().channels == 0


@pytest.mark.parametrize("values", [{1, 2}, frozenset([1, 2]), {"a": 1, "b": 2}], ids=repr)
def test_values_without_the_order_of_the_pvs_are_refused(ioc: Ioc, values: Any) -> None:
    with pytest.raises(TypeError, match="values must come in the order of the PVs"):
        caput([ioc.name("AO2"), ioc.name("LONG")], values)
    assert catools.default_client().statistics().channels == 0


def test_enumerations_by_text(ioc: Ioc) -> None:
    caput(ioc.name("MBBO"), "Stored")
    assert caget(ioc.name("MBBO")) == 2
    caput(ioc.name("MBBO"), "ramp")
    assert caget(ioc.name("MBBO")) == 1
    with pytest.raises(ca_nothing):
        caput(ioc.name("MBBO"), "no such state", wait=True)
    assert caget(ioc.name("MBBO")) == 1


def test_wait_returns_after_processing(slow: str) -> None:
    started = monotonic()
    caput(slow, 2, wait=True)
    assert monotonic() - started >= 0.5


def test_callback(ioc: Ioc, slow: str) -> None:
    results: list[ca_nothing] = []
    caput(slow, 3, callback=results.append)
    assert results == []
    wait_until(lambda: results, "the callback")
    assert (results[0].ok, results[0].name) == (True, ioc.name("SLOW"))
    caput(ioc.name("DISP"), 3, callback=results.append, throw=False)
    wait_until(lambda: len(results) == 2, "the callback for a refused put")
    assert results[1].errorcode == 160


def test_timeout_of_a_sent_put_says_so(slow: str) -> None:
    with pytest.raises(ca_nothing, match="User specified timeout") as raised:
        caput(slow, 4, wait=True, timeout=0.1)
    assert "the put was sent" in str(raised.value)
    assert caget(slow) == 4


def test_second_put_with_wait_queues_here_and_not_in_the_server(ioc: Ioc, slow: str) -> None:
    connect([slow, ioc.name("AO2")])
    first = cothread.Spawn(caput, slow, 5, wait=True, raise_on_wait=True)
    second = cothread.Spawn(caput, slow, 6, wait=True, raise_on_wait=True)
    cothread.Yield()
    assert caget(ioc.name("AO2"), timeout=5) is not None
    assert not first, "the second put has blocked the circuit until the first one was done"
    cothread.WaitForAll([first, second])
    assert caget(slow) == 6


def test_queued_put_that_times_out_is_never_sent(slow: str) -> None:
    first = cothread.Spawn(caput, slow, 7, wait=True, raise_on_wait=True)
    wait_until(lambda: caget(slow) == 7, "the first put has begun")
    with pytest.raises(ca_nothing, match="was not sent"):
        caput(slow, 8, wait=True, timeout=0.05)
    first.Wait()
    cothread.Sleep(0.1)
    assert caget(slow) == 7


def test_puts_keep_their_order(ioc: Ioc) -> None:
    seen: list[float] = []
    monitor = camonitor(ioc.name("AO2"), seen.append, all_updates=True)
    caput(ioc.name("AO2"), -100)
    wait_until(lambda: seen and seen[-1] == -100, "the first value")
    for value in range(200):
        caput(ioc.name("AO2"), value)
    wait_until(lambda: seen[-1] == 199, "the last value")
    monitor.close()
    assert seen[seen.index(-100) :] == [-100, *range(200)]


def test_puts_to_connected_pvs_do_not_suspend(ioc: Ioc) -> None:
    connect(ioc.name("AO2"))
    ran: list[int] = []
    task = cothread.Spawn(ran.append, 1)
    for value in range(10):
        caput(ioc.name("AO2"), value)
    assert ran == []
    task.Wait()


def test_refusals_by_the_server(ioc: Ioc) -> None:
    with pytest.raises(ca_nothing) as raised:
        caput(ioc.name("DISP"), 1, wait=True)
    assert raised.value.errorcode == 160
    assert str(raised.value).startswith(f"{ioc.name('DISP')}: Channel write request failed")


def test_no_write_access(ioc: Ioc) -> None:
    for wait in (False, True):
        with pytest.raises(CAException) as raised:
            caput(ioc.name("NOWRITE"), 1, wait=wait)
        assert (raised.value.errorcode, raised.value.name) == (376, ioc.name("NOWRITE"))
        assert "Write access denied" in str(raised.value)
    assert caget(ioc.name("NOWRITE")) == 4


def test_refused_put_without_wait_is_reported_on_one_line(
    ioc: Ioc, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="catools"):
        assert caput(ioc.name("DISP"), 9).ok
        wait_until(lambda: caplog.records, "the report")
    (record,) = caplog.records
    text = record.getMessage()
    assert text.startswith(f"{ioc.name('DISP')}: Channel write request failed")
    assert "\n" not in text


def test_one_missing_pv_does_not_hold_up_the_others(ioc: Ioc) -> None:
    names = [ioc.name("NO:SUCH"), ioc.name("AO2"), ioc.name("LONG")]
    connect(names[1:])
    results = caput(names, [1, 21, 22], timeout=0.3, throw=False)
    assert [result.ok for result in results] == [False, True, True]
    assert caget(names[1:]) == [21, 22]
    with pytest.raises(ca_nothing, match="no answer") as raised:
        caput(names, 1, timeout=0.2)
    assert raised.value.failing == (names[0],)


def test_strict(ioc: Ioc) -> None:
    caput(ioc.name("LONG"), 3)
    for value in (None, 3.5, float("nan"), "abc"):
        with pytest.raises(ca_nothing):
            caput(ioc.name("LONG"), value, strict=True)
    assert caget(ioc.name("LONG")) == 3


def test_read_only_client(ioc: Ioc) -> None:
    caput(ioc.name("AO2"), 1)
    sent = catools.default_client().statistics().bytes_out
    catools.default_client().settings.read_only = True
    for wait in (False, True):
        with pytest.raises(CAException, match="read-only") as raised:
            caput(ioc.name("AO2"), 2, wait=wait)
        assert raised.value.errorcode == 376
    assert catools.default_client().statistics().bytes_out == sent
    assert caget(ioc.name("AO2")) == 1


class Guard:
    """Records attempts and refuses some values."""

    def __init__(self) -> None:
        self.checked: list[list[str]] = []
        self.ended: list[tuple[str, object, bool, bool]] = []

    def before(self, attempts: Sequence[Attempt]) -> None:
        self.checked.append([attempt.name for attempt in attempts])
        for attempt in attempts:
            if attempt.value == 13:
                raise CAException(attempt.name, 160, "13 is bad luck")

    def after(self, attempt: Attempt) -> None:
        self.ended.append((attempt.name, attempt.value, attempt.sent, attempt.error is None))


@pytest.fixture
def guard() -> Iterator[Guard]:
    guard = Guard()
    put_hooks.add(before=guard.before, after=guard.after)
    yield guard
    put_hooks.remove(before=guard.before, after=guard.after)


def test_hooks_see_every_put_once(ioc: Ioc, guard: Guard) -> None:
    names = [ioc.name("AO2"), ioc.name("NO:SUCH")]
    connect(names[0])
    caput(names, [3, 4], timeout=0.2, throw=False)
    assert guard.checked == [names]
    assert sorted(guard.ended) == sorted([(names[0], 3, True, True), (names[1], 4, False, False)])


def test_refusing_hook_keeps_everything_off_the_wire(ioc: Ioc, guard: Guard) -> None:
    names = [ioc.name("AO2"), ioc.name("LONG")]
    caput(names, [1, 2])
    guard.ended.clear()
    sent = catools.default_client().statistics().bytes_out
    with pytest.raises(CAException, match="bad luck"):
        caput(names, [3, 13])
    assert catools.default_client().statistics().bytes_out == sent
    assert not any(caput(names, 13, throw=False))
    assert caget(names) == [1, 2]
    assert guard.ended == []


def test_hook_learns_of_a_late_refusal(ioc: Ioc, guard: Guard) -> None:
    caput(ioc.name("DISP"), 5)
    wait_until(lambda: len(guard.ended) == 2, "the refusal")
    assert [ok for *_, ok in guard.ended] == [True, False]


def test_process_that_ends_at_once_sends_its_puts(ioc: Ioc) -> None:
    import subprocess
    import sys

    program = (
        "from catools import caput, connect\n"
        "import sys\n"
        "connect(sys.argv[1])\n"
        "for value in range(1000): caput(sys.argv[1], value)\n"
    )
    subprocess.run([sys.executable, "-c", program, ioc.name("AO2")], check=True, timeout=60)
    wait_until(lambda: caget(ioc.name("AO2")) == 999, "the last put has arrived")
