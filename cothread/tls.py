# SPDX-License-Identifier: Apache-2.0
"""TLS over cooperative sockets: `SSLContext.wrap_socket` of one gives one of these."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from .basesocket import let_others_run, socket
from .clock import expiry
from .poller import POLLIN, POLLOUT

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["TLSSocket", "install"]

P = ParamSpec("P")
T = TypeVar("T")


class TLSSocket(ssl.SSLSocket, socket):  # type: ignore[misc]
    """A TLS connection that suspends only its own cothread."""

    @classmethod
    def _create(cls, sock: Any, *args: Any, **kargs: Any) -> ssl.SSLSocket:
        """Make the TLS socket that suits `sock`: called by `SSLContext.wrap_socket`."""
        if isinstance(sock, socket):
            return super()._create(sock, *args, **kargs)  # type: ignore[misc,no-any-return]
        return ssl.SSLSocket._create(sock, *args, **kargs)  # type: ignore[attr-defined,no-any-return]

    def _tls(self, action: Callable[P, T], *args: P.args, **kargs: P.kwargs) -> T:
        """Call `action`, waiting as often as the TLS layer needs the other end for it."""
        deadline = expiry(self._timeout)
        if self._timeout != 0:
            let_others_run()
        while True:
            try:
                return action(*args, **kargs)
            except ssl.SSLWantReadError:
                if self._timeout == 0:
                    raise
                self._wait(POLLIN, deadline)
            except ssl.SSLWantWriteError:
                if self._timeout == 0:
                    raise
                self._wait(POLLOUT, deadline)

    def do_handshake(self, block: bool = False) -> None:
        """Agree on keys with the other end.

        Suspends: until the other end has answered.
        """
        if block and self._timeout == 0:
            self._timeout = None
            try:
                self._tls(super().do_handshake)
            finally:
                self._timeout = 0.0
        else:
            self._tls(super().do_handshake)

    def read(self, len: int = 1024, buffer: Any = None) -> Any:
        """Receive up to `len` bytes, and return them or put them into `buffer`.

        Suspends: unless data has arrived already.
        """
        return self._tls(super().read, len, buffer)

    def write(self, data: ReadableBuffer) -> int:
        """Send some of `data`, and return how many bytes.

        Suspends: unless there is room for the data.
        """
        return self._tls(super().write, data)

    def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        """Send some of `data`, and return how many bytes.

        Suspends: unless there is room for the data.
        """
        return self._tls(super().send, data, flags)

    def unwrap(self) -> Any:
        """End the TLS layer, and return the socket underneath it.

        Suspends: until the other end has answered.
        """
        return self._tls(super().unwrap)


def install() -> None:
    """Have every TLS context wrap cooperative sockets cooperatively, and others as ever."""
    ssl.SSLContext.sslsocket_class = TLSSocket
