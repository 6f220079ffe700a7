# SPDX-License-Identifier: Apache-2.0
"""Slots, cothreads and the main program beside each other."""

from __future__ import annotations

import os
import threading
import time

import pytest
from qtpy import QtCore, QtWidgets

import cothread
from cothread import Event, Sleep, Spawn, Timedout, WaitForAll, Yield
from cothread.loops.qt import on_qt, spawned
from cothread.scheduler import scheduler

DEADLINE_S = 20


class Counter:
    """Counts in a cothread for as long as a test lasts."""

    def __init__(self) -> None:
        self.count = 0
        self._task = Spawn(self._run)

    def _run(self) -> None:
        while True:
            Sleep(0.002)
            self.count += 1

    def close(self) -> None:
        self._task.Cancel()


@pytest.fixture
def counter():
    counting = Counter()
    yield counting
    counting.close()


@pytest.fixture
def reports():
    told: list[BaseException] = []
    previous = cothread.hooks.set_report(lambda _where, exc, _task: told.append(exc))
    yield told
    cothread.hooks.set_report(previous)


def until(condition) -> None:
    """Wait for a condition, giving way."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it never became true"
        Sleep(0.002)


def soon(function, delay_s: float = 0.0) -> None:
    """Have Qt call a function as a slot."""
    QtCore.QTimer.singleShot(int(1000 * delay_s), function)


def test_iqt_again_returns_the_same(app):
    assert cothread.iqt() is app
    assert cothread.iqt(0.1, use_timer=True, run_exec=True, argv=["other"]) is app


def test_qt_timers_run_while_cothreads_wait(counter):
    ticks = []
    timer = QtCore.QTimer()
    timer.timeout.connect(lambda: ticks.append(counter.count))
    timer.start(2)
    until(lambda: len(ticks) >= 20 and counter.count >= 20)
    timer.stop()


def test_qt_is_served_while_cothreads_are_busy():
    ticks = []
    timer = QtCore.QTimer()
    timer.timeout.connect(lambda: ticks.append(1))
    timer.start(1)
    until_ticks = [Spawn(spin, lambda: len(ticks) >= 20) for _ in range(5)]
    WaitForAll(until_ticks, DEADLINE_S)
    timer.stop()


def spin(condition) -> None:
    while not condition():
        Yield()


def test_cothreads_are_served_while_qt_is_busy(counter):
    timer = QtCore.QTimer()
    timer.start(0)
    until(lambda: counter.count >= 20)
    timer.stop()


def test_nothing_wakes_while_nothing_happens(app):
    Sleep(0.05)
    before = scheduler.turns
    Sleep(0.5)
    # To sleep, and to be woken, with a spare turn or two for whatever Qt had left to do.
    assert scheduler.turns - before <= 6


def test_a_slot_waits_and_all_others_go_on(counter):
    done = Event()

    def slot() -> None:
        start = counter.count
        until(lambda: counter.count >= start + 5)
        done.Signal("waited")

    soon(slot)
    assert done.Wait(DEADLINE_S) == "waited"


def test_a_slot_waits_for_a_cothread():
    done = Event()

    def work() -> int:
        Sleep(0.01)
        return 42

    soon(lambda: done.Signal(Spawn(work).Wait(DEADLINE_S)))
    assert done.Wait(DEADLINE_S) == 42


def test_a_slot_times_out():
    done = Event()

    def slot() -> None:
        try:
            Event().Wait(0.02)
        except Timedout as exc:
            done.Signal(exc)

    soon(slot)
    assert isinstance(done.Wait(DEADLINE_S), Timedout)


def test_a_slot_yields():
    done = Event()
    order = []

    def slot() -> None:
        Spawn(order.append, 1)
        Yield()
        order.append(2)
        Spawn(order.append, 3)
        Yield(1)
        done.Signal(order)

    soon(slot)
    assert done.Wait(DEADLINE_S) == [1, 2, 3]


def test_what_a_slot_spawns_runs_at_once():
    """Nothing else happens afterwards that would wake the scheduler."""
    done = Event()
    soon(lambda: Spawn(done.Signal, 1))
    assert done.Wait(DEADLINE_S) == 1


def test_what_a_slot_sets_a_timer_for_happens():
    done = Event()
    soon(lambda: cothread.Timer(0.01, lambda: done.Signal(1)))
    assert done.Wait(DEADLINE_S) == 1


def test_slots_that_wait_end_newest_first(counter):
    order = []
    both = [Event(), Event()]

    def first() -> None:
        soon(second)
        Sleep(0.02)
        order.append("first")
        both[0].Signal()

    def second() -> None:
        Sleep(0.1)
        order.append("second")
        both[1].Signal()

    soon(first)
    WaitForAll(both, DEADLINE_S)
    assert order == ["second", "first"]


def test_the_main_program_is_held_while_a_slot_waits(home):
    """It would push the slot's frames off the stack."""
    log = []
    started = Event()

    def slot() -> None:
        started.Signal()
        Sleep(0.1)
        log.append("slot")

    soon(slot)
    started.Wait(DEADLINE_S)
    log.append("main")
    assert log == ["slot", "main"]
    assert not home._holding


