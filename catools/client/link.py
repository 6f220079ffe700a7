# SPDX-License-Identifier: Apache-2.0
"""One TCP connection to a server: it carries bytes between a socket and a pure circuit.

Theory: a cothread connects; from then on the scheduler itself calls `_readable` whenever something
has arrived, so nothing reached from there may suspend. A drain cothread waits while the kernel
takes no more: reading never stops because writing blocks. A watch cothread sleeps until the
circuit's own deadline. Requests collect in the circuit and leave in one piece: at the end of the
scheduler round, or at once when the caller is going to wait.

Invariants: `down` takes effect once; after it the circuit gives and takes nothing.
"""

from __future__ import annotations

import errno
import socket
from collections import deque
from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from cothread import Event, Pulse, Sleep, Spawn, Timedout, Yield, current
from cothread.clock import monotonic
from cothread.coselect import Watching, closing, wait_writable

from ..conversion import Request
from ..protocol.circuit import Circuit, RequestRefused
from ..protocol.records import CircuitChannel, Item, Subscription
from .reports import handlers

if TYPE_CHECKING:
    from .channel import Channel
    from .client import Client
    from .monitors import Tap

BLOCK: Final = 65536
"""Bytes asked of the kernel at a time, unless a large message is under way: the reader's turn for
1,600 updates is half a millisecond."""
GOOD_PIECE: Final = 1 << 20
"""Bytes of a very large message worth waking up for: servers send it in a hundred small pieces."""
FLUSH_ABOVE: Final = 16384
"""Requests are sent as soon as this much has collected, so that the server can begin."""
MOST_UNSENT: Final = 64 << 20
"""Bytes that may wait for a server before further puts have to wait themselves."""
CONNECT_TIMEOUT_S: Final = 5.0
HARD_LIMIT: Final = 10
"""A held circuit with requests outstanding reads on until the queue is this many times full."""


