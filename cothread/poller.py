# SPDX-License-Identifier: Apache-2.0
"""Which cothreads wait for which descriptors, and which descriptors are watched.

Law: a wait on descriptors is registered once, fires once, and is then gone from every descriptor
it named.  One kernel object (epoll where the system has it, poll elsewhere) serves all of them;
descriptors are armed one-shot, because a descriptor may be closed, and its number used again,
between any two waits: re-arming then fails with ENOENT and is answered by registering anew.

A watch stays registered, and its function is called in the hub (docs/decisions/0007).  While others
are ready, watches take no more of the time than they leave to them.
"""

from __future__ import annotations

import errno
import select
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol

from greenlet import greenlet

from . import hooks, switching
from .accounts import STALL_S, Accounts
from .waits import Wait, ready

__all__ = [
    "POLLERR",
    "POLLHUP",
    "POLLIN",
    "POLLNVAL",
    "POLLOUT",
    "POLLPRI",
    "DescriptorWait",
    "Poller",
    "UrgentWait",
    "Watch",
]

# epoll's and poll's event bits have the same values on every system that has epoll.
POLLIN = 0x01
POLLPRI = 0x02
POLLOUT = 0x04
POLLERR = 0x08
POLLHUP = 0x10
POLLNVAL = 0x20

_ALWAYS = POLLERR | POLLHUP | POLLNVAL
_READABLE = POLLIN | _ALWAYS


class DescriptorWait(Wait):
    """A cothread waiting for events on some descriptors.

    Attributes:
        interest: the event mask waited for, by descriptor.
        events: what happened, by descriptor; filled in when the wait is woken.
    """

    __slots__ = ("events", "interest")

    def __init__(self, strand: greenlet, interest: dict[int, int]) -> None:
        self.target = strand
        self.what: object = self
        self.deadline = self.outcome = None
        self.interest = interest
        self.events: dict[int, int] = {}

    def waiting_for(self) -> str:
        """Say in words which descriptors are waited for."""
        return ", ".join(_name_descriptor(fd) for fd in self.interest)


def _name_descriptor(fd: int) -> str:
    """Name a descriptor for people: the peer of a socket, otherwise its number."""
    try:
        sock = socket.socket(fileno=fd)
    except OSError:
        return f"descriptor {fd}"
    try:
        with suppress(OSError, ValueError, TypeError, IndexError):
            host, port = sock.getpeername()[:2]
            return f"socket {host}:{port}"
        with suppress(OSError, ValueError, TypeError, IndexError):
            host, port = sock.getsockname()[:2]
            return f"socket at {host}:{port}"
        return f"socket {fd}"
    finally:
        sock.detach()


def _union(fd: int, waits: Iterable[DescriptorWait]) -> int:
    mask = 0
    for wait in waits:
        mask |= wait.interest[fd]
    return mask


class UrgentWait(DescriptorWait):
    """A wait that overtakes everything that is ready: for the keyboard."""

    __slots__ = ()

    def wake(self) -> bool:
        """Make the cothread the next to run; False when the wait had ended already."""
        strand = self.target
        if strand is None:
            return False
        self.target = None
        ready.appendleft(strand)
        return True


class Watch:
    """A function that the hub calls whenever a descriptor is readable, or has failed.

    Attributes:
        name: of what is watched, for those who are told that it held the scheduler for long.
    """

    __slots__ = ("action", "fd", "name")

    def __init__(self, fd: int, action: Callable[[], object], name: str) -> None:
        self.fd = fd
        self.action = action
        self.name = name


class _Kernel(Protocol):
    """What the kernel object must do: arm a descriptor for one event or for all, and wait."""

    def arm(self, fd: int, mask: int) -> None: ...
    def keep(self, fd: int, mask: int) -> None: ...
    def disarm(self, fd: int) -> None: ...
    def wait(self, timeout: float | None) -> list[tuple[int, int]]: ...
    def fileno(self) -> int: ...
    def close(self) -> None: ...


