# SPDX-License-Identifier: Apache-2.0
"""Modal dialogs, menus and nested loops, opened from everywhere, with everything going on."""

from __future__ import annotations

import pytest
from qtpy import QtCore, QtWidgets

from cothread import Event, EventQueue, Sleep, Spawn, WaitForAll, WasCancelled
from cothread.loops.qt import on_qt

DEADLINE_S = 30


def later(action, delay_s: float = 0.02) -> None:
    """Do something in a cothread, a little later."""
    Spawn(lambda: (Sleep(delay_s), action()))


def from_main(function):
    """Call it in the main program."""
    return function()


def from_cothread(function):
    """Call it in a cothread."""
    return Spawn(function, raise_on_wait=True).Wait(DEADLINE_S)


def from_slot(function):
    """Call it in a slot."""
    done = Event()
    QtCore.QTimer.singleShot(0, lambda: done.Signal(function()))
    return done.Wait(DEADLINE_S)


@pytest.fixture(params=[from_main, from_cothread, from_slot], ids=lambda f: f.__name__)
def where(request):
    return request.param


@pytest.fixture
def ticks():
    """Count in a cothread, as a monitor would."""
    counted = []

    def count() -> None:
        while True:
            Sleep(0.002)
            counted.append(1)

    task = Spawn(count)
    yield counted
    task.Cancel()


def test_exec_returns_the_result_and_others_go_on(where, ticks):
    def ask() -> tuple[int, int]:
        dialog = QtWidgets.QDialog()
        later(lambda: dialog.done(7), 0.05)
        before = len(ticks)
        result = dialog.exec_()
        return result, len(ticks) - before

    result, counted = where(ask)
    assert result == 7
    assert counted > 0


@pytest.mark.parametrize("ending", ["accept", "reject", "close", "hide", "deleteLater"])
def test_every_way_a_dialog_ends(where, ending):
    def ask() -> int:
        dialog = QtWidgets.QDialog()
        later(lambda: getattr(dialog, ending)())
        return dialog.exec_()

    assert where(ask) == (ending == "accept")


def test_a_dialog_inside_a_dialog(where):
    def ask() -> list[int]:
        outer, inner = QtWidgets.QDialog(), QtWidgets.QDialog()
        results = []

        def open_inner() -> None:
            later(lambda: inner.done(2))
            results.append(inner.exec_())
            outer.done(1)

        QtCore.QTimer.singleShot(0, open_inner)
        results.append(outer.exec_())
        return results

    assert where(ask) == [2, 1]


def test_cothreads_open_dialogs_in_any_order():
    """In cothreads dialogs end in the order they are closed in, unlike in slots."""
    order = []
    dialogs = [QtWidgets.QDialog() for _ in range(3)]

    def ask(number: int) -> None:
        dialogs[number].exec_()
        order.append(number)

    tasks = [Spawn(ask, number) for number in range(3)]
    Sleep(0.02)
    for number in (0, 2, 1):
        dialogs[number].accept()
        Sleep(0.02)
    WaitForAll(tasks, DEADLINE_S)
    assert order == [0, 2, 1]


def test_a_cancelled_cothread_closes_its_dialog():
    dialog = QtWidgets.QDialog()
    task = Spawn(dialog.exec_)
    Sleep(0.02)
    assert dialog.isVisible()
    assert dialog.isModal()
    task.Cancel()
    with pytest.raises(WasCancelled):
        task.Wait(DEADLINE_S)
    assert not dialog.isVisible()
    assert not dialog.isModal()


def click(text: str) -> None:
    """Click a button of the message box that is open."""
    box = QtWidgets.QApplication.activeModalWidget()
    next(button for button in box.buttons() if text in button.text()).click()


def test_static_message_boxes(where):
    def ask() -> int:
        later(lambda: click("Yes"))
        return QtWidgets.QMessageBox.question(None, "title", "question?")

    assert where(ask) == QtWidgets.QMessageBox.Yes


