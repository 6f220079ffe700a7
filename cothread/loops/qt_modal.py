# SPDX-License-Identifier: Apache-2.0
"""What waits inside of Qt, made to wait like a cothread.

In a slot everything of Qt's works as it is.  In other cothreads and in the main program a dialog is
shown, and waited for with an event; all else that runs a loop of Qt's own is done by the host, on
behalf of the caller.  `BLOCKING` lists what is replaced, by class.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, Final

from ..events import Event
from .qt_home import Home

__all__ = ["BLOCKING", "make_cooperative"]

_EXEC: Final = ("exec", "exec_")

BLOCKING: Final[dict[str, tuple[str, ...]]] = {
    "QMenu": _EXEC,
    "QMessageBox": ("about", "aboutQt", "critical", "information", "question", "warning"),
    "QInputDialog": ("getDouble", "getInt", "getItem", "getMultiLineText", "getText"),
    "QFileDialog": (
        "getExistingDirectory",
        "getExistingDirectoryUrl",
        "getOpenFileName",
        "getOpenFileNames",
        "getOpenFileUrl",
        "getOpenFileUrls",
        "getSaveFileName",
        "getSaveFileUrl",
    ),
    "QColorDialog": ("getColor",),
    "QFontDialog": ("getFont",),
}
"""Methods of widgets that return when the operator has answered."""

_CORE: Final[dict[str, tuple[str, ...]]] = {
    "QCoreApplication": ("processEvents",),
    "QEventLoop": (*_EXEC, "processEvents"),
}

_GUI: Final[dict[str, tuple[str, ...]]] = {"QDrag": _EXEC}

_patched: set[Any] = set()


def make_cooperative(home: Home, core: Any, gui: Any, widgets: Any) -> None:
    """Replace the methods that run loops by such as wait cooperatively; once per process."""
    current_home[:] = [home]
    if widgets in _patched:
        return
    _patched.add(widgets)
    for module, table in ((widgets, BLOCKING), (gui, _GUI), (core, _CORE)):
        for name, methods in table.items():
            for method in methods:
                _route(getattr(module, name), method)
    for method in _EXEC:
        original = getattr(widgets.QDialog, method, None)
        if original is not None:
            setattr(widgets.QDialog, method, _exec_dialog(original, core))
        if hasattr(widgets.QApplication, method):
            execute = _exec_application(getattr(widgets.QApplication, method))
            for application in (core.QCoreApplication, widgets.QApplication):
                setattr(application, method, staticmethod(execute))


current_home: Final[list[Home]] = []
"""The home of the one application, if there is one."""


def _route(owner: Any, name: str) -> None:
    original = getattr(owner, name, None)
    if original is None:
        return

    @wraps(original)
    def routed(*args: Any, **kargs: Any) -> Any:
        return current_home[0].call(original, *args, **kargs)

    # Static methods must stay so; QMenu's and the event loop's are called on an instance, too.
    bound = name in (*_EXEC, "processEvents") and owner.__name__ != "QCoreApplication"
    setattr(owner, name, routed if bound else staticmethod(routed))


def _exec_application(original: Callable[..., int]) -> Callable[..., int]:
    @wraps(original)
    def execute(*_: Any) -> int:
        home = current_home[0]
        if home.here:
            return original()
        home.run(keep_on=False)
        return home.wait()

    return execute


def _exec_dialog(original: Callable[[Any], int], core: Any) -> Callable[[Any], int]:
    @wraps(original)
    def execute(dialog: Any) -> int:
        home = current_home[0]
        if home.here:
            return original(dialog)
        home.run(keep_on=False)
        return _show_and_wait(dialog, core)

    return execute


def _show_and_wait(dialog: Any, core: Any) -> int:
    """Show a dialog as `exec` does, and wait until it is closed.

    Suspends: always.
    """
    qt = core.Qt
    closed = Event[None](auto_reset=False)

    def finish(*_: object) -> None:
        closed.Signal()

    def on_visible(visible: bool) -> None:
        if not visible:
            closed.Signal()

    deletes = dialog.testAttribute(qt.WA_DeleteOnClose)
    modality = dialog.windowModality()
    dialog.setAttribute(qt.WA_DeleteOnClose, False)
    if modality == qt.NonModal:
        dialog.setWindowModality(qt.ApplicationModal)
    dialog.setResult(0)
    connections = [dialog.finished.connect(finish), dialog.destroyed.connect(finish)]
    try:
        dialog.show()
        window = dialog.windowHandle()
        if window is not None:
            # `hide()` ends an `exec` too, and tells nobody but the window.
            connections.append(window.visibleChanged.connect(on_visible))
        closed.Wait()
        return int(dialog.result())
    except RuntimeError:
        return 0  # the dialog has been deleted
    except BaseException:
        with suppress(RuntimeError):
            dialog.done(0)
        raise
    finally:
        # PySide 6.12 drops a reference to True in `signal.disconnect(slot)`, and before Python 3.12
        # the process ends when the last is gone: test_two_hundred_dialogs_under_load.
        for connection in connections:
            core.QObject.disconnect(connection)
        with suppress(RuntimeError):
            dialog.setWindowModality(modality)
            if deletes:
                dialog.deleteLater()
