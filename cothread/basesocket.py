# SPDX-License-Identifier: Apache-2.0
"""A socket that suspends only its own cothread.

It is the standard library's socket with the waiting done by the scheduler: the descriptor itself
never blocks, and the timeout is kept here.  So `isinstance` holds, `makefile` and `with` work, and
everything built on sockets becomes cooperative when it is given these.
"""

from __future__ import annotations

import errno
import os
import socket as _socket
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from .clock import Timedout, expiry
from .coselect import wait_or_block
from .poller import POLLIN, POLLNVAL, POLLOUT
from .resolving import addresses
from .scheduler import scheduler
from .waiting import Yield

if TYPE_CHECKING:
    from socket import _SendableFile

    from _typeshed import ReadableBuffer, WriteableBuffer

__all__ = ["let_others_run", "socket"]

P = ParamSpec("P")
T = TypeVar("T")

TURNS: Final = 64
"""Operations in a row that need no waiting, after which others get a turn."""
FULL_BACKLOG_S: Final = 0.01
"""Pause before connecting again to a local socket whose queue is full: nothing tells of its end."""

_UNDER_WAY: Final = {errno.EINPROGRESS, errno.EALREADY}
_NAMED: Final = {_socket.AF_INET, _socket.AF_INET6}
_SPECIAL: Final = ("", "<")
"""How hosts begin that are no names: any address, and `<broadcast>`."""
# As an int: `&` with the enumeration itself costs as much as the system call.
_DONTWAIT: Final = int(getattr(_socket, "MSG_DONTWAIT", 0))

_in_a_row = 0


def let_others_run() -> None:
    """Give way now and then: a fast peer could keep a cothread from ever waiting.

    Before an operation and not after it, because a cancellation may arrive here.

    Suspends: once in a while.
    """
    global _in_a_row
    _in_a_row += 1
    if _in_a_row > TURNS and threading.get_ident() == scheduler.thread_id:
        _in_a_row = 0
        Yield()


def _close_descriptor(fd: int) -> None:
    scheduler.poller.closed(fd)
    os.close(fd)


