# SPDX-License-Identifier: Apache-2.0
"""The prompt of plain Python: while it waits for a key, cothreads run.

Python calls `PyOS_InputHook` when it is about to wait for input.  The hook installed here waits
for the same input, cooperatively, and returns when there is some.  Law: it must never wait while
the caller holds keys that it has read already, or those keys would not be seen until the next one.
Those who read a terminal with GNU readline, libedit or C's stdio hold none.  The prompt written
in Python, since 3.13, reads all that was pasted at once, and stdio does so with a pipe.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from functools import cache
from importlib import import_module
from typing import Any, Final

from . import hooks, interrupts
from .coselect import POLLIN, wait_events
from .scheduler import scheduler

__all__ = ["install"]

STDIN: Final = 0
SETTLE_S: Final = 0.02
"""How long the caller of the hook takes to be in its own wait, which lasts 0.1 s."""

# Loaded when first needed: most programs have no prompt.
_ctypes: Any = None
_ours: Any = None
# The signal handler that is out of the way for a moment.
_handler: Any = None


def install() -> None:
    """Let cothreads run at the prompt, if this program has one.

    Replaces other packages' hooks.
    """
    global _ctypes, _ours
    if threading.current_thread() is not threading.main_thread():
        return
    if not (sys.flags.interactive or sys.flags.inspect or _is_terminal(STDIN)):
        return
    if _ctypes is None:
        import ctypes

        _ctypes = ctypes
        _ours = ctypes.CFUNCTYPE(ctypes.c_int)(_input_hook)
    _set_hook(_ours)


def _is_terminal(fd: int) -> bool:
    try:
        return os.isatty(fd)
    except OSError:
        return False


def _set_hook(function: Any) -> None:
    place = _ctypes.c_void_p.in_dll(_ctypes.pythonapi, "PyOS_InputHook")
    place.value = _ctypes.cast(function, _ctypes.c_void_p).value


def _input_hook() -> int:
    if _handler is not None:
        _give_handler_back()
    try:
        if (
            threading.get_ident() == scheduler.thread_id
            and scheduler.started
            and not _caller_has_keys()
        ):
            wait_events({STDIN: POLLIN}, None, urgent=True)
    except KeyboardInterrupt:
        _interrupt_caller()
    except BaseException as exc:
        hooks.report("Waiting for input raised an exception", exc)
    return 0


def _caller_has_keys() -> bool:
    """Tell whether whoever calls the hook has read keys that it has not used yet."""
    if not _is_terminal(STDIN):
        return _stdio_has_keys()
    caller = sys._getframe(1).f_back
    if caller is not None and caller.f_globals.get("__name__", "").startswith("_pyrepl."):
        console = getattr(caller.f_locals.get("self"), "console", None)
        return console is not None and bool(console.wait(0))
    return False


def _stdio_has_keys() -> bool:
    """Tell whether C's `stdin` has more in its buffer; True where we cannot look into it."""
    stdin = _stdin()
    return stdin is None or bool(stdin.read_at != stdin.read_end)


@cache
def _stdin() -> Any:
    """Return C's `stdin` with what can be seen of it; None where that is not known."""
    try:
        if not os.confstr("CS_GNU_LIBC_VERSION"):
            return None
    except (AttributeError, OSError, ValueError):
        return None

    class File(_ctypes.Structure):  # type: ignore[misc]
        # How every `FILE` of glibc begins, which programs of the last century depend on.
        _fields_ = (
            ("flags", _ctypes.c_int),
            ("read_at", _ctypes.c_void_p),
            ("read_end", _ctypes.c_void_p),
        )

    return _ctypes.POINTER(File).in_dll(_ctypes.pythonapi, "stdin").contents


def _interrupt_caller() -> None:
    """Raise KeyboardInterrupt in the caller of the hook, which an exception here would not reach.

    A signal does reach it, provided that it comes after our return and that no Python code runs
    between its arrival and the caller's own look at signals: so the hook is out of the way then,
    and so is our signal handler, which would show in the traceback.
    """
    global _handler
    if interrupts.installed():
        _handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    _set_hook(_ctypes.pythonapi.Py_IsInitialized)
    threading.Thread(target=_send_interrupt, args=(threading.get_ident(),)).start()


def _give_handler_back() -> None:
    global _handler
    signal.signal(signal.SIGINT, _handler)
    _handler = None


def _send_interrupt(thread_id: int) -> None:
    time.sleep(SETTLE_S)
    signal.pthread_kill(thread_id, signal.SIGINT)
    time.sleep(SETTLE_S)
    _set_hook(_ours)


def __getattr__(name: str) -> Any:
    """Return what is Qt's: `iqt`; and, for programs that look whether it was called, its parts."""
    qt = f"{__package__}.loops.qt"
    if name == "iqt":
        return import_module(qt).iqt
    home = getattr(sys.modules.get(qt), "_home", None)
    if name == "_qapp":
        return None if home is None else home.app
    if name == "_timer" and home is not None:
        return home
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


scheduler.at_start(install)
