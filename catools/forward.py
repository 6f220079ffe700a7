# SPDX-License-Identifier: Apache-2.0
"""Calls from threads other than the scheduler's: handed over, and ended in time even there.

The scheduler's thread may itself be blocked, by waiting for the very thread that calls. Then the
call fails a moment after its timeout and says why, instead of keeping both for ever; and what has
not begun by then never will.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import get_ident
from typing import Any, Final, ParamSpec, TypeVar

import cothread
from cothread.clock import expiry, monotonic

from .arguments import names_of
from .client.explain import summary
from .errors import ca_nothing
from .protocol.eca import ECA_TIMEOUT

__all__ = ["any_thread"]

P = ParamSpec("P")
T = TypeVar("T")

DEFAULT_S: Final = 5.0
"""The timeout of what has none, because it does not wait: `camonitor`."""
GRACE_S: Final = 1.0
"""How long after its timeout a call may still report by itself how far it got."""


def any_thread(function: Callable[P, T]) -> Callable[P, T]:
    """Make a function of PVs callable from any thread."""

    @wraps(function)
    def call(*args: P.args, **kargs: P.kwargs) -> T:
        if get_ident() == cothread.scheduler_thread_id:
            return function(*args, **kargs)
        return _hand_over(function, args, kargs)  # type: ignore[no-any-return]

    return call


def _hand_over(function: Callable[..., Any], args: tuple[Any, ...], kargs: dict[str, Any]) -> Any:
    if not args:
        if "pvs" not in kargs:
            return function(**kargs)  # which says what is missing
        args = (kargs.pop("pvs"),)
    pvs, *rest = args
    names = names_of(pvs)
    defaults = function.__kwdefaults__ or {}
    deadline = expiry(kargs.get("timeout", defaults.get("timeout", DEFAULT_S)))
    started = monotonic()
    turn = [True]

    def call() -> Any:
        if not _take(turn):
            return None
        return function(pvs if isinstance(pvs, str) else names, *rest, **kargs)

    left = None if deadline is None else max(0.0, deadline - started) + GRACE_S
    try:
        return cothread.CallbackResult(call, callback_timeout=left)
    except cothread.Timedout as late:
        how_far = "begun" if _take(turn) else "ended"
        detail = (
            f"the thread that runs all cothreads has not {how_far} this call; if it waits for "
            f"threads, then with cothread.in_thread(thread.join) ({monotonic() - started:.1f} s)"
        )
        errors = [ca_nothing(name, ECA_TIMEOUT, detail) for name in names]
        if errors and kargs.get("throw", True):
            raise summary(errors, len(names)) from late
        return errors[0] if isinstance(pvs, str) else errors


def _take(turn: list[bool]) -> bool:
    """Take the turn, which only one of two threads can have."""
    try:
        return turn.pop()
    except IndexError:
        return False
