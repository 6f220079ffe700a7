# SPDX-License-Identifier: Apache-2.0
"""The way into the scheduler's thread: everything that the client holds belongs to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import get_ident
from typing import ParamSpec, TypeVar

import cothread

P = ParamSpec("P")
R = TypeVar("R")


def in_scheduler(function: Callable[P, R]) -> Callable[P, R]:
    """Have a function run in the scheduler's thread, whichever calls it, and the caller wait.

    `forward.any_thread`, for functions of PVs with a timeout, gives up in time as well.

    Suspends: if the function does.
    """

    @wraps(function)
    def forward(*args: P.args, **kargs: P.kwargs) -> R:
        if get_ident() == cothread.scheduler_thread_id:
            return function(*args, **kargs)
        result: R = cothread.CallbackResult(function, *args, **kargs)  # type: ignore[arg-type]
        return result

    return forward
