# SPDX-License-Identifier: Apache-2.0
"""Real windows on a real X server: keyboard, mouse, dialogs, and the same law."""

from __future__ import annotations

from .conftest import run_program

TEXT = """
import sys
import cothread
from cothread import *
from cothread.loops import qt
from cothread.loops.qt import on_qt
app = iqt(argv=["real"])
from qtpy import QtCore, QtTest, QtWidgets
assert app.platformName() == "xcb", app.platformName()
ticks = []
def count():
    while True:
        Sleep(0.002)
        ticks.append(1)
counting = Spawn(count)
window = QtWidgets.QWidget()
layout = QtWidgets.QVBoxLayout(window)
line, button = QtWidgets.QLineEdit(), QtWidgets.QPushButton("ask")
layout.addWidget(line)
layout.addWidget(button)
answers = []
def ask():
    answers.append(QtWidgets.QMessageBox.question(window, "title", "question?"))
button.clicked.connect(ask)
window.show()
def until(condition):
    for _ in range(2000):
        if condition():
            return
        Sleep(0.005)
    raise SystemExit("it never became true")
def operate():
    until(lambda: window.windowHandle().isExposed())
    on_qt(QtTest.QTest.keyClicks, line, "typed")
    assert line.text() == "typed", line.text()
    for _ in range(5):
        before = len(ticks)
        given = len(answers)
        def click():
            on_qt(QtTest.QTest.mouseClick, button, QtCore.Qt.LeftButton)
        clicking = Spawn(click)
        until(app.activeModalWidget)
        Sleep(0.03)
        assert len(ticks) > before
        assert qt._home._strand._stack_saved in (0,) or not qt._home._holding
        box = app.activeModalWidget()
        yes = box.button(QtWidgets.QMessageBox.Yes)
        QtTest.QTest.mouseClick(yes, QtCore.Qt.LeftButton)
        until(lambda: len(answers) > given)
        clicking.Wait(10)
    assert answers == [QtWidgets.QMessageBox.Yes] * 5
    dialog = QtWidgets.QFileDialog(window)
    task = Spawn(dialog.exec_)
    until(dialog.isVisible)
    dialog.close()
    assert task.Wait(10) == 0
# The main program would be held by the dialog it waits for.
Spawn(operate, raise_on_wait=True).Wait(30)
counting.Cancel()
QtCore.QTimer.singleShot(0, window.close)
WaitForQuit()
print("ended")
"""


def test_keyboard_mouse_and_dialogs(display):
    run = run_program(TEXT, DISPLAY=display, QT_QPA_PLATFORM=None)
    assert run.returncode == 0, run.stdout + run.stderr[-3000:]
    assert run.stdout == "ended\n"
    assert "Traceback" not in run.stderr
