# SPDX-License-Identifier: Apache-2.0
"""Cooperative waiting for descriptors: select, poll, poll_list.

`select` and `poll` may stand in for those of the standard library (`select_hook`), so they also
work in ordinary threads, which they block.  Everything else here is for cothreads.
"""

from __future__ import annotations

import errno
import os
import select as _select
import sys
import threading
from collections.abc import Callable, ItemsView, Iterable
from select import POLLRDBAND, POLLRDNORM, POLLWRBAND, POLLWRNORM
from typing import Final, Protocol

from greenlet import getcurrent

from .clock import Timedout, Timeout, expiry, monotonic
from .poller import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLNVAL,
    POLLOUT,
    POLLPRI,
    DescriptorWait,
    UrgentWait,
    Watch,
)
from .scheduler import scheduler
from .switching import add_timer, park

__all__ = [
    "POLLERR",
    "POLLEXTRA",
    "POLLHUP",
    "POLLIN",
    "POLLNVAL",
    "POLLOUT",
    "POLLPRI",
    "POLLRDBAND",
    "POLLRDNORM",
    "POLLWRBAND",
    "POLLWRNORM",
    "SelectError",
    "Watching",
    "closing",
    "poll",
    "poll_block",
    "poll_list",
    "select",
    "select_hook",
    "wait_readable",
    "wait_writable",
]

if sys.platform == "linux":
    from select import POLLMSG, POLLRDHUP

    __all__ += ["POLLMSG", "POLLRDHUP"]

POLLEXTRA: Final = POLLERR | POLLHUP | POLLNVAL
"""What is always reported, asked for or not."""

_FAILURES: Final = {
    POLLERR: "Error on file descriptor",
    POLLHUP: "File descriptor disconnected",
    POLLNVAL: "Invalid descriptor",
}

# Kept, because `select_hook` replaces it.
_system_poll: Final = _select.poll


class HasFileno(Protocol):
    """A file or socket."""

    def fileno(self) -> int:
        """Return its descriptor."""


Descriptor = int | HasFileno


class SelectError(Exception):
    """A descriptor given to `select` has failed, or its other end is gone.

    Attributes:
        flags: which of POLLERR, POLLHUP and POLLNVAL happened.
        descriptors: on which descriptors.
    """

    def __init__(self, flags: int, descriptors: Iterable[int] = ()) -> None:
        super().__init__(flags)
        self.flags = flags
        self.descriptors = tuple(descriptors)

    def __str__(self) -> str:
        reasons = ", ".join(text for flag, text in _FAILURES.items() if self.flags & flag)
        which = f" ({', '.join(map(str, self.descriptors))})" if self.descriptors else ""
        return f"Select error: {reasons}{which}"


def _as_fd(file: Descriptor) -> int:
    return file if isinstance(file, int) else file.fileno()


