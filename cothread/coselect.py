# SPDX-License-Identifier: Apache-2.0
"""Cooperative waiting for descriptors: select, poll, poll_list."""

from __future__ import annotations

import errno
import os
import select as _select
from collections.abc import ItemsView, Iterable
from typing import Protocol

from greenlet import getcurrent

from .clock import Timedout, Timeout, expiry
from .poller import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLNVAL,
    POLLOUT,
    POLLPRI,
    DescriptorWait,
    UrgentWait,
)
from .scheduler import park, scheduler

__all__ = [
    "POLLERR",
    "POLLHUP",
    "POLLIN",
    "POLLNVAL",
    "POLLOUT",
    "POLLPRI",
    "poll_block",
    "poll_list",
    "wait_readable",
    "wait_writable",
]


class HasFileno(Protocol):
    """A file or socket."""

    def fileno(self) -> int: ...


Descriptor = int | HasFileno


def _fileno(file: Descriptor) -> int:
    fd = file if isinstance(file, int) else file.fileno()
    if fd < 0:
        raise OSError(errno.EBADF, f"{os.strerror(errno.EBADF)}: {file!r} is closed")
    return fd


def wait_events(
    interest: dict[int, int], deadline: float | None, urgent: bool = False
) -> dict[int, int]:
    """Wait until something happens on a descriptor.

    Args:
        interest: event mask by descriptor; errors and hang-ups are always waited for.
        deadline: monotonic, or None.
        urgent: run before everything else that is ready: for the keyboard.
    Returns:
        What happened, by descriptor; empty when the deadline passed.
    Suspends: unless the deadline has passed already, or a descriptor needs no waiting.
    """
    current = getcurrent()
    if not hasattr(current, "switches"):
        scheduler.enter(current)
    wait = (UrgentWait if urgent else DescriptorWait)(current, interest)
    if not scheduler.poller.add(wait):
        return wait.events
    if deadline is not None:
        wait.deadline = deadline
        scheduler.add_timer(deadline, wait)
    try:
        park(wait)
    finally:
        if not wait.events:
            scheduler.poller.discard(wait)
    return wait.events


def poll_list(
    event_list: Iterable[tuple[Descriptor, int]], timeout: Timeout = None
) -> ItemsView[int, int]:
    """Wait until something happens on one of several descriptors.

    Args:
        event_list: pairs of a file (or descriptor) and a mask of POLL… events.
    Returns:
        Pairs of descriptor and events; none when the timeout expired.
    Suspends: always, unless a descriptor is bad.
    """
    interest: dict[int, int] = {}
    for file, mask in event_list:
        fd = file if isinstance(file, int) else file.fileno()
        interest[fd] = interest.get(fd, 0) | mask
    return wait_events(interest, expiry(timeout)).items()


def poll_block(
    event_list: Iterable[tuple[Descriptor, int]], timeout: float | None = None
) -> list[tuple[int, int]]:
    """Wait like `poll_list`, but hold up every other cothread meanwhile."""
    poll = _select.poll()
    for file, mask in event_list:
        poll.register(file, mask)
    return poll.poll(None if timeout is None else timeout * 1000)


def _wait_one(file: Descriptor, mask: int, timeout: Timeout) -> None:
    fd = _fileno(file)
    events = wait_events({fd: mask}, None if timeout is None else expiry(timeout))
    if not events:
        raise Timedout(f"Timed out waiting for descriptor {fd}")
    if events[fd] & POLLNVAL:
        raise OSError(errno.EBADF, f"{os.strerror(errno.EBADF)}: descriptor {fd}")


def wait_readable(file: Descriptor, timeout: Timeout = None) -> None:
    """Wait until reading from `file` would not block.

    Raises:
        Timedout: it still would.
        OSError: the descriptor is closed or bad, or is being closed by another cothread.
    Suspends: unless `file` is a plain file.
    """
    _wait_one(file, POLLIN, timeout)


def wait_writable(file: Descriptor, timeout: Timeout = None) -> None:
    """Wait until writing to `file` would not block.

    Raises:
        Timedout: it still would.
        OSError: the descriptor is closed or bad, or is being closed by another cothread.
    Suspends: unless `file` is a plain file.
    """
    _wait_one(file, POLLOUT, timeout)
