# SPDX-License-Identifier: Apache-2.0
"""Datagrams: searches go out, answers and beacons come in; the policy is in `protocol`."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from cothread import Event, Sleep, Spawn, Timedout
from cothread.clock import monotonic
from cothread.coselect import Watching, closing

from ..config import LOOPBACK, Address, Config
from ..protocol.beacons import Beacons, Hint, beacons_in
from ..protocol.commands import REPEATER_CONFIRM, REPEATER_REGISTER
from ..protocol.framing import HEADER, HEADER_SIZE, datagram_frames
from ..protocol.search import Search, search_replies

if TYPE_CHECKING:
    from .client import Client
    from .link import Link

RECEIVE_BUFFER: Final = 4 << 20
"""Asked of the kernel: the answers to 10,000 names may come faster than we look."""
DATAGRAMS_PER_TURN: Final = 64
LARGEST_DATAGRAM: Final = 0xFFFF
REGISTER_PERIODS_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0)
"""Between attempts to register with a repeater; it may come, go and forget us at any time."""


class Datagrams:
    """A UDP socket, and what takes its datagrams."""

    def __init__(self, name: str, take: Callable[[bytes, str], None]) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self.socket.bind(("", 0))
        self.bytes_in = 0
        self.bytes_out = 0
        self._take = take
        Watching(self.socket, self.take_arrived, name)

    def take_arrived(self) -> None:
        """Take a fair number of the datagrams that have arrived."""
        for _ in range(DATAGRAMS_PER_TURN):
            try:
                data, source = self.socket.recvfrom(LARGEST_DATAGRAM)
            except BlockingIOError:
                return
            except OSError:
                # ICMP errors of earlier sends surface here; they say nothing about other peers.
                continue
            self.bytes_in += len(data)
            self._take(data, source[0])

    def send(self, data: bytes, address: Address) -> OSError | None:
        """Send a datagram; return what went wrong, which must not stop anything."""
        try:
            self.bytes_out += self.socket.sendto(data, address)
        except OSError as exc:
            return exc
        return None

    def close(self) -> None:
        """Stop reading."""
        closing(self.socket)
        self.socket.close()

    def drop(self) -> None:
        """Let go of the socket in the child of a fork."""
        self.socket.close()


class Finder:
    """Looks for channels: drives the search policy with datagrams, name servers and beacons."""

    def __init__(self, client: Client, config: Config) -> None:
        self.search = Search(config.longest_search_period_s)
        self.replies = 0
        self._client = client
        self._config = config
        self._beacons = Beacons(monotonic())
        self._kicked: Event[None] = Event()
        self._complained: set[str] = set()
        self._name_servers: list[Link] = []
        self._datagrams = Datagrams("catools search replies", self._take_replies)
        sock = self._datagrams.socket
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, config.multicast_ttl)
        self._listener = Datagrams("catools beacons", self._take_beacons)
        self._registered = False
        self._tasks = [Spawn(self._run), Spawn(self._register)]
        self._tasks[0].name = "catools search"
        self._tasks[1].name = "catools repeater registration"

    # Searching

    def kick(self) -> None:
        """Look at the policy again in the next scheduler round: names were added."""
        self._kicked.Signal()

    def pump(self) -> None:
        """Send whatever is due now."""
        datagrams = self.search.due(monotonic())
        for datagram in datagrams:
            for address in self._config.addresses:
                error = self._datagrams.send(datagram, address)
                if error is not None:
                    self._complain(address, error)
            for link in self._name_servers:
                link.circuit.search(datagram[HEADER_SIZE:])
                link.flush_soon()

    def _complain(self, address: Address, error: OSError) -> None:
        text = f"searching at {address[0]}:{address[1]}: {error.strerror or error}"
        if text not in self._complained:
            self._complained.add(text)
            self._client.note(text)

    def _run(self) -> None:
        while True:
            self.pump()
            deadline = self.search.deadline()
            try:
                self._kicked.Wait(None if deadline is None else max(0.0, deadline - monotonic()))
            except Timedout:
                continue

    def _take_replies(self, data: bytes, source: str) -> None:
        replies = search_replies(data, source, self._config.server_port)
        if replies:
            self.replies += sum(len(cids) for cids, *_ in replies)
            self._client.located(replies)
            # Answers open the window for more.
            self._kicked.Signal()

    # Name servers

    def add_name_server(self, link: Link) -> None:
        """Search through a circuit as well, from now on."""
        if link not in self._name_servers:
            self._name_servers.append(link)
            self.search.boost(monotonic())
            self.kick()

    def remove_name_server(self, link: Link) -> None:
        """Stop using a circuit that is down."""
        if link in self._name_servers:
            self._name_servers.remove(link)

    # Beacons

    def _register(self) -> None:
        """Ask a repeater, if there is one, to pass beacons on; ask again, for it may restart."""
        message = HEADER.pack(REPEATER_REGISTER, 0, 0, 0, 0, 0)
        repeater = (LOOPBACK, self._config.repeater_port)
        attempt = 0
        while True:
            self._registered = False
            self._listener.send(message, repeater)
            Sleep(REGISTER_PERIODS_S[attempt])
            last = len(REGISTER_PERIODS_S) - 1
            attempt = last if self._registered else min(attempt + 1, last)

    def _take_beacons(self, data: bytes, source: str) -> None:
        now = monotonic()
        for beacon in beacons_in(data, source, self._config.server_port):
            hint = self._beacons.heard(beacon, now)
            if hint is Hint.NOTHING:
                continue
            self._client.probe(beacon[:2])
            if hint is Hint.CHANGED:
                self.search.boost(now)
                self.kick()
        if any(message[0] == REPEATER_CONFIRM for message in datagram_frames(data)):
            self._registered = True

    def forget_beacons(self, address: Address) -> None:
        """Start anew with a server whose circuit has closed."""
        self._beacons.forget(*address)

    # The end

    @property
    def bytes_in(self) -> int:
        """Bytes received in datagrams."""
        return self._datagrams.bytes_in + self._listener.bytes_in

    @property
    def bytes_out(self) -> int:
        """Bytes sent in datagrams."""
        return self._datagrams.bytes_out + self._listener.bytes_out

    def close(self) -> None:
        """Stop everything."""
        for task in self._tasks:
            task.Cancel()
        self._datagrams.close()
        self._listener.close()

    def drop(self) -> None:
        """Let go of the sockets in the child of a fork."""
        self._datagrams.drop()
        self._listener.drop()