def test_frames_of_a_waiting_slot_stay_where_they_are(home):
    """The law itself: greenlet keeps none of the host's stack on the heap meanwhile."""
    seen = []
    done = Event()

    def deep(levels: int) -> None:
        if levels:
            list(map(deep, [levels - 1]))
        Yield()
        seen.append((home._holding, home._strand._stack_saved))

    def slot() -> None:
        WaitForAll([Spawn(deep, levels) for levels in (0, 10, 50)], DEADLINE_S)
        done.Signal()

    # These begin before the slot does, those of the slot later.
    others = [Spawn(watch, home, done, seen) for _ in range(3)]
    Sleep(0.01)
    soon(slot)
    WaitForAll(others, DEADLINE_S)
    held = [saved for holding, saved in seen if holding]
    assert len(held) > 20
    assert set(held) == {0}


def watch(home, done, seen) -> None:
    while not done:
        seen.append((home._holding, home._strand._stack_saved))
        Yield()


def test_an_exception_in_a_slot_is_reported(reports, counter):
    def slot() -> None:
        raise ZeroDivisionError("in a slot")

    soon(slot)
    until(lambda: reports)
    assert isinstance(reports[0], ZeroDivisionError)
    before = counter.count
    until(lambda: counter.count > before)


def test_an_exception_in_a_slot_called_by_a_cothread_is_reported(reports):
    button = QtWidgets.QPushButton()
    button.clicked.connect(lambda: 1 / 0)
    Spawn(button.click).Wait(DEADLINE_S)
    assert isinstance(reports[0], ZeroDivisionError)


@pytest.fixture
def stalls():
    told: list[cothread.hooks.Stall] = []
    previous = cothread.hooks.set_stall_hook(told.append)
    yield told
    cothread.hooks.set_stall_hook(previous)


def test_sleep_is_charged_to_nobody(home):
    Sleep(0.05)
    charged, start = home._strand.cpu_s, time.monotonic()
    soon(lambda: None, 0.1)
    Sleep(0.4)
    # What is charged falls into the rest of the time.
    elapsed = time.monotonic() - start
    assert home._strand.cpu_s - charged <= elapsed - 0.3


def test_a_slot_that_holds_everything_is_charged(stalls):
    done = Event()

    def slot() -> None:
        start = time.monotonic()
        time.sleep(0.3)
        Sleep(0.2)
        time.sleep(0.15)
        done.Signal(time.monotonic() - start)

    soon(slot, 0.05)
    elapsed = done.Wait(DEADLINE_S)
    until(lambda: any(stall.where == "the end of a slot" for stall in stalls))
    # A busy machine may hold it up elsewhere, too.
    (second,) = (stall for stall in stalls if stall.where == "the end of a slot")
    first = max(stalls[: stalls.index(second)], key=lambda stall: stall.held_s)
    assert first.held_s >= 0.3
    assert second.held_s >= 0.15
    assert first.held_s + second.held_s < elapsed
    assert first.where.startswith(f"{__file__}:")
    assert first.where.endswith(" in slot")
    assert first.name == second.name == "Qt"