class _Epoll:
    def __init__(self) -> None:
        self._epoll = select.epoll()
        self.fileno = self._epoll.fileno
        self.close = self._epoll.close
        self.wait = self._epoll.poll

    def arm(self, fd: int, mask: int) -> None:
        self.keep(fd, mask | select.EPOLLONESHOT)

    def keep(self, fd: int, mask: int) -> None:
        try:
            self._epoll.modify(fd, mask)
        except FileNotFoundError:
            self._epoll.register(fd, mask)

    def disarm(self, fd: int) -> None:
        with suppress(OSError):
            self._epoll.modify(fd, select.EPOLLONESHOT)


class _Poll:
    def __init__(self) -> None:
        self._poll = select.poll()
        self._kept: set[int] = set()

    def arm(self, fd: int, mask: int) -> None:
        self._kept.discard(fd)
        self._poll.register(fd, mask)

    def keep(self, fd: int, mask: int) -> None:
        self._kept.add(fd)
        self._poll.register(fd, mask)

    def disarm(self, fd: int) -> None:
        self._kept.discard(fd)
        with suppress(KeyError):
            self._poll.unregister(fd)

    def wait(self, timeout: float | None) -> list[tuple[int, int]]:
        fired = self._poll.poll(None if timeout is None else timeout * 1000)
        for fd, _ in fired:
            if fd not in self._kept:
                self.disarm(fd)
        return fired

    def fileno(self) -> int:
        raise OSError(errno.ENOSYS, "this system's poll cannot itself be waited for")

    def close(self) -> None:
        self._poll = select.poll()


