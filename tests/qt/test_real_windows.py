# SPDX-License-Identifier: Apache-2.0
"""Real windows on a real X server: keyboard, mouse, dialogs, drag and drop, and the same law."""

from __future__ import annotations

import ctypes.util

import pytest

from tests.support.qt import run_program

UNTIL = """
from cothread import Sleep
def until(condition):
    for _ in range(2000):
        if condition():
            return
        Sleep(0.005)
    raise SystemExit("it never became true")
"""

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
    run = run_program(UNTIL + TEXT, DISPLAY=display, QT_QPA_PLATFORM=None)
    assert run.returncode == 0, run.stdout + run.stderr[-3000:]
    assert run.stdout == "ended\n"
    assert "Traceback" not in run.stderr


# The pointer of the X server itself is moved: Qt asks the server where a drag is.
DRAG = """
import ctypes, ctypes.util, time
import cothread
from cothread import *
from cothread.loops import qt
app = iqt(argv=["real"])
from qtpy import QtCore, QtGui, QtWidgets
from coshell.panel.look import Look
from coshell.panel.model import Panel
from coshell.panel.theme import Theme
from coshell.qt.table import PanelTable
ticks = []
def count():
    while True:
        Sleep(0.002)
        ticks.append(1)
Spawn(count)
x11 = ctypes.CDLL(ctypes.util.find_library("X11"))
xtst = ctypes.CDLL(ctypes.util.find_library("Xtst"))
x11.XOpenDisplay.restype = ctypes.c_void_p
server = ctypes.c_void_p(x11.XOpenDisplay(None))
def move(point):
    xtst.XTestFakeMotionEvent(server, -1, point.x(), point.y(), 0)
    x11.XFlush(server)
def button(down):
    xtst.XTestFakeButtonEvent(server, 1, down, 0)
    x11.XFlush(server)
def nested():
    return app.thread().loopLevel() > 1
def drag(start, end, dropped):
    move(start)
    Sleep(0.05)
    button(1)
    for step in range(1, 21):
        move(start + (end - start) * step / 20)
        Sleep(0.02)
    until(nested)
    counted = len(ticks)
    until(lambda: len(ticks) > counted + 5)
    assert qt._home._strand._stack_saved == 0 or not qt._home._holding
    button(0)
    until(dropped)
    until(lambda: not nested())
def drag_myself():
    data = QtCore.QMimeData()
    data.setText("A")
    mine = QtGui.QDrag(table)
    mine.setMimeData(data)
    return mine.exec_(QtCore.Qt.CopyAction)
names = ["A", "B"]
panel = Panel("ring", names, time.monotonic())
table = PanelTable(panel, Look(), Theme(colours=None), {}, print, print)
table.setGeometry(0, 0, 500, 300)
%(target)s
target.setGeometry(600, 0, 600, 400)
table.show()
target.show()
def operate():
    until(lambda: table.windowHandle().isExposed() and target.windowHandle().isExposed())
    row = table.view.visualRect(table.model.index(1, 0)).center()
    start = table.view.viewport().mapToGlobal(row)
    end = target.mapToGlobal(target.rect().center())
    drag(start, end, lambda: got)
    assert got == %(expected)s, got
    print("dropped", flush=True)
    nowhere = table.view.viewport().mapToGlobal(table.view.viewport().rect().bottomLeft())
    task = Spawn(drag_myself)
    drag(nowhere, end, lambda: bool(task) and got != %(expected)s)
    assert task.Wait(10) == QtCore.Qt.CopyAction
    assert got == %(second)s, got
    print("dropped again", flush=True)
# The main program is held while something is dragged.
Spawn(operate, raise_on_wait=True).Wait(30)
for window in (table, target):
    QtCore.QTimer.singleShot(0, window.close)
WaitForQuit()
print("ended")
"""

LINE = """
target = QtWidgets.QPlainTextEdit()
class Got:
    def __bool__(self):
        return bool(target.toPlainText())
    def __eq__(self, other):
        return sorted(target.toPlainText()) == other
got = Got()
"""

CHART = """
from coshell.qt.chart import Chart
got = []
target = Chart(Panel("plot"), add=got.append)
"""


@pytest.mark.parametrize(
    ("target", "expected", "second"),
    [(LINE, "['B']", "['A', 'B']"), (CHART, "[['B']]", "[['B'], ['A']]")],
)
def test_rows_are_dragged_while_cothreads_go_on(display, target, expected, second):
    pytest.importorskip("pyqtgraph", reason="pyqtgraph is not installed")
    if ctypes.util.find_library("Xtst") is None:
        pytest.skip("libXtst is not installed: nothing can be dragged")
    text = DRAG % {"target": target, "expected": expected, "second": second}
    run = run_program(UNTIL + text, DISPLAY=display, QT_QPA_PLATFORM=None)
    assert run.returncode == 0, run.stdout + run.stderr[-3000:]
    assert run.stdout == "dropped\ndropped again\nended\n"
    assert "Traceback" not in run.stderr