class Link:
    """The connection to one server, and the circuit on it."""

    def __init__(self, client: Client, address: tuple[str, int], echo_timeout_s: float) -> None:
        self.client = client
        self.address = address
        self.name = f"{address[0]}:{address[1]}"
        self.up = False
        self.closed = False
        self.keep = False
        self.version_hint = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.connected_at: float | None = None
        self.channels: dict[int, Channel] = {}
        self.circuit: Circuit = None  # type: ignore[assignment]  # made once connected
        self._echo_timeout_s = echo_timeout_s
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._backlog: memoryview | None = None
        self._flush_asked = False
        self._writers: deque[Event[None]] = deque()
        self._held = False
        self._resumed = Pulse()
        self._handlers = handlers(self)
        self._reading: Watching | None = None
        self._watcher: Spawn[None] | None = None
        Spawn(self._connect).name = f"catools connecting {self.name}"

    # The cothreads

    def _connect(self) -> None:
        try:
            self._open()
        except (OSError, Timedout) as exc:
            self.down(f"no connection to {self.name}: {_reason(exc)}", refused=True)
            return
        self._reading = Watching(self._socket, self._readable, f"catools circuit {self.name}")
        self._watcher = Spawn(self._watch)
        self._watcher.name = f"catools echo {self.name}"
        self._create(self.channels.values())
        self.flush()
        self.client.link_up()

    def _open(self) -> None:
        sock = self._socket
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        status = sock.connect_ex(self.address)
        if status == errno.EINPROGRESS:
            wait_writable(sock, CONNECT_TIMEOUT_S)
            status = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if status:
            raise OSError(status, errno.errorcode.get(status, "unknown error"))
        now = monotonic()
        self.circuit = Circuit(
            self.client.settings,
            now,
            version_hint=self.version_hint,
            echo_timeout_s=self._echo_timeout_s,
        )
        self.up = True
        self.connected_at = now

    def _watch(self) -> None:
        """Sleep until the circuit's deadline, look, and so on."""
        while not self.closed:
            delay = self.circuit.deadline - monotonic()
            if delay > 0:
                Sleep(delay)
                continue
            if self._held:
                # We do not read, so silence is our own doing.
                self._resumed.Wait()
                continue
            # Whatever kept us from reading may not count against the server.
            while self.read_block():
                Yield()
            if not self.closed:
                self.handle(self.circuit.tick(monotonic()))
                self.flush()

    def watch_sooner(self) -> None:
        """Take into account that the circuit's deadline has moved forward."""
        # The watcher itself is going to look at it anyway.
        if self._watcher is not None and self._watcher is not current():
            self._watcher.Cancel()
            self._watcher = Spawn(self._watch)
            self._watcher.name = f"catools echo {self.name}"

    def _drain(self) -> None:
        """Send what the kernel would not take at once."""
        try:
            while self._backlog is not None and not self.closed:
                wait_writable(self._socket)
                backlog, self._backlog = self._backlog, None
                self._send(backlog)
                if self._backlog is None:
                    self.flush()
                self._make_room()
        except OSError as exc:
            self.down(f"connection to {self.name} lost: {_reason(exc)}")

    # Reading

    def _readable(self) -> None:
        try:
            self.read_block()
        except BaseException:
            # What was taken from the kernel is lost.
            self.down(f"reading from {self.name} was interrupted")
            raise

    def read_block(self) -> bool:
        """Take what has arrived; True when there may be more."""
        if self.closed:
            return False
        circuit = self.circuit
        data = b""
        asked = BLOCK
        try:
            if circuit.large is None:
                data = self._socket.recv(BLOCK)
                count = len(data)
            else:
                asked = len(circuit.large.room)
                count = self._socket.recv_into(circuit.large.room)
        except BlockingIOError:
            return False
        except OSError as exc:
            self.down(f"connection to {self.name} lost: {_reason(exc)}")
            return False
        if not count:
            self.down(f"{self.name} closed the connection")
            return False
        self.bytes_in += count
        if data:
            self.handle(circuit.receive(data, monotonic()))
        else:
            self.handle(circuit.filled(count, monotonic()))
        if circuit.large is not None:
            self._wake_for(min(len(circuit.large.room), GOOD_PIECE))
        elif not data:
            self._wake_for(1)
        return count == asked and not self._held and not self.closed

    def _wake_for(self, size: int) -> None:
        """Have the kernel wake us when this much has arrived, or the connection has ended."""
        with suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size)

    def handle(self, results: list[Item]) -> None:
        """Pass results on to those they are for."""
        handlers = self._handlers
        for item in results:
            if isinstance(item, tuple):
                item[0].accept(item)
            else:
                handlers[type(item)](item)
        dispatcher = self.client.dispatcher
        if dispatcher.queue:
            dispatcher.wake()
            if dispatcher.full and not self._held and not self.closed:
                self._hold()
        if self._held and self.up:
            self._read_or_pause()
        if self.up and self.circuit.outgoing:
            self.flush_soon()
        if self._writers:
            self._make_room()

    def _hold(self) -> None:
        """Stop the flood: callbacks are far behind.

        The server is asked to hold updates back as well, so that replies can still come through.
        """
        self._held = True
        self.circuit.events(on=False)
        self.flush()
        self.client.dispatcher.hold(self)

    def _read_or_pause(self) -> None:
        """While held back, read only what makes sense: when a reply is expected."""
        assert self._reading is not None
        limit = HARD_LIMIT * self.client.most_waiting
        if not self._held or (self.circuit.busy and self.client.dispatcher.waiting < limit):
            self._reading.resume()
        else:
            self._reading.pause()

    def resume(self) -> None:
        """Go on reading after having been held back."""
        if self.closed or not self._held:
            return
        self._held = False
        self._read_or_pause()
        self.circuit.events(on=True)
        self.flush_soon()
        self._resumed.Signal()

    # Writing

    def flush(self) -> None:
        """Send everything that is queued, or as much as the kernel takes."""
        self._flush_asked = False
        if self._backlog is None and self.up:
            data = self.circuit.take_output()
            if data:
                self._send(data)
        if self._held and self.up:
            self._read_or_pause()

    def flush_soon(self) -> None:
        """Send what is queued at the end of this scheduler round."""
        if not self._flush_asked:
            self._flush_asked = True
            self.client.flush_soon(self)

    def _send(self, data: bytes | memoryview) -> None:
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as exc:
            self.down(f"connection to {self.name} lost: {_reason(exc)}")
            return
        self.bytes_out += sent
        if sent < len(data):
            self._backlog = memoryview(data)[sent:]
            Spawn(self._drain).name = f"catools drain {self.name}"

    @property
    def backlog(self) -> int:
        """Bytes that wait to be sent."""
        waiting = len(self._backlog) if self._backlog is not None else 0
        if self.up:
            waiting += self.circuit.outgoing_size + self.circuit.queued_size
        return waiting

    @property
    def crowded(self) -> bool:
        """True when a put has to call `wait_for_room` before it may be sent."""
        return bool(self._writers) or self.backlog > MOST_UNSENT

    def wait_for_room(self, deadline: float | None) -> bool:
        """Wait until less waits to be sent, first come, first served; False at the deadline.

        Suspends: always. The connection may be gone afterwards.
        """
        turn: Event[None] = Event()
        self._writers.append(turn)
        try:
            while not self.closed and (self._writers[0] is not turn or self.backlog > MOST_UNSENT):
                turn.Wait(None if deadline is None else max(0.0, deadline - monotonic()))
        except Timedout:
            return False
        finally:
            self._writers.remove(turn)
            self._make_room()
        return True

    def _make_room(self) -> None:
        if self._writers and (self.closed or self.backlog <= MOST_UNSENT):
            self._writers[0].Signal()

    # What the client asks for

    def attach(self, channels: Collection[Channel]) -> None:
        """Create channels on this circuit, now or as soon as it is connected."""
        for channel in channels:
            self.channels[channel.cid] = channel
            channel.link = self
        if self.up:
            self._create(channels)
            self.flush_soon()

    def _create(self, channels: Collection[Channel]) -> None:
        self.circuit.create_many((each.cid, each.raw_name, each) for each in channels)

    def detach(self, channel: Channel) -> None:
        """Give a channel back to the server and forget it."""
        if self.channels.pop(channel.cid, None) is None:
            return
        channel.link = None
        record, channel.record = channel.record, None
        if self.up:
            record = record or self.circuit.channels.get(channel.cid)
            if record is not None:
                self.handle([*self.circuit.clear(record)])
                self.flush_soon()
        self.client.link_idle(self)

    def subscribe(
        self, record: CircuitChannel, request: Request, mask: int, tap: Tap
    ) -> Subscription | None:
        """Subscribe; a refusal is told to the tap."""
        try:
            subscription = self.circuit.subscribe(
                record, request.dbr, request.count, mask, tap, tap.kind
            )
        except RequestRefused as refusal:
            tap.tell(refusal.status, refusal.detail)
            return None
        self.flush_soon()
        return subscription

    def read(self, record: CircuitChannel, request: Request, tap: Tap) -> None:
        """Ask for one value on behalf of a monitor; refusals are of no interest."""
        with suppress(RequestRefused):
            self.circuit.read(record, request.dbr, request.count, tap)
            self.flush_soon()

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription."""
        if self.up:
            self.circuit.unsubscribe(subscription)
            self.flush_soon()

    # The end

    def down(self, reason: str, refused: bool = False, silent: bool = False) -> None:
        """Close the connection and tell everybody who depends on it. Harmless when repeated.

        Args:
            refused: it never came up, so its channels may well be somewhere else.
            silent: the server was given up because it did not answer.
        """
        if self.closed:
            return
        self.closed = True
        self.up = False
        self._backlog = None
        if self.circuit is not None:
            self.handle([*self.circuit.disconnected(reason)])
        channels = list(self.channels.values())
        self.channels.clear()
        self.end()
        if silent:
            self.client.patience.gave_up(self.address, monotonic())
        self.client.link_down(self, channels, reason, refused)

    def end(self) -> None:
        """Close the socket of a closed link, and let its cothreads end."""
        self._resumed.Signal()
        self._make_room()
        closing(self._socket)
        with suppress(OSError):
            # Or the server would not learn of it while a child of ours has the descriptor too.
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        if self._watcher is not None:
            watcher, self._watcher = self._watcher, None
            # The watcher itself may be the one to find the server dead.
            if watcher is not current():
                watcher.Cancel()

    @property
    def idle(self) -> bool:
        """True when nobody needs this connection."""
        return not self.channels and not self.keep and not self.closed

    def finish(self) -> socket.socket | None:
        """Stop, but send what is queued; return the socket to read to its end, if any.

        For the end of the process: blocks for a moment instead of suspending.
        """
        if self.closed:
            return None
        self.closed = True
        if not self.up:
            return None
        self.up = False
        sock = self._socket
        self.circuit.write_the_rest()
        pending = bytes(self._backlog or b"") + self.circuit.take_output()
        self._backlog = None
        self.handle([*self.circuit.disconnected("the client was closed")])
        try:
            sock.settimeout(0.1)
            if pending:
                sock.sendall(pending)
            sock.shutdown(socket.SHUT_WR)
            sock.setblocking(False)
        except OSError:
            return None
        return sock

    def drop(self) -> None:
        """Let go of the socket without a word: it belongs to the parent process."""
        self.closed = True
        self.up = False
        self._socket.close()


def _reason(exc: Exception) -> str:
    if isinstance(exc, Timedout):
        return f"no answer within {CONNECT_TIMEOUT_S:g} s"
    if isinstance(exc, OSError) and exc.errno:
        return exc.strerror or str(exc)
    return str(exc)
