# SPDX-License-Identifier: Apache-2.0
"""Qt as another cothread: `iqt`, and how slots and cothreads work together.

A slot may wait like any cothread: Qt and all cothreads go on meanwhile.  Slots that wait end in the
order of a stack, the newest first; one that takes long is better `spawned`.  Modal dialogs, menus
and event loops may be opened by slots and by cothreads alike.
"""

from __future__ import annotations

import atexit
import inspect
import os
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import wraps
from typing import Any, Final, TypeVar

from .. import hooks
from ..errors import CothreadError
from ..scheduler import scheduler
from ..tasks import Spawn, current
from .qt_home import Home
from .qt_modal import make_cooperative

__all__ = [
    "NoDisplay",
    "check_display",
    "iqt",
    "on_qt",
    "quit_at_last_window",
    "running",
    "spawned",
]

T = TypeVar("T")

CONNECT_S: Final = 2.0
_ABSENT: Final = object()

_home: Home | None = None
_quits = True


class NoDisplay(CothreadError):
    """There is no display on which Qt could show a window."""


def iqt(
    poll_interval: float = 0.05,
    use_timer: bool = False,  # noqa: ARG001
    run_exec: bool = True,
    argv: Sequence[str] | None = None,
) -> Any:
    """Let Qt run whenever cothreads wait, and cothreads whenever Qt waits.

    Args:
        poll_interval: seconds; for systems only where Qt cannot be woken by the scheduler.
        use_timer: accepted for old programs.
        run_exec: otherwise Qt runs when the program calls `app.exec()`.
        argv: the program's arguments; Qt takes those it knows.
    Returns:
        The QApplication: the one there is, or a new one.
    Raises:
        NoDisplay: there is no display.
        CothreadError: Qt is not installed, or there is an application without windows.
    """
    global _home
    scheduler.check_thread("iqt")
    core, gui, widgets = _load()
    app = _application(core, widgets, argv)
    if _home is None or _home.app is not app:
        # Qt's own, where there are both: nothing of Python's may come between us and the loop.
        exec_name = "exec" if hasattr(widgets.QApplication, "exec") else "exec_"
        execute = getattr(widgets.QApplication, exec_name)
        _home = Home(app, core, execute, poll_interval)
        _home.quits = _quits
        make_cooperative(_home, core, gui, widgets)
        _report_slots()
        atexit.register(_home.close)
        if app.thread().loopLevel() > 0:
            _home.adopt_running_loop()
    if run_exec:
        _home.run(keep_on=True)
    return app


def running() -> bool:
    """Whether `iqt` has been called."""
    return _home is not None


def quit_at_last_window(quits: bool) -> None:
    """Say whether the end of Qt's event loop, as when the last window is closed, is a `Quit`."""
    global _quits
    _quits = quits
    if _home is not None:
        _home.quits = quits


def on_qt(function: Callable[..., T], *args: Any, **kargs: Any) -> T:
    """Call a function where slots are called, and return its result.

    A cothread must not be suspended while it is inside of Qt.  Whatever of Qt's may call code that
    waits (emitting a signal, showing a widget whose handlers wait) goes through here.

    Raises:
        CothreadError: `iqt` has not been called.
        BaseException: what the function raised.
    Suspends: unless called by a slot.
    """
    if _home is None:
        raise CothreadError("Qt does not run: call iqt() first")
    return _home.call(function, *args, **kargs)  # type: ignore[no-any-return]


def spawned(function: Callable[..., Any]) -> Callable[..., None]:
    """Turn a function into a slot that runs it in a cothread of its own.

    The function gets as many of the signal's arguments, six at most, as it has parameters for.
    """
    takes = _positional(function)

    # PySide counts the parameters of a slot, and passes nothing to one that has `*args` only.
    @wraps(function)
    def slot(
        a: Any = _ABSENT,
        b: Any = _ABSENT,
        c: Any = _ABSENT,
        d: Any = _ABSENT,
        e: Any = _ABSENT,
        f: Any = _ABSENT,
    ) -> None:
        args = [arg for arg in (a, b, c, d, e, f) if arg is not _ABSENT]
        Spawn(function, *args[:takes])

    # Qt bindings look at a slot's own parameters to decide what to pass.
    del slot.__wrapped__
    return slot


