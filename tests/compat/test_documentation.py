# SPDX-License-Identifier: Apache-2.0
"""What the documentation of cothread promises, each promise as a program of its own.

A program begins as old programs do and checks itself; those that read PVs read them from an IOC.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.ioc import Ioc

ROOT = Path(__file__).resolve().parents[2]
FATE_S = 60

RECORDS = """
record(calc, "$(P)TICK") {field(SCAN, ".1 second") field(CALC, "VAL+1") field(PINI, "YES")}
record(ao, "$(P)SET") {field(VAL, "1.5") field(PINI, "YES")}
"""

START = """
import os, sys
from cothread import *
from cothread.catools import *

def take_turns(turns):
    while True:
        turns.append(len(turns))
        Yield()

def suspends(call, *args, **kargs):
    # Tells whether another cothread, which is always ready, has run inside of the call.
    turns = []
    other = Spawn(take_turns, turns)
    call(*args, **kargs)
    other.Cancel()
    return bool(turns)

def fails(exception, call, *args, **kargs):
    try:
        call(*args, **kargs)
    except exception as failure:
        return failure
    raise SystemExit(f"{call} should have raised {exception}")
"""

OF_THE_SCHEDULER = {
    "between suspension points no other runs": """
        ran = []
        for number in range(1000):
            Spawn(ran.append, number)
            Event().Signal(number)
        assert not ran
        Yield()
        assert ran == list(range(1000))
    """,
    "a delay of nothing and a passed time do not suspend": """
        import time
        assert not suspends(Sleep, 0)
        assert not suspends(SleepUntil, time.time() - 1)
        assert suspends(Sleep, 0.01)
    """,
    "sleeping lasts until the time has come": """
        import time
        until = time.time() + 0.05
        SleepUntil(until)
        assert time.time() >= until
        begun = time.monotonic()
        Sleep(0.05)
        assert time.monotonic() >= begun + 0.05
    """,
    "Yield comes back after all who were ready": """
        order = []
        def run(number):
            order.append(number)
            Yield()
            order.append(number)
        tasks = [Spawn(run, number) for number in range(5)]
        Yield()
        assert order == list(range(5))
        WaitForAll(tasks)
        assert order == 2 * list(range(5))
        assert suspends(Yield, 0.01)
    """,
    "Wait suspends when there is something to wait for": """
        event, queue, task = Event(), EventQueue(), Spawn(lambda: 3)
        event.Signal(1)
        queue.Signal(2)
        assert suspends(task.Wait) and task.Wait() == 3
        assert not suspends(task.Wait)
        assert not suspends(event.Wait)
        assert not suspends(queue.Wait)
        for empty in (event, queue):
            assert not suspends(fails, Timedout, empty.Wait, 0)
            assert suspends(fails, Timedout, empty.Wait, 0.01)
    """,
    "Spawn passes arguments, does not suspend, and its Wait raises if asked to": """
        made = []
        def make(*args, **kargs):
            made.append((args, kargs))
            return 1 / args[0]
        assert not suspends(Spawn, make, 4, raise_on_wait=True, colour="red")
        assert Spawn(make, 2, raise_on_wait=True).Wait() == 0.5
        assert made == [((4,), {"colour": "red"}), ((2,), {})]
        fails(ZeroDivisionError, Spawn(make, 0, raise_on_wait=True).Wait)
        sys.stderr = open(os.devnull, "w")
        assert Spawn(make, 0).Wait(5) is None
    """,
    "a timer's callback is a cothread of its own": """
        order = []
        quick_called, done = Event(), Event()
        def slow():
            order.append("slow")
            quick_called.Wait(20)
            order.append("slow ended")
            done.Signal()
        def quick():
            order.append("quick")
            quick_called.Signal()
        Timer(0.01, slow)
        Timer(0.02, quick)
        done.Wait(20)
        assert order == ["slow", "quick", "slow ended"]
    """,
    "a timer goes off again when its callback has ended": """
        running, most, calls, enough = [], [], [], Event()
        def callback():
            running.append(1)
            most.append(len(running))
            Sleep(0.03)
            running.pop()
            calls.append(1)
            if len(calls) == 3:
                enough.Signal()
        timer = Timer(0.01, callback, retrigger=True)
        enough.Wait(20)
        timer.cancel()
        assert most == [1, 1, 1]
        once = []
        Timer(0.01, lambda: once.append(1))
        Timer(0.01, lambda: once.append("never")).cancel()
        Sleep(0.1)
        assert once == [1] and len(calls) == 3
    """,
    "an event holds one value for one": """
        event, got = Event(), []
        assert not event
        tasks = [Spawn(lambda: got.append(event.Wait(0.3)), raise_on_wait=True) for _ in range(2)]
        Yield()
        assert not suspends(event.Signal, "first")
        assert event
        fails(Timedout, WaitForAll, tasks)
        assert got == ["first"] and not event
        event.Signal("old")
        event.Signal("new")
        assert event.Wait() == "new" and not event
    """,
    "an event without auto_reset is for all, until Reset": """
        event, got = Event(auto_reset=False), []
        tasks = [Spawn(lambda: got.append(event.Wait(20))) for _ in range(3)]
        Yield()
        event.Signal(5)
        WaitForAll(tasks, 20)
        assert got == [5] * 3 and event and event.Wait() == 5
        event.Reset()
        assert not event
        event.SignalException(KeyError("no"))
        for _ in range(2):
            fails(KeyError, event.Wait)
        event.Reset()
        fails(Timedout, event.Wait, 0.01)
    """,
    "a queue is consumed as it is filled": """
        def consume(queue):
            for value in queue:
                print("got", value)
        queue = EventQueue()
        assert len(queue) == 0
        consumer = Spawn(consume, queue)
        for number in range(10):
            assert not suspends(queue.Signal, number)
            assert len(queue) == 1
            Sleep(0.01)
            assert len(queue) == 0
        queue.close()
        consumer.Wait(20)
        fails(StopIteration, queue.Wait)
    """,
    "threads and cothreads talk in both directions": """
        import select, threading
        there, back = ThreadedEventQueue(), ThreadedEventQueue()
        def thread():
            for _ in range(100):
                select.select([there.wait_descriptor], [], [], 20)
                back.Signal(there.Wait() * 2)
        other = threading.Thread(target=thread)
        other.start()
        for number in range(100):
            there.Signal(number)
            assert back.Wait(20) == number * 2
        other.join()
        Timer(0.02, lambda: back.Signal("late"))
        assert suspends(back.Wait, 20)
    """,
    "WaitForAll waits for tasks and events": """
        event = Event()
        Timer(0.01, lambda: event.Signal("rung"))
        assert WaitForAll([Spawn(lambda: 1), event], 20) == [1, "rung"]
        fails(Timedout, WaitForAll, [Event(), Event()], 0.01)
    """,
    "Quit ends WaitForQuit": """
        Timer(0.01, Quit)
        WaitForQuit()
    """,
    "Ctrl-C ends WaitForQuit without a word": """
        import signal
        Timer(0.01, lambda: os.kill(os.getpid(), signal.SIGINT))
        WaitForQuit()
    """,
    "Ctrl-C comes through if so wanted": """
        import signal
        Timer(0.01, lambda: os.kill(os.getpid(), signal.SIGINT))
        fails(KeyboardInterrupt, WaitForQuit, catch_interrupt=False)
    """,
    "select, poll and poll_list suspend even when something is ready": """
        from cothread.coselect import POLLIN, POLLOUT, POLLHUP, poll, poll_list, select
        reading, writing = os.pipe()
        os.write(writing, b"x")
        asked = poll()
        asked.register(reading, POLLIN)
        assert suspends(select, [reading], [], [])
        assert suspends(asked.poll, 1000)
        assert suspends(poll_list, [(reading, POLLIN)])
        assert select([reading], [writing], []) == ([reading], [writing], [])
        assert asked.poll(1000) == [(reading, POLLIN)]
        both = {reading: POLLIN, writing: POLLOUT}
        assert dict(poll_list(both.items())) == both
        os.read(reading, 1)
        assert select([reading], [], [], 0.01) == ([], [], [])
        assert asked.poll(10) == []
        assert dict(poll_list([(reading, POLLIN)], 0.01)) == {}
        os.close(writing)
        # Asked for nothing: what is wrong with a descriptor is told all the same.
        assert dict(poll_list([(reading, 0)])) == {reading: POLLHUP}
    """,
    "waiting for a descriptor lets others run until it is ready": """
        from cothread.coselect import POLLIN, poll_list, select
        reading, writing = os.pipe()
        found = []
        Timer(0.02, lambda: os.write(writing, b"x"))
        assert suspends(lambda: found.extend(select([reading], [], [], 20)[0]))
        assert found == [reading]
        os.read(reading, 1)
        Timer(0.02, lambda: os.write(writing, b"x"))
        assert dict(poll_list([(reading, POLLIN)], 20)) == {reading: POLLIN}
    """,
}

OF_CHANNEL_ACCESS = {
    "caget suspends, unless its time is over": """
        connect([TICK, SET])
        assert suspends(caget, SET)
        assert suspends(caget, [TICK, SET])
        for over in (0, -1, (1.0,)):
            assert not suspends(caget, SET, timeout=over, throw=False)
    """,
    "caput may suspend": """
        caput(SET, 2.5)
        assert caget(SET) == 2.5
        assert suspends(caput, SET, 3.5, wait=True)
    """,
    "camonitor never suspends, whether it is connected or not": """
        assert not suspends(camonitor, SET, print)
        connect(SET)
        assert not suspends(camonitor, SET, print)
        assert not suspends(camonitor, [SET, TICK], print)
        assert not suspends(camonitor, TICK + ":NOWHERE", print)
    """,
    "all callbacks are called on one cothread, one after the other": """
        running, seen, enough = [], [], Event()
        def callback(value, index):
            assert not running, "another callback is still running"
            running.append(index)
            Sleep(0.01)
            running.pop()
            seen.append(index)
            if len(seen) > 6:
                enough.Signal()
        monitors = camonitor([TICK, SET, TICK], callback)
        enough.Wait(20)
        assert {0, 1, 2} == set(seen)
        for monitor in monitors:
            monitor.close()
    """,
    "updates come while the program does something else": """
        seen = EventQueue()
        camonitor(TICK, lambda value: seen.Signal((value, value.name)))
        first = seen.Wait(20)
        assert seen.Wait(20)[0] > first[0] and first[1] == TICK
        Sleep(0.01)
        Timer(0.01, Quit)
        WaitForQuit()
    """,
}

# How every program was to be written.
WHOLE = """
from pkg_resources import require
require('cothread==1.6')
require('cothread')