def test_other_threads_see_whether_qt_is_at_work():
    """They look at `idle`, to wake the scheduler or to find out who holds it."""
    seen = []
    worked = Event()

    def slot() -> None:
        seen.append(scheduler.idle)
        worked.Signal()

    soon(slot, 0.02)

    def look() -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not scheduler.idle and time.monotonic() < deadline:
            time.sleep(0.01)
        seen.append(scheduler.idle)

    looking = threading.Thread(target=look)
    worked.Wait(DEADLINE_S)
    looking.start()
    until(lambda: len(seen) == 2)
    looking.join()
    assert seen == [False, True]


def test_spawned_slots_overlap():
    order = []
    both = [Event(), Event()]

    @spawned
    def slot(number: int) -> None:
        Sleep(0.1 if number == 0 else 0.01)
        order.append(number)
        both[number].Signal()

    class Sender(QtCore.QObject):
        sent = QtCore.Signal(int)

    sender = Sender()
    sender.sent.connect(slot)
    sender.sent.emit(0)
    sender.sent.emit(1)
    WaitForAll(both, DEADLINE_S)
    assert order == [1, 0]


def test_spawned_takes_as_many_arguments_as_the_function():
    seen = Event()
    button = QtWidgets.QPushButton()
    button.clicked.connect(spawned(lambda: seen.Signal("none")))
    button.click()
    assert seen.Wait(DEADLINE_S) == "none"
    button.clicked.disconnect()
    button.clicked.connect(spawned(lambda *args: seen.Signal(args)))
    button.click()
    assert seen.Wait(DEADLINE_S) == (False,)


def test_on_qt_calls_where_slots_are_called(home):
    assert on_qt(lambda: home.here)
    assert not home.here
    assert Spawn(on_qt, lambda a, b=0: a + b, 1, b=2).Wait(DEADLINE_S) == 3
    with pytest.raises(ZeroDivisionError):
        on_qt(lambda: 1 / 0)


def test_on_qt_may_wait(counter):
    before = counter.count
    on_qt(Sleep, 0.05)
    assert counter.count > before


def test_process_events_from_anywhere():
    seen = []
    soon(lambda: seen.append(1))
    deadline = time.monotonic() + DEADLINE_S
    while not seen and time.monotonic() < deadline:
        QtWidgets.QApplication.processEvents()
    assert seen
    soon(lambda: seen.append(2))

    def cothread_of_mine() -> None:
        while len(seen) < 2:
            QtWidgets.QApplication.processEvents()

    Spawn(cothread_of_mine).Wait(DEADLINE_S)


def test_calls_from_threads_are_served():
    results = []

    def thread() -> None:
        results.extend(cothread.CallbackResult(lambda n=n: n) for n in range(50))

    worker = threading.Thread(target=thread)
    worker.start()
    until(lambda: not worker.is_alive())
    assert results == list(range(50))


def test_widgets_deleted_later_go_away():
    gone = Event()
    widget = QtWidgets.QWidget()
    widget.destroyed.connect(lambda: gone.Signal())
    Spawn(widget.deleteLater).Wait(DEADLINE_S)
    gone.Wait(DEADLINE_S)


def test_the_old_import_path():
    from cothread import qt

    assert qt.QtCore is QtCore
    assert qt.QtWidgets is QtWidgets
    assert hasattr(QtWidgets.QApplication, qt.exec_name)
    assert qt.QT_LIB.lower() == os.environ["QT_API"]
    with pytest.raises(AttributeError):
        _ = qt.nothing
