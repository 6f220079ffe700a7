# SPDX-License-Identifier: Apache-2.0
"""The way into the scheduler's thread: everything that the client holds belongs to it."""

from __future__ import annotations

from collections.abc import Callable
from threading import get_ident
from typing import Any, TypeVar

import cothread

R = TypeVar("R")


def in_scheduler(function: Callable[..., R], *args: Any) -> R:
    """Call a function in the scheduler's thread.

    Suspends: if the function does.
    Thread: any.
    """
    if get_ident() == cothread.scheduler_thread_id:
        return function(*args)
    result: R = cothread.CallbackResult(function, *args)
    return result