import sys, cothread
from cothread.catools import *

application = cothread.iqt() if sys.argv[2] == "qt" else None

def updated(value):
    print("update of", value.name)
    {ending}

monitor = camonitor(sys.argv[1], updated)
cothread.WaitForQuit()
print("over")
"""
ENDINGS = {
    "Quit": "cothread.Quit()",
    "Ctrl-C": "import os, signal; os.kill(os.getpid(), signal.SIGINT)",
    "last window": """
    from qtpy import QtCore, QtWidgets
    application.window = QtWidgets.QLabel("a window")
    application.window.show()
    QtCore.QTimer.singleShot(10, application.window.close)
    monitor.close()
""",
}

MODAL = """
import cothread
from qtpy import QtCore, QtWidgets

cothread.iqt(0.05, {use_timer})
ticks = []
cothread.Timer(0.01, lambda: ticks.append(1), retrigger=True)
dialog = QtWidgets.QDialog()

def close():
    assert dialog.isVisible(), "it has closed by itself"
    dialog.accept()

cothread.Timer(0.2, close)
execute = getattr(dialog, "exec", None) or dialog.exec_
assert execute() == QtWidgets.QDialog.Accepted
assert ticks, "no cothread ran beside the dialog"
"""


@pytest.fixture(scope="module")
def ioc() -> Iterator[Ioc]:
    """Return an IOC for all programs of this module."""
    pytest.importorskip("epicscorelibs")
    with Ioc(RECORDS) as ioc:
        yield ioc


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., str]:
    """Return a function that runs a program to its end, which has to be a good one."""

    def run(text: str, *arguments: str, by: tuple[str, ...] = (), **changes: str) -> str:
        program = tmp_path / "program.py"
        program.write_text(text)
        ended = subprocess.run(
            [sys.executable, *by, str(program), *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path), **changes},
            capture_output=True,
            text=True,
            timeout=FATE_S,
            check=False,
        )
        assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout + ended.stderr
        return ended.stdout

    return run


@pytest.mark.parametrize("promise", OF_THE_SCHEDULER)
def test_the_scheduler(run: Callable[..., str], promise: str) -> None:
    output = run(START + textwrap.dedent(OF_THE_SCHEDULER[promise]))
    if "consumed" in promise:
        assert output == "".join(f"got {number}\n" for number in range(10))


@pytest.mark.parametrize("promise", OF_CHANNEL_ACCESS)
def test_channel_access(run: Callable[..., str], ioc: Ioc, promise: str) -> None:
    names = f"TICK, SET = {ioc.name('TICK')!r}, {ioc.name('SET')!r}\n"
    run(START + names + textwrap.dedent(OF_CHANNEL_ACCESS[promise]), **ioc.env)


@pytest.mark.parametrize(
    ("qt", "ending"), [*(("qt", ending) for ending in ENDINGS), ("no", "Quit"), ("no", "Ctrl-C")]
)
def test_a_whole_program(run: Callable[..., str], ioc: Ioc, qt: str, ending: str) -> None:
    """Scripts that ask for a version are run by `coshell`, which knows that it has cothread."""
    if qt == "qt":
        pytest.importorskip("qtpy.QtWidgets", reason="Qt is not installed")
    text = WHOLE.format(ending=ENDINGS[ending])
    environment = {**ioc.env, "QT_QPA_PLATFORM": "offscreen"}
    output = run(text, ioc.name("TICK"), qt, by=("-m", "coshell"), **environment)
    assert output.splitlines()[0] == f"update of {ioc.name('TICK')}"
    assert output.splitlines()[-1] == "over"


@pytest.mark.parametrize("use_timer", [False, True])
def test_a_modal_dialog(run: Callable[..., str], use_timer: bool) -> None:
    pytest.importorskip("qtpy.QtWidgets", reason="Qt is not installed")
    run(MODAL.format(use_timer=use_timer), QT_QPA_PLATFORM="offscreen")


def test_ctrl_c_typed_at_a_program_that_waits(ioc: Ioc, tmp_path: Path) -> None:
    """The signal comes from outside, as from a terminal, while the program waits for updates."""
    text = START + "camonitor(sys.argv[1], lambda _: print('update', flush=True))\nWaitForQuit()\n"
    with subprocess.Popen(
        [sys.executable, "-c", text + "print('over')", ioc.name("TICK")],
        env={**os.environ, "PYTHONPATH": str(ROOT), **ioc.env},
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "update\n"
        program.send_signal(signal.SIGINT)
        assert program.stdout.read().splitlines()[-1] == "over"
        assert program.wait(FATE_S) == 0