def _fileno(file: Descriptor) -> int:
    fd = _as_fd(file)
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
    Suspends: unless a descriptor needs no waiting.
    """
    current = getcurrent()
    if not hasattr(current, "cpu_s"):
        scheduler.enter(current)
    wait = (UrgentWait if urgent else DescriptorWait)(current, interest)
    if not scheduler.poller.add(wait):
        return wait.events
    if deadline is not None:
        wait.deadline = deadline
        add_timer(deadline, wait)
    try:
        park(wait)
    finally:
        if not wait.events:
            scheduler.poller.discard(wait)
    return wait.events


def _collect(event_list: Iterable[tuple[Descriptor, int]]) -> dict[int, int]:
    interest: dict[int, int] = {}
    for file, mask in event_list:
        fd = _as_fd(file)
        interest[fd] = interest.get(fd, 0) | mask
    return interest


def poll_list(
    event_list: Iterable[tuple[Descriptor, int]], timeout: Timeout = None
) -> ItemsView[int, int]:
    """Wait until something happens on one of several descriptors.

    Args:
        event_list: pairs of a file (or descriptor) and a mask of POLL… events.
    Returns:
        Pairs of descriptor and events, POLLNVAL for a bad one; none when the timeout expired.
    Suspends: always, unless a descriptor is bad.
    """
    return wait_events(_collect(event_list), expiry(timeout)).items()


def poll_block(
    event_list: Iterable[tuple[Descriptor, int]], timeout: float | None = None
) -> list[tuple[int, int]]:
    """Wait like `poll_list`, but hold up every other cothread meanwhile.

    Thread: any.
    """
    return _block(_collect(event_list), None if timeout is None else monotonic() + timeout)


def _block(interest: dict[int, int], deadline: float | None) -> list[tuple[int, int]]:
    closed = [(fd, POLLNVAL) for fd in interest if fd < 0]
    if closed:
        return closed
    system = _system_poll()
    for fd, mask in interest.items():
        system.register(fd, mask)
    return system.poll(None if deadline is None else max(0.0, deadline - monotonic()) * 1000)


def wait_or_block(interest: dict[int, int], deadline: float | None) -> dict[int, int]:
    """Wait for descriptors: cooperatively in a cothread, by blocking in any other thread.

    Returns:
        What happened, by descriptor; empty when the deadline passed.
    Suspends: in the scheduler's thread, unless a descriptor is bad.
    Thread: any.
    """
    if threading.get_ident() == scheduler.thread_id:
        return wait_events(interest, deadline)
    return dict(_block(interest, deadline))


def select(
    iwtd: Iterable[Descriptor],
    owtd: Iterable[Descriptor],
    ewtd: Iterable[Descriptor],
    timeout: Timeout = None,
) -> tuple[list[Descriptor], list[Descriptor], list[Descriptor]]:
    """Wait until a descriptor is readable, writable or has urgent data.

    Returns:
        Those of each argument that are ready, as they were given; nothing at the timeout.
    Raises:
        SelectError: one of them has failed, or its other end is gone.
    Suspends: in the scheduler's thread, always, unless a descriptor is bad.
    Thread: any.
    """
    wanted = (
        [(file, POLLIN) for file in iwtd],
        [(file, POLLOUT) for file in owtd],
        [(file, POLLPRI) for file in ewtd],
    )
    interest = _collect([pair for pairs in wanted for pair in pairs])
    events = wait_or_block(interest, expiry(timeout))
    failed = {fd: mask & POLLEXTRA for fd, mask in events.items() if mask & POLLEXTRA}
    if failed:
        flags = 0
        for mask in failed.values():
            flags |= mask
        raise SelectError(flags, failed)
    readable, writable, urgent = (
        [file for file, mask in pairs if events.get(_as_fd(file), 0) & mask] for pairs in wanted
    )
    return readable, writable, urgent


class poll:  # noqa: N801 - stands in for select.poll
    """A set of descriptors to wait for together."""

    def __init__(self) -> None:
        self._interest: dict[int, int] = {}

    def register(self, file: Descriptor, events: int = POLLIN | POLLPRI | POLLOUT) -> None:
        """Add a descriptor, or change what is waited for on it."""
        self._interest[_fileno(file)] = events

    def modify(self, file: Descriptor, events: int) -> None:
        """Change what is waited for on a descriptor.

        Raises:
            FileNotFoundError: it is not registered.
        """
        fd = _fileno(file)
        if fd not in self._interest:
            raise FileNotFoundError(errno.ENOENT, f"descriptor {fd} is not registered")
        self._interest[fd] = events

    def unregister(self, file: Descriptor) -> None:
        """Remove a descriptor.

        Raises:
            KeyError: it is not registered.
        """
        del self._interest[_as_fd(file)]

    def poll(self, timeout: float | None = None) -> list[tuple[int, int]]:
        """Wait until something happens on one of the descriptors.

        Args:
            timeout: in milliseconds; None or a negative number is no timeout.
        Returns:
            Pairs of descriptor and events; none when the timeout expired.
        Suspends: in the scheduler's thread, always, unless a descriptor is bad.
        Thread: any.
        """
        forever = timeout is None or timeout < 0
        deadline = None if forever else expiry(timeout / 1000)  # type: ignore[operator]
        return list(wait_or_block(dict(self._interest), deadline).items())


def select_hook() -> None:
    """Make `select.select` and `select.poll` cooperative for the whole program."""
    _select.select = select  # type: ignore[assignment]
    _select.poll = poll  # type: ignore[assignment,misc]


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


class Watching:
    """Has a function called whenever a descriptor is readable.

    For engines that take in many small messages: beside a cothread that waits in `wait_readable`,
    two switches and a system call are saved each time.  The function is called by the scheduler
    itself, so it must not suspend, and should soon return.  It must read, or `pause`, or it is
    called again at once.  What it raises is reported.

    Args:
        file: a descriptor, or anything that has one.
        action: the function.
        name: of what is watched, for the report that it held the scheduler for long.
    """

    __slots__ = ("_watch",)

    def __init__(self, file: Descriptor, action: Callable[[], object], name: str) -> None:
        scheduler.start()
        self._watch = Watch(_fileno(file), action, name)
        scheduler.poller.watch(self._watch)

    def pause(self) -> None:
        """Call no more until `resume`."""
        scheduler.poller.unwatch(self._watch)

    def resume(self) -> None:
        """Go on after `pause`."""
        scheduler.poller.watch(self._watch)


def closing(file: Descriptor) -> None:
    """Say that a descriptor is about to be closed: it is watched no more, waiting for it fails."""
    scheduler.poller.closed(_fileno(file))
