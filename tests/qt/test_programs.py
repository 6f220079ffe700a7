# SPDX-License-Identifier: Apache-2.0
"""Whole programs with Qt: how they start, are interrupted, and end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.qt import FATE_S, environment, run_program

HERE = Path(__file__).parent

START = """
import os, signal, sys, threading
import cothread
from cothread import *
from qtpy import QtCore, QtWidgets
"""


def stress(*args: str) -> subprocess.CompletedProcess[str]:
    """Run the stress program."""
    return subprocess.run(
        [sys.executable, "-X", "faulthandler", str(HERE / "stress.py"), *args],
        capture_output=True,
        text=True,
        timeout=FATE_S,
        check=False,
        env=environment(),
    )


def test_two_hundred_dialogs_under_load():
    run = stress("208", "10000")
    assert run.returncode == 0, run.stderr[-3000:]
    counts = json.loads(run.stdout)
    assert counts["opened"] == counts["closed"] >= 200
    assert counts["sent"] == counts["received"] > 1000
    assert counts["out_of_order"] == 0
    assert counts["slots"] > 20
    assert counts["moved"] == 0, "the host's frames were pushed off the stack"
    assert counts["loops"] == 1
    assert counts["memory"][-1] - counts["memory"][0] < 8192


def test_the_law_is_needed():
    """Without it the same program does not survive; if it does one day, the law may go."""
    for _ in range(5):
        run = stress("208", "1000", "careless")
        if run.returncode < 0:
            assert -run.returncode in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS)
            return
    pytest.fail("Qt's loops may be switched out after all")


def finishes(text: str, *args: str, **changes: str | None) -> str:
    """Run a program that must end well, and return what it printed."""
    run = run_program(START + text, *args, **changes)
    assert run.returncode == 0, (run.returncode, run.stdout[-2000:], run.stderr[-3000:])
    assert "Fatal" not in run.stderr
    assert "Traceback" not in run.stderr, run.stderr
    return run.stdout


def test_the_last_window_closed_is_quit():
    text = """
app = iqt()
window = QtWidgets.QWidget(); window.show()
QtCore.QTimer.singleShot(50, window.close)
WaitForQuit()
print("ended")
"""
    assert finishes(text) == "ended\n"


def test_quitting_can_be_told_not_to():
    text = """
from cothread.loops.qt import quit_at_last_window
quit_at_last_window(False)
app = iqt()
quits = []
app.aboutToQuit.connect(lambda: quits.append(1))
window = QtWidgets.QWidget(); window.show()
QtCore.QTimer.singleShot(20, window.close)
while not quits:
    Sleep(0.01)
try:
    Spawn(WaitForQuit).Wait(0.1)
except Timedout:
    print("goes on")
shown = []
QtCore.QTimer.singleShot(0, lambda: shown.append(1))
while not shown:
    Sleep(0.01)
os._exit(0) if not print("and so does Qt", flush=True) else None
"""
    assert finishes(text) == "goes on\nand so does Qt\n"


def test_an_application_that_exists_is_used():
    text = """
mine = QtWidgets.QApplication(["mine"])
assert iqt() is mine
fired = Event()
QtCore.QTimer.singleShot(10, lambda: fired.Signal())
fired.Wait(10)
"""
    finishes(text)


def test_an_application_without_windows_is_refused():
    text = """
mine = QtCore.QCoreApplication([])
try:
    iqt()
except CothreadError as refusal:
    print(refusal)
"""
    assert "QApplication" in finishes(text)


@pytest.mark.parametrize("run_exec", [True, False])
def test_a_program_may_end_with_exec(run_exec):
    text = f"""
app = iqt(run_exec={run_exec})
def work():
    Sleep(0.05)
    app.exit(3)
Spawn(work)
print(app.exec_())
"""
    assert finishes(text) == "3\n"


def test_iqt_inside_a_loop_that_runs_already():
    text = """
app = QtWidgets.QApplication([])
def start():
    iqt(run_exec=False)
    Spawn(work)
def work():
    Sleep(0.05)
    dialog = QtWidgets.QDialog()
    Spawn(lambda: (Sleep(0.05), dialog.done(5)))
    print(dialog.exec_())
    app.exit(0)
QtCore.QTimer.singleShot(0, start)
app.exec_()
print("ended")
"""
    assert finishes(text) == "5\nended\n"


@pytest.mark.parametrize(
    "way",
    [
        "raise SystemExit(0)",
        "window.close()",
        "Quit(); WaitForQuit()",
        "del app, window",
        "Spawn(lambda: QtWidgets.QDialog(window).exec_()); Sleep(0.05)",
        "QtCore.QTimer.singleShot(0, lambda: Sleep(100)); Spawn(Sleep, 0.05).Wait; Yield(0.05)",
        "QtCore.QTimer.singleShot(0, lambda: QtWidgets.QDialog(window).exec_()); Yield(0.05)",
        "QtCore.QTimer.singleShot(0, sys.exit); Sleep(20)",
        "QtCore.QTimer.singleShot(0, app.quit); WaitForQuit()",
        "app.quit(); Sleep(0.05)",
    ],
)
def test_every_way_out_is_clean(way):
    text = f"""