def _positional(function: Callable[..., Any]) -> int | None:
    """Return how many positional arguments a function takes; None for any number."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(parameter.kind in kinds for parameter in parameters)


def _load() -> tuple[Any, Any, Any]:
    try:
        from qtpy import QtCore, QtGui, QtWidgets
    except Exception as exc:
        # qtpy has exceptions of its own for "no binding", and does not need to be there itself.
        raise CothreadError(f"Qt is not installed ({exc}): pip install PyQt5 qtpy") from exc
    return QtCore, QtGui, QtWidgets


def _application(core: Any, widgets: Any, argv: Sequence[str] | None) -> Any:
    app = core.QCoreApplication.instance()
    if isinstance(app, widgets.QApplication):
        return app
    if app is not None:
        raise CothreadError(f"iqt needs a QApplication, and there is a {type(app).__name__}")
    arguments = list(sys.argv if argv is None else argv) or [""]
    check_display(arguments)
    previous = core.qInstallMessageHandler(None)

    def handle(kind: Any, context: Any, text: str) -> None:
        if kind == core.QtMsgType.QtFatalMsg:
            # Qt aborts the process as soon as this returns.
            first = text.strip().splitlines()[0] if text.strip() else "no reason given"
            print(f"iqt: Qt cannot start: {first}", file=sys.stderr, flush=True)
            os._exit(1)
        if previous is not None:
            previous(kind, context, text)

    core.qInstallMessageHandler(handle)
    try:
        return widgets.QApplication(arguments)
    finally:
        core.qInstallMessageHandler(previous)


def check_display(argv: Sequence[str]) -> None:
    """Look whether Qt would abort the process, as far as that can be seen from outside.

    Raises:
        NoDisplay: it would.
    """
    chosen = os.environ.get("QT_QPA_PLATFORM") or any(
        word.lstrip("-").startswith("platform") for word in argv
    )
    if chosen or sys.platform != "linux" or os.environ.get("WAYLAND_DISPLAY"):
        return
    display = os.environ.get("DISPLAY", "")
    advice = "use ssh -X, or start it on a desktop"
    if not display:
        raise NoDisplay(f"No display for Qt windows: DISPLAY is not set; {advice}")
    host, _, number = display.rpartition(":")
    number = number.partition(".")[0]
    if not number.isdigit():
        raise NoDisplay(f"No display for Qt windows: DISPLAY={display} is not HOST:NUMBER")
    if not any(_answers(address) for address in _addresses(host, int(number))):
        raise NoDisplay(
            f"No display for Qt windows: nothing answers at DISPLAY={display}; {advice}"
        )


_Address = tuple[int, Any]


def _addresses(host: str, number: int) -> list[_Address]:
    if host in ("", "unix"):
        path = f"/tmp/.X11-unix/X{number}"
        return [(socket.AF_UNIX, f"\0{path}"), (socket.AF_UNIX, path)]
    with suppress(OSError):
        found = socket.getaddrinfo(host, 6000 + number, type=socket.SOCK_STREAM)
        return [(family, address) for family, _, _, _, address in found]
    return []


def _answers(address: _Address) -> bool:
    with socket.socket(address[0], socket.SOCK_STREAM) as probe:
        probe.settimeout(CONNECT_S)
        with suppress(OSError):
            probe.connect(address[1])
            return True
    return False


def _report_slots() -> None:
    """Report what slots raise; PyQt ends the process unless somebody does."""
    usual = sys.excepthook

    def hook(kind: type[BaseException], exc: BaseException, trace: Any) -> None:
        # A slot is called in the middle of something; at the top level nothing is below us.
        if sys._getframe().f_back is None:
            usual(kind, exc, trace)
        else:
            hooks.report("A Qt slot raised an exception", exc, current())

    sys.excepthook = hook


def _forget() -> None:
    """Leave Qt to the parent of a fork."""
    global _home
    _home = None


scheduler.at_fork(_forget)