class Poller:
    """The descriptors waited for, and the kernel object that watches them."""

    def __init__(self, accounts: Accounts) -> None:
        self._kernel: _Kernel = _Epoll() if hasattr(select, "epoll") else _Poll()
        self._accounts = accounts
        self._waits: dict[int, list[DescriptorWait]] = {}
        self._watches: dict[int, Watch] = {}
        self._fair_at = 0.0
        self.wake_fd, self._wake_w = socket.socketpair()
        self.wake_fd.setblocking(False)
        self._wake_w.setblocking(False)
        self._kernel.arm(self.wake_fd.fileno(), POLLIN)

    @property
    def busy(self) -> bool:
        """Whether any descriptor is waited for or watched."""
        return bool(self._waits or self._watches)

    @property
    def count(self) -> int:
        """How many descriptors are waited for or watched."""
        return len(self._waits.keys() | self._watches.keys())

    def fileno(self) -> int:
        """Return a descriptor that is readable when `poll` would find something."""
        return self._kernel.fileno()

    def wake_fileno(self) -> int:
        """Return the descriptor that a signal handler or another thread may write to."""
        return self._wake_w.fileno()

    def wake(self) -> None:
        """End a `poll` that is under way.

        Thread: any.
        """
        with suppress(BlockingIOError):
            self._wake_w.send(b"\0")

    def add(self, wait: DescriptorWait) -> bool:
        """Register a wait on all its descriptors.

        Returns:
            False when some descriptors need no waiting (bad ones, and plain files, which are
            always ready): the wait's `events` then say so and nothing is registered.
        """
        for fd, mask in wait.interest.items():
            waits = self._waits.get(fd)
            union = mask | _union(fd, waits) if waits else mask
            try:
                self._register(fd, union)
            except ValueError:
                # Negative: of a file that has been closed.
                wait.events[fd] = POLLNVAL
                continue
            except OSError as exc:
                # epoll refuses plain files and directories with EPERM; poll calls them ready.
                ready = mask & (POLLIN | POLLOUT) if exc.errno == errno.EPERM else POLLNVAL
                wait.events[fd] = ready
                continue
            if waits is None:
                self._waits[fd] = [wait]
            else:
                waits.append(wait)
        if wait.events:
            self.discard(wait)
            return False
        return True

    def discard(self, wait: DescriptorWait) -> None:
        """Take a wait off all its descriptors; harmless when it is not there."""
        for fd in wait.interest:
            waits = self._waits.get(fd)
            if waits is None or wait not in waits:
                continue
            waits.remove(wait)
            if not waits:
                del self._waits[fd]
            if waits or fd in self._watches:
                self._rearm(fd, waits)
            # What has fired is disarmed already, by having been armed one-shot.
            elif fd not in wait.events:
                self._kernel.disarm(fd)

    def watch(self, watch: Watch) -> None:
        """Have the hub call the function of `watch` from now on; harmless when repeated.

        Raises:
            OSError: the descriptor is bad.
        """
        self._kernel.keep(watch.fd, POLLIN | _union(watch.fd, self._waits.get(watch.fd, ())))
        self._watches[watch.fd] = watch

    def unwatch(self, watch: Watch) -> None:
        """End a watch; harmless when it has ended already."""
        if self._watches.get(watch.fd) is not watch:
            return
        del self._watches[watch.fd]
        waits = self._waits.get(watch.fd)
        if waits:
            self._rearm(watch.fd, waits)
        else:
            self._kernel.disarm(watch.fd)

    def watches(self, fd: int) -> bool:
        """Tell whether anyone waits for this descriptor.

        Thread: any.
        """
        return fd in self._waits

    def closed(self, fd: int) -> None:
        """Wake everyone who waits for a descriptor that is being closed, and end its watch."""
        self._watches.pop(fd, None)
        for wait in list(self._waits.get(fd, ())):
            self.discard(wait)
            wait.events[fd] = POLLNVAL
            wait.wake()

    def poll(self, timeout: float | None, *, others: bool = False) -> None:
        """Wait up to `timeout` seconds, and see to every descriptor that is ready.

        Args:
            others: somebody else is ready, so watches may be left for a later turn.
        """
        fired: list[DescriptorWait] = []
        readable: list[Watch] = []
        for fd, events in self._kernel.wait(timeout):
            watch = self._watches.get(fd)
            if watch is not None and events & _READABLE:
                readable.append(watch)
            waits = self._waits.get(fd)
            if waits is None:
                if watch is None and fd == self.wake_fd.fileno():
                    self._drain_wakes()
                continue
            for wait in waits:
                happened = events & (wait.interest[fd] | _ALWAYS)
                if happened:
                    if not wait.events:
                        fired.append(wait)
                    wait.events[fd] = happened
                    # Each event is for one waiter: a second one might read what is gone by then.
                    events &= ~happened | _ALWAYS
        for wait in fired:
            self.discard(wait)
            wait.wake()
        if readable and not (others and switching.clock() < self._fair_at):
            self._serve(readable)

    def _serve(self, readable: list[Watch]) -> None:
        started = now = switching.clock()
        for watch in readable:
            # An earlier one may have ended it, and its descriptor's number may be another's now.
            if self._watches.get(watch.fd) is not watch:
                continue
            try:
                watch.action()
            except Exception as exc:
                hooks.report(f"{watch.name} raised an exception", exc)
            before, now = now, switching.clock()
            if now - before > STALL_S:
                self._accounts.watched(watch.name, now - before)
        self._fair_at = now + (now - started)

    def forget_time(self) -> None:
        """Leave nobody any time for what was taken so far: another clock counts from now on."""
        self._fair_at = 0.0

    def recover(self) -> None:
        """Serve what a `poll` cut short by an exception has left undone."""
        waits = {id(wait): wait for queue in self._waits.values() for wait in queue}
        for wait in waits.values():
            if wait.events:
                self.discard(wait)
                wait.wake()
        for fd in self._waits.keys() | self._watches.keys():
            self._rearm(fd, self._waits.get(fd, ()))
        self._kernel.arm(self.wake_fd.fileno(), POLLIN)

    def _register(self, fd: int, mask: int) -> None:
        if fd in self._watches:
            self._kernel.keep(fd, POLLIN | mask)
        else:
            self._kernel.arm(fd, mask)

    def _rearm(self, fd: int, waits: Iterable[DescriptorWait]) -> None:
        try:
            self._register(fd, _union(fd, waits))
        except OSError:
            self.closed(fd)

    def _drain_wakes(self) -> None:
        with suppress(BlockingIOError):
            while len(self.wake_fd.recv(4096)) == 4096:
                pass
        self._kernel.arm(self.wake_fd.fileno(), POLLIN)

    def close(self) -> None:
        """Close the kernel object and the wake descriptors."""
        self._kernel.close()
        self.wake_fd.close()
        self._wake_w.close()