class socket(_socket.socket):  # noqa: N801 - stands in for socket.socket
    """A cooperative socket.

    Args:
        fileno: take over this descriptor; what is not given is found out from it.
        _sock: take over the descriptor of this socket.

    Methods that would block suspend the calling cothread instead, up to the socket's timeout;
    many operations in a row suspend it too, so that nobody starves.  In an ordinary thread they
    block that thread.
    """

    def __init__(
        self,
        family: int = -1,
        type: int = -1,
        proto: int = -1,
        fileno: int | None = None,
        _sock: _socket.socket | None = None,
    ) -> None:
        if _sock is not None:
            family, type, proto = _sock.family, _sock.type, _sock.proto
            fileno = _sock.detach()
        super().__init__(family, type, proto, fileno)
        self._timeout = _socket.getdefaulttimeout()
        super().setblocking(False)

    # -- timeouts

    @property
    def timeout(self) -> float | None:
        """How long operations may take, in seconds; None is for ever, 0 not at all."""
        return self._timeout

    def gettimeout(self) -> float | None:
        """Return how long operations may take, in seconds; None is for ever, 0 not at all."""
        return self._timeout

    def settimeout(self, value: float | None, /) -> None:
        """Set how long operations may take, in seconds; None is for ever, 0 not at all."""
        super().settimeout(value)
        self._timeout = super().gettimeout()
        super().setblocking(False)

    def getblocking(self) -> bool:
        """Tell whether operations may wait at all."""
        return self._timeout != 0

    def setblocking(self, flag: bool, /) -> None:
        """Let operations wait for ever, or not at all."""
        self.settimeout(None if flag else 0.0)

    def _wait(self, mask: int, deadline: float | None) -> None:
        global _in_a_row
        _in_a_row = 0
        fd = self.fileno()
        if fd < 0:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        events = wait_or_block({fd: mask}, deadline)
        if not events:
            raise Timedout("timed out")
        if events[fd] & POLLNVAL:
            raise OSError(errno.EBADF, f"{os.strerror(errno.EBADF)}: closed while waiting for it")

    def _do(
        self, mask: int, flags: int, action: Callable[P, T], *args: P.args, **kargs: P.kwargs
    ) -> T:
        """Call `action`, waiting for `mask` as often as it would block."""
        if self._timeout == 0 or flags & _DONTWAIT:
            return action(*args, **kargs)
        let_others_run()
        try:
            return action(*args, **kargs)
        except BlockingIOError:
            deadline = expiry(self._timeout)
        while True:
            self._wait(mask, deadline)
            try:
                return action(*args, **kargs)
            except BlockingIOError:
                continue

    # -- connections

    def accept(self) -> tuple[_socket.socket, Any]:
        """Return a new connection and the address of its other end.

        Suspends: unless somebody has connected already.
        """
        fd, address = self._do(POLLIN, 0, self._accept)  # type: ignore[attr-defined]
        return socket(self.family, self.type, self.proto, fileno=fd), address

    def connect(self, address: Any, /) -> None:
        """Connect to an address; a host name is looked up first.

        Suspends: until the other end has answered.
        """
        error = self._connect(address)
        if error:
            raise OSError(error, os.strerror(error))

    def connect_ex(self, address: Any, /) -> int:
        """Connect to an address as `connect` does.

        Returns:
            0, or the error number.
        Suspends: until the other end has answered.
        """
        try:
            return self._connect(address)
        except Timedout:
            return errno.EAGAIN

    def _connect(self, address: Any) -> int:
        if self._timeout != 0 and self.family in _NAMED:
            address = self._look_up(address)
        error = super().connect_ex(address)
        if self._timeout == 0:
            return error
        deadline = expiry(self._timeout)
        while error == errno.EAGAIN and self.family == _socket.AF_UNIX:
            if deadline is not None and deadline <= scheduler.clock():
                raise Timedout("timed out")
            wait_or_block({}, expiry(FULL_BACKLOG_S))
            error = super().connect_ex(address)
        if error in _UNDER_WAY:
            self._wait(POLLOUT, deadline)
            error = self.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
        return error

    def _look_up(self, address: Any) -> Any:
        """Return the address with its host as a number, so that connecting cannot block."""
        try:
            host, port, *rest = address
            if not isinstance(host, str) or not isinstance(port, int) or host[:1] in _SPECIAL:
                return address
        except (TypeError, ValueError):
            return address  # connecting says what is wrong with it
        found = addresses(host, port, family=self.family, type=self.type)
        return (found[0][4][0], port, *(rest or found[0][4][2:]))

    def detach(self) -> int:
        """Give the descriptor away, in the state that a plain socket's would be in."""
        fd = super().detach()
        if fd >= 0:
            os.set_blocking(fd, self._timeout is None)
        return fd

    def _real_close(self) -> None:
        fd = self.fileno()
        if fd >= 0 and scheduler.started and scheduler.poller.watches(fd):
            if threading.get_ident() == scheduler.thread_id:
                scheduler.poller.closed(fd)
            else:
                # Its number must not be used again before those who wait for it are told.
                scheduler.call_soon_threadsafe(lambda: _close_descriptor(fd))
                super().detach()
        super()._real_close()  # type: ignore[misc]

    # -- receiving

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Receive up to `bufsize` bytes; none at the end of the stream.

        Suspends: unless data has arrived already.
        """
        return self._do(POLLIN, flags, super().recv, bufsize, flags)

    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> int:
        """Receive into a buffer, and return the number of bytes.

        Suspends: unless data has arrived already.
        """
        return self._do(POLLIN, flags, super().recv_into, buffer, nbytes, flags)

    def recvfrom(self, bufsize: int, flags: int = 0, /) -> tuple[bytes, Any]:
        """Receive data, and return it with the address it came from.

        Suspends: unless data has arrived already.
        """
        return self._do(POLLIN, flags, super().recvfrom, bufsize, flags)

    def recvfrom_into(
        self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0
    ) -> tuple[int, Any]:
        """Receive into a buffer, and return the number of bytes and the address they came from.

        Suspends: unless data has arrived already.
        """
        return self._do(POLLIN, flags, super().recvfrom_into, buffer, nbytes, flags)

    def recvmsg(
        self, bufsize: int, ancbufsize: int = 0, flags: int = 0, /
    ) -> tuple[bytes, list[tuple[int, int, bytes]], int, Any]:
        """Receive data with what accompanies it.

        Suspends: unless data has arrived already.
        """
        return self._do(POLLIN, flags, super().recvmsg, bufsize, ancbufsize, flags)

    def recvmsg_into(
        self, buffers: Iterable[WriteableBuffer], ancbufsize: int = 0, flags: int = 0, /
    ) -> tuple[int, list[tuple[int, int, bytes]], int, Any]:
        """Receive into buffers, with what accompanies the data.

        Suspends: unless data has arrived already.
        """
        return self._do(POLLIN, flags, super().recvmsg_into, buffers, ancbufsize, flags)

    # -- sending

    def send(self, data: ReadableBuffer, flags: int = 0, /) -> int:
        """Send some of `data`, and return how many bytes.

        Suspends: unless there is room for the data.
        """
        return self._do(POLLOUT, flags, super().send, data, flags)

    def sendall(self, data: ReadableBuffer, flags: int = 0, /) -> None:
        """Send all of `data`, within one timeout.

        Suspends: unless there is room for the data.
        """
        if self._timeout == 0:
            super().sendall(data, flags)
            return
        deadline = expiry(self._timeout)
        let_others_run()
        with memoryview(data) as view, view.cast("B") as rest:
            sent = 0
            while sent < len(rest):
                try:
                    sent += super().send(rest[sent:], flags)
                except BlockingIOError:
                    self._wait(POLLOUT, deadline)

    def sendto(self, data: ReadableBuffer, *args: Any) -> int:
        """Send `data`, optionally with flags, to an address.

        Suspends: unless there is room for the data.
        """
        flags = args[0] if len(args) > 1 else 0
        return self._do(POLLOUT, flags, super().sendto, data, *args)

    def sendmsg(
        self,
        buffers: Iterable[ReadableBuffer],
        ancdata: Iterable[tuple[int, int, ReadableBuffer]] = (),
        flags: int = 0,
        address: Any = None,
        /,
    ) -> int:
        """Send data with what accompanies it.

        Suspends: unless there is room for the data.
        """
        return self._do(POLLOUT, flags, super().sendmsg, buffers, ancdata, flags, address)

    def sendfile(self, file: _SendableFile, offset: int = 0, count: int | None = None) -> int:
        """Send a file until its end, or `count` bytes of it, and return how many.

        Suspends: unless there is room for the data.
        """
        # The other way that the standard library knows blocks in a selector.
        return self._sendfile_use_send(file, offset, count)  # type: ignore[attr-defined,no-any-return]
