# SPDX-License-Identifier: Apache-2.0
"""Names of cothread itself, documented or not, from where programs take them."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

import cothread
from cothread.scheduler import scheduler

ROOT = Path(__file__).resolve().parents[2]

DOCUMENTED = (
    *("Spawn", "Sleep", "SleepUntil", "Yield", "Event", "RLock", "Pulse", "EventQueue"),
    *("ThreadedEventQueue", "WaitForAll", "AbsTimeout", "GetDeadline", "Deadline", "Timedout"),
    *("Quit", "WaitForQuit", "Timer", "Callback", "CallbackResult", "scheduler_thread_id", "iqt"),
)
BESIDE = (
    *("select", "poll", "poll_list", "poll_block", "SelectError", "select_hook"),
    *("POLLIN", "POLLPRI", "POLLOUT", "POLLERR", "POLLHUP", "POLLNVAL", "POLLEXTRA"),
    *("POLLRDNORM", "POLLRDBAND", "POLLWRNORM", "POLLWRBAND"),
    *("socket", "socketpair", "create_connection", "socket_hook"),
)


@pytest.mark.parametrize("name", DOCUMENTED)
def test_documented_names(name):
    assert name in cothread.__all__
    core = cothread.cothread
    if name != "iqt":
        assert getattr(core, name) is getattr(cothread, name)
        assert name in core.__all__


@pytest.mark.parametrize("name", BESIDE)
def test_names_beside_them(name):
    assert getattr(cothread, name) is not None


def test_a_star_import_gives_the_documented_names():
    names: dict[str, object] = {}
    exec("from cothread import *", names)
    assert set(DOCUMENTED) <= set(names)


def test_the_version_is_one_that_others_accept():
    major, minor = (int(part) for part in cothread.__version__.split(".")[:2])
    assert (major, minor) >= (2, 16)


def test_submodules_are_there_without_importing_them():
    script = (
        "import cothread; cothread.cothread._Callback; cothread.coselect.poll_list; "
        "cothread.cosocket.socket; cothread.input_hook; print('ok')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "ok\n", done.stderr


def test_signatures():
    spawn = inspect.signature(cothread.Spawn).parameters
    assert spawn["raise_on_wait"].default is False
    assert spawn["stack_size"].default == 0
    timer = inspect.signature(cothread.Timer).parameters
    assert list(timer)[:5] == ["timeout", "callback", "retrigger", "reuse", "stack_size"]
    assert inspect.signature(cothread.Event).parameters["auto_reset"].default is True
    assert inspect.signature(cothread.EventQueue).parameters["max_length"].default is None
    assert inspect.signature(cothread.WaitForQuit).parameters["catch_interrupt"].default is True
    assert inspect.signature(cothread.Yield).parameters["timeout"].default == 0
    assert list(inspect.signature(cothread.select).parameters) == [
        "iwtd",
        "owtd",
        "ewtd",
        "timeout",
    ]


def test_an_own_callback_queue():
    queue = cothread.cothread._Callback()
    done = cothread.Event()
    queue(done.Signal, "made")
    assert done.Wait(5) == "made"
    assert queue is not cothread.Callback
    cothread.Yield()


def test_rounds_for_a_foreign_poll_loop():
    ran = []
    cothread.Spawn(ran.append, 1)
    timer = cothread.Timer(30, print)
    poll_list, delay = cothread.cothread._scheduler.poll_scheduler([])
    assert ran == [1]
    assert 0 < delay <= 30
    assert poll_list == [(scheduler.poller.fileno(), cothread.POLLIN)]
    timer.cancel()
    event = cothread.Event()
    cothread.Callback(event.Signal)
    assert cothread.poll_block(poll_list, 5)
    for _ in range(5):
        poll_list, delay = cothread.cothread._scheduler.poll_scheduler([])
    assert event
    assert delay is None


def test_qt_has_not_been_asked_for():
    script = (
        "import cothread.input_hook as hook; "
        "print(hasattr(hook, '_timer'), hook._qapp, callable(hook.iqt))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "False None True\n", done.stderr


def test_qt_has_been_asked_for():
    pytest.importorskip("PyQt5")
    script = (
        "import cothread, cothread.input_hook as hook; app = cothread.iqt(); "
        "print(hasattr(hook, '_timer'), hook._qapp is app)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "True True\n", done.stderr
