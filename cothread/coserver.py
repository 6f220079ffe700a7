# SPDX-License-Identifier: Apache-2.0
"""Servers whose waiting suspends only their own cothread.

They are those of `socketserver` and `http.server` on cooperative sockets.  With CoThreadingMixIn
each request is handled in a cothread of its own.
"""

from __future__ import annotations

import errno
import http.server
import socketserver
import threading
from contextlib import suppress
from typing import Any, Final

from .clock import Timedout
from .coselect import wait_readable
from .cosocket import cosocket
from .errors import WasCancelled
from .scheduler import scheduler
from .tasks import Protect, Spawn, current
from .threads import CallbackResult
from .waiting import Sleep

__all__ = [
    "BaseServer",
    "CoThreadingHTTPServer",
    "CoThreadingMixIn",
    "CoThreadingTCPServer",
    "CoThreadingUDPServer",
    "HTTPServer",
    "TCPServer",
    "UDPServer",
]

_EXHAUSTED: Final = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
EXHAUSTED_S: Final = 0.05
"""Pause when a connection cannot be accepted for want of descriptors: it stays on offer."""


class BaseServer(socketserver.BaseServer):
    """A server that waits cooperatively for requests; its subclasses have a `fileno`."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._loop: Spawn[None] | None = None
        self._stopped = False

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """Handle requests until `shutdown`; at once when that has been called already.

        Args:
            poll_interval: how often to call `service_actions` at least, if the server has any.
        Suspends: unless the server has been shut down before.
        """
        if not self._stopped:
            passive = type(self).service_actions is socketserver.BaseServer.service_actions
            loop = Spawn(self._serve, None if passive else poll_interval, raise_on_wait=True)
            loop.name = f"{type(self).__name__} {self.server_address!r}"
            self._loop = loop
            try:
                loop.Wait()
            except WasCancelled:
                # By shutdown: that is how it is meant to end.
                pass
            finally:
                self._loop = None
                loop.Cancel()
        self._stopped = False

    def _serve(self, poll_interval: float | None) -> None:
        while True:
            try:
                wait_readable(self._descriptor(), poll_interval)
            except Timedout:
                pass
            else:
                self._handle_request_noblock()
            self.service_actions()

    def _descriptor(self) -> int:
        return self.fileno()  # type: ignore[attr-defined,no-any-return]

    def _handle_request_noblock(self) -> None:
        try:
            request, address = self.get_request()
        except OSError as exc:
            if exc.errno in _EXHAUSTED:
                Sleep(EXHAUSTED_S)
            return
        # A shutdown waits for the request under way.
        with Protect():
            try:
                if self.verify_request(request, address):
                    self.process_request(request, address)
                else:
                    self.shutdown_request(request)
            except Exception:
                self.handle_error(request, address)
                self.shutdown_request(request)
            except BaseException:
                self.shutdown_request(request)
                raise

    def shutdown(self) -> None:
        """Make `serve_forever` return, when the request under way has been handled.

        Suspends: while that lasts; but not when called by the handler of that request.
        Thread: any.
        """
        if threading.get_ident() != scheduler.thread_id:
            CallbackResult(self.shutdown)
            return
        self._stopped = True
        loop = self._loop
        if loop is not None:
            loop.Cancel()
            if loop is not current():
                with suppress(WasCancelled):
                    loop.Wait()

    def handle_request(self) -> None:
        """Handle one request, or call `handle_timeout` if there is none in time.

        Suspends: always.
        """
        try:
            wait_readable(self._descriptor(), self.timeout)
        except Timedout:
            self.handle_timeout()
        else:
            self._handle_request_noblock()


class TCPServer(BaseServer, socketserver.TCPServer):
    """A TCP server that waits cooperatively."""

    def __init__(
        self, server_address: Any, RequestHandlerClass: Any, bind_and_activate: bool = True
    ) -> None:
        super().__init__(server_address, RequestHandlerClass, False)
        self.socket = cosocket(_sock=self.socket)
        if bind_and_activate:
            try:
                self.server_bind()
                self.server_activate()
            except BaseException:
                self.server_close()
                raise


class UDPServer(TCPServer, socketserver.UDPServer):
    """A UDP server that waits cooperatively."""


class HTTPServer(TCPServer, http.server.HTTPServer):
    """An HTTP server that waits cooperatively."""


class CoThreadingMixIn(socketserver.ThreadingMixIn):
    """Handles each request in a cothread of its own."""

    def process_request(self, request: Any, client_address: Any) -> None:
        """Spawn the handling of a request."""
        task = Spawn(self.process_request_thread, request, client_address)
        task.name = f"{type(self).__name__} request of {client_address!r}"


class CoThreadingTCPServer(CoThreadingMixIn, TCPServer):
    """A TCP server that handles each connection in a cothread of its own."""


class CoThreadingUDPServer(CoThreadingMixIn, UDPServer):
    """A UDP server that handles each datagram in a cothread of its own."""


class CoThreadingHTTPServer(CoThreadingMixIn, HTTPServer):
    """An HTTP server that handles each connection in a cothread of its own."""
