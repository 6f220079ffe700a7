# SPDX-License-Identifier: Apache-2.0
"""Global state department: the one client that the functions of catools share.

It starts at first use, ends with the process, and a child of a fork starts its own. What was
subscribed before the fork, by any client, stays the parent's: in the child it brings nothing, and
closing it there does no harm. Objects that watch PVs compare `generation`, and subscribe anew when
the child uses them.
"""

from __future__ import annotations

import atexit
import os
import sys

from .client import Client, living
from .threads import in_scheduler

generation: int = 0
"""How many forks lie between this process and the one that imported this module."""

_client: Client | None = None


def client() -> Client:
    """Return the shared client, started if need be.

    Suspends: never.
    Thread: any.
    """
    if _client is None or _client.closed:
        return _start()
    return _client


@in_scheduler
def _start() -> Client:
    global _client
    if _client is None or _client.closed:
        if sys.is_finalizing():
            raise RuntimeError("the interpreter ends: no PV can be read or written any more")
        _client = Client()
        atexit.register(_client.close_here)
    return _client


def running() -> Client | None:
    """Return the shared client if it has been started."""
    return _client


def close() -> None:
    """Close the shared client; the next use starts a new one, with the environment of then.

    Blocks, without letting other cothreads run, for 0.15 s at the very most.

    Thread: any.
    """
    global _client
    if _client is not None:
        atexit.unregister(_client.close_here)
        _client.close()
        _client = None


def _after_fork() -> None:
    global _client, generation
    generation += 1
    if _client is not None:
        atexit.unregister(_client.close_here)
        _client = None
    for each in list(living):
        each.drop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