def test_static_input_dialogs(where):
    def answer() -> None:
        dialog = QtWidgets.QApplication.activeModalWidget()
        dialog.findChild(QtWidgets.QLineEdit).setText("typed")
        dialog.accept()

    def ask() -> tuple[str, bool]:
        later(answer)
        return QtWidgets.QInputDialog.getText(None, "title", "label")

    assert where(ask) == ("typed", True)


def test_file_dialogs(where, tmp_path, ticks):
    wanted = tmp_path / "chosen.txt"
    wanted.write_text("")

    def answer() -> None:
        dialog = QtWidgets.QApplication.activeModalWidget()
        dialog.findChild(QtWidgets.QLineEdit).setText(str(wanted))
        buttons = dialog.findChild(QtWidgets.QDialogButtonBox)
        # It may complain in a message box, which must not run its loop on our stack.
        on_qt(buttons.button(QtWidgets.QDialogButtonBox.Open).click)

    def ask() -> str:
        later(answer)
        name, _ = QtWidgets.QFileDialog.getOpenFileName(
            None, "open", str(tmp_path), options=QtWidgets.QFileDialog.DontUseNativeDialog
        )
        return name

    before = len(ticks)
    assert where(ask) == str(wanted)
    assert len(ticks) > before


def test_menus(where):
    def ask() -> str:
        menu = QtWidgets.QMenu()
        action = menu.addAction("this")

        def choose() -> None:
            menu.setActiveAction(action)
            # As the key press does.
            event = QtCore.QCoreApplication.postEvent
            event(menu, _key(QtCore.Qt.Key_Return))

        later(choose)
        chosen = menu.exec_(QtCore.QPoint(10, 10))
        return chosen.text() if chosen is not None else ""

    assert where(ask) == "this"


def _key(key):
    from qtpy import QtGui

    return QtGui.QKeyEvent(QtCore.QEvent.KeyPress, key, QtCore.Qt.NoModifier)


def test_event_loops(where, ticks):
    def wait() -> int:
        loop = QtCore.QEventLoop()
        later(lambda: loop.exit(5))
        return loop.exec_()

    assert where(wait) == 5


def test_a_progress_dialog_in_a_slot(ticks):
    """Its setValue() runs Qt's loop by itself, without any frame of Python's between."""
    done = Event()

    def slot() -> None:
        progress = QtWidgets.QProgressDialog("working", "stop", 0, 50)
        progress.setWindowModality(QtCore.Qt.WindowModal)
        for step in range(51):
            progress.setValue(step)
            Sleep(0.001)
        done.Signal(progress.value())

    before = len(ticks)
    QtCore.QTimer.singleShot(0, slot)
    done.Wait(DEADLINE_S)
    assert len(ticks) > before


def test_a_timer_stopped_by_another_while_its_slot_waits():
    """Qt then clears a mark that stands in the frame of the waiting slot."""
    ended = EventQueue()
    timers = [QtCore.QTimer() for _ in range(10)]

    def slot() -> None:
        Sleep(0.01)
        ended.Signal(1)

    for timer in timers:
        timer.timeout.connect(slot)
        timer.start(1)
    Sleep(0.003)
    Spawn(lambda: [timer.stop() for timer in timers]).Wait(DEADLINE_S)
    timers.clear()
    ended.Wait(DEADLINE_S)


def test_the_sender_of_a_waiting_slot_is_deleted(ticks):
    """Qt then clears a record that stands in the frame of the waiting slot."""
    done = Event()
    buttons = [QtWidgets.QPushButton()]

    def slot() -> None:
        Spawn(lambda: buttons.pop().deleteLater())
        Sleep(0.02)
        done.Signal(len(buttons))

    buttons[0].clicked.connect(slot)
    on_qt(buttons[0].click)
    assert done.Wait(DEADLINE_S) == 0


def test_dialogs_are_not_kept_waiting_by_the_main_program():
    """The main program may open one while a slot's is open, too: the newest ends first."""
    first, second = QtWidgets.QDialog(), QtWidgets.QDialog()
    order = []

    def slot() -> None:
        first.exec_()
        order.append("slot")

    QtCore.QTimer.singleShot(0, slot)
    later(first.accept, 0.05)
    later(second.accept, 0.1)
    second.exec_()
    order.append("main")
    assert order == ["slot", "main"]