app = iqt()
window = QtWidgets.QMainWindow(); window.show()
other = Spawn(Sleep, 1000)
Sleep(0.05)
{way}
"""
    finishes(text)


def interrupted(text: str) -> str:
    """Run a program, press Ctrl-C when it says so, and return what it printed."""
    program = subprocess.Popen(
        [sys.executable, "-X", "faulthandler", "-u", "-c", START + text],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert program.stdout is not None
    first = program.stdout.readline()
    assert first == "now\n", (first, program.communicate(timeout=FATE_S))
    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=FATE_S)
    # PyQt prints what leaves a slot, and Python 3.14 takes any KeyboardInterrupt that is printed
    # for the end of the program: it has all been done, but the status is that of the signal.
    fine = (0, -signal.SIGINT) if sys.version_info >= (3, 14) else (0,)
    assert program.returncode in fine, (out, err)
    return out


NOW = "Spawn(lambda: (Sleep(0.1), print('now')))"


def test_ctrl_c_while_qt_is_idle():
    assert interrupted(f"iqt(); {NOW}; WaitForQuit(); print('ended')") == "ended\n"


@pytest.mark.parametrize(
    "dialog",
    [
        "QtWidgets.QDialog().exec_()",
        "QtWidgets.QMessageBox.question(None, 'a', 'b')",
        "Sleep(1000)",
    ],
)
def test_ctrl_c_while_a_slot_holds_the_main_program(dialog):
    text = f"""
iqt()
app = QtWidgets.QApplication.instance()
app.setQuitOnLastWindowClosed(False)
hooks.set_report(lambda where, exc, task: print(type(exc).__name__))
QtCore.QTimer.singleShot(0, lambda: {dialog})
{NOW}
try:
    Sleep(1000)
except KeyboardInterrupt:
    print("interrupted")
"""
    lines = interrupted(text).split()
    assert lines[-1] == "interrupted"
    assert lines[:-1] in ([], ["KeyboardInterrupt"])


def test_ctrl_c_in_a_dialog_of_the_main_program():
    text = f"""
iqt()
{NOW}
dialog = QtWidgets.QDialog()
try:
    dialog.exec_()
except KeyboardInterrupt:
    print("interrupted", dialog.isVisible())
"""
    assert interrupted(text) == "interrupted False\n"


def test_no_display_is_said_in_a_line():
    text = """
try:
    iqt()
except CothreadError as refusal:
    print(type(refusal).__name__, refusal)
Sleep(0.01)
print("cothreads work")
"""
    nowhere = {"QT_QPA_PLATFORM": None, "DISPLAY": None, "WAYLAND_DISPLAY": None}
    first, second = finishes(text, **nowhere).splitlines()
    assert first.startswith("NoDisplay No display for Qt windows: DISPLAY is not set")
    assert second == "cothreads work"
    nowhere["DISPLAY"] = ":4242"
    assert "nothing answers at DISPLAY=:4242" in finishes(text, **nowhere)
    nowhere["DISPLAY"] = "nonsense"
    assert "DISPLAY=nonsense" in finishes(text, **nowhere)


def test_a_platform_that_fails_ends_the_program_in_a_line():
    run = run_program(START + "iqt()", QT_QPA_PLATFORM="nosuch")
    assert run.returncode == 1
    assert run.stderr.strip().splitlines()[-1].startswith("iqt: Qt cannot start:")


def test_a_child_after_fork_is_without_qt():
    text = """
iqt(); Sleep(0.05)
child = os.fork()
if child == 0:
    Sleep(0.05)
    os._exit(Spawn(lambda: 7).Wait())
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
Sleep(0.05)
"""
    finishes(text)


def test_where_the_scheduler_cannot_wake_qt_it_is_polled():
    text = """
from cothread import poller
def fileno(self): raise OSError
poller._Epoll.fileno = None
original = poller.Poller.fileno
poller.Poller.fileno = fileno
iqt(0.01)
reader, writer = os.pipe()
from cothread.coselect import wait_readable
threading.Timer(0.1, lambda: os.write(writer, b"x")).start()
wait_readable(reader, 10)
CothreadError
threading.Timer(0.01, lambda: Callback(Quit)).start()
WaitForQuit()
print("served")
"""
    assert finishes(text) == "served\n"


def test_start_with_the_old_names_only():
    text = """
from cothread.qt import QtCore, QtWidgets, exec_name
app = cothread.iqt()
Spawn(lambda: (Sleep(0.02), app.quit()))
getattr(app, exec_name)()
"""
    finishes(text)
    assert os.environ["QT_QPA_PLATFORM"] == "offscreen"


def test_a_main_program_among_the_cothreads_is_never_held():
    text = """
from cothread.scheduler import scheduler
def program():
    iqt()
    log = []
    held = Event()
    def slot():
        held.Signal()
        Sleep(0.2)
        log.append("slot")
        held.Signal()
    QtCore.QTimer.singleShot(0, slot)
    held.Wait(20)
    log.append("main")
    held.Wait(20)
    return log
print(*scheduler.run_main(program))
try:
    scheduler.run_main(lambda: 1 / 0)
except ZeroDivisionError:
    print("raised")
Sleep(0.01)
"""
    assert finishes(text) == "main slot\nraised\n"


def test_ctrl_c_in_a_main_program_among_the_cothreads():
    text = f"""
from cothread.scheduler import scheduler
def program():
    iqt()
    {NOW}
    QtCore.QTimer.singleShot(0, lambda: QtWidgets.QDialog().exec_())
    try:
        Sleep(1000)
    except KeyboardInterrupt:
        print("interrupted")
scheduler.run_main(program)
"""
    assert interrupted(text) == "interrupted\n"
