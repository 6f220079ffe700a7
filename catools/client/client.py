# SPDX-License-Identifier: Apache-2.0
"""The client: its channels, its circuits, and what happens when either come and go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final
from weakref import WeakSet

from cothread import Event, Sleep, Spawn
from cothread.clock import monotonic

from ..config import Address, Config, read_config
from ..conversion import message_memory
from ..errors import CAException, ca_nothing, no_name
from ..protocol.circuit import CircuitSettings
from ..protocol.commands import MAX_NAME
from ..protocol.eca import ECA_BADSTR, ECA_CHANDESTROY, ECA_DISCONN
from ..protocol.framing import encode_name
from ..protocol.ids import IdSource
from ..protocol.patience import Patience
from ..protocol.records import CircuitChannel, WriteRefused
from ..protocol.search import Reply
from .channel import CLOSED, FOUND, NEW, NOTHING, SEARCHING, Channel, Waiter
from .discovery import Finder
from .dispatcher import MOST_WAITING, Dispatcher
from .ending import read_to_end
from .link import Link
from .monitors import Feed, Monitor
from .name_servers import NameServers
from .notices import Notices
from .statistics import Statistics, statistics
from .threads import in_scheduler
from .unwanted import Unwanted

CIRCUIT_LINGER_S: Final = 10.0
"""A circuit without channels is kept this long, since the next channel often comes soon."""

living: Final[WeakSet[Client]] = WeakSet()
"""All clients of this process: the child of a fork has to let go of each."""


class Client:
    """One Channel Access client: a context of its own, with its own circuits.

    `catools.caget` and its companions share one, `default_client()`. What is not in the reference
    is between the parts of the client.

    Args:
        config: by default what the environment, `EPICS_CA_*`, says at this moment.
    Attributes:
        config: the settings it has started with.
        closed: whether it has been closed.
    """

    def __init__(self, config: Config | None = None) -> None:
        self.config = config if config is not None else read_config()
        self.settings = CircuitSettings(
            user=self.config.user.encode("utf-8", "surrogateescape")[:511],
            host=self.config.host.encode("utf-8", "surrogateescape")[:511],
            connection_timeout_s=self.config.connection_timeout_s,
            max_payload=self.config.max_payload,
            memory=message_memory,
        )
        self.most_waiting = MOST_WAITING
        self.closed = False
        self.started_at = monotonic()
        self.channels: dict[str, Channel] = {}
        self.links: dict[Address, Link] = {}
        self.dispatcher = Dispatcher()
        self._by_cid: dict[int, Channel] = {}
        self._cids = IdSource()
        self._to_flush: list[Link] = []
        self._flush_event: Event[None] = Event()
        self._flusher: Spawn[None] | None = None
        self._tasks: list[Spawn[None]] = []
        self.unwanted = Unwanted(self)
        self.patience = Patience()
        self.name_servers = NameServers(self)
        self.closed_bytes = [0, 0]
        self.note = Notices()
        self.on_access: list[Callable[[Channel], None]] = []
        self.finder = Finder(self, self.config)
        living.add(self)
        for text in self.config.notices:
            self.note(text)
        if not self.config.addresses and not self.config.name_servers:
            self.note("no address to search: EPICS_CA_ADDR_LIST is empty, the automatic list off")
        for address in self.config.name_servers:
            self.name_servers.open(address)

    def spawn(self, name: str, function: Callable[..., None], *args: object) -> Spawn[None]:
        """Start a cothread that ends with the client at the latest."""
        self._tasks = [task for task in self._tasks if not task]
        task = Spawn(function, *args)
        task.name = f"catools {name}"
        self._tasks.append(task)
        return task

    # Channels

    def channel(self, name: str) -> Channel:
        """Return the channel of a PV, made if need be; searching begins with `want`.

        Raises:
            CAException: no PV can have this name.
            TypeError: it is not text.
        """
        found = self.channels.get(name)
        if found is not None:
            return found
        if not isinstance(name, str):
            raise no_name(name)
        try:
            raw_name = encode_name(name)
        except ValueError as exc:
            raise CAException(name, ECA_BADSTR, str(exc)) from None
        if len(raw_name) > MAX_NAME:
            reason = f"the PV name has {len(raw_name)} bytes, more than {MAX_NAME}"
            raise CAException(name, ECA_BADSTR, reason)
        cid = self._cids.take(self._by_cid)
        channel = Channel(str(name), raw_name, cid, monotonic())
        self.channels[channel.name] = self._by_cid[cid] = channel
        return channel

    def want(self, channel: Channel, *, urgent: bool = False) -> None:
        """Search for a channel unless it is known where it is."""
        now = monotonic()
        channel.wanted_at = now
        if channel.phase is NEW:
            channel.phase = SEARCHING
            penalty = channel.refusals - 1
            self.finder.search.add(
                channel.cid, channel.raw_name, now, urgent=urgent, penalty=penalty
            )
            self.finder.kick()
        elif channel.phase is SEARCHING and urgent and not channel.refusals:
            self.finder.search.hurry(channel.cid, now)
            self.finder.kick()

    def wait_for(
        self, channels: Iterable[tuple[Channel, int]], waiter: Waiter, *, urgent: bool
    ) -> None:
        """Tell a waiter when channels connect that are needed for some of its entries."""
        now = monotonic()
        new: list[Channel] = []
        alone = (waiter,)
        expect = waiter.expect
        for channel, index in channels:
            expect(channel, index)
            if not channel.waiters:
                channel.waiters = alone
            elif waiter not in channel.waiters:
                channel.waiters += alone
            if channel.phase is NEW and not channel.refusals:
                channel.phase = SEARCHING
                channel.wanted_at = now
                new.append(channel)
            else:
                self.want(channel, urgent=urgent)
        names = ((channel.cid, channel.raw_name) for channel in new)
        self.finder.search.add_many(names, now, urgent=urgent)
        self.finder.kick()

    def forget_waiter(self, channel: Channel, waiter: Waiter, index: int) -> None:
        """Take back a `wait_for`."""
        if waiter in channel.waiters and waiter.forget(channel, index):
            channel.waiters = tuple(other for other in channel.waiters if other is not waiter)
        self.unwanted.add(channel)

    def close_channel(self, channel: Channel) -> None:
        """Forget a channel; whoever waits for it is told, and a later use makes a new one."""
        if self.channels.get(channel.name) is channel:
            del self.channels[channel.name]
        self._by_cid.pop(channel.cid, None)
        self.finder.search.remove(channel.cid, monotonic())
        channel.phase = CLOSED
        for feed in list(channel.feeds.values()):
            for monitor in list(feed.monitors):
                monitor.close()
        if channel.link is not None:
            channel.link.detach(channel)
        channel.record = None
        for waiter in channel.take_waiters():
            waiter.closed(channel, ECA_CHANDESTROY, "the channel was closed")

    @in_scheduler
    def purge(self) -> None:
        """Close every channel; later use of the same names makes new ones.

        Thread: any.
        """
        for channel in list(self.channels.values()):
            self.close_channel(channel)

    # Where channels are

    def located(self, replies: Sequence[Reply]) -> None:
        """Take the news which servers have which channels."""
        now = monotonic()
        find = self._by_cid.get
        answered = self.finder.search.answered
        for cids, host, port, version in replies:
            found: list[Channel] = []
            for cid in cids:
                channel = find(cid)
                if channel is None:
                    continue
                if channel.link is not None:
                    self._located_again(channel, channel.link, (host, port))
                elif answered(cid, now):
                    channel.phase = FOUND
                    found.append(channel)
            if found:
                self.link_to((host, port), version).attach(found)

    def _located_again(self, channel: Channel, link: Link, address: Address) -> None:
        if address == link.address or address in channel.alternates:
            return
        channel.alternates += (address,)
        self.note(
            f"{channel.name} is served by {link.name}, which is used, and by "
            f"{address[0]}:{address[1]} as well; of other PVs cainfo(pv).alternates tells",
            about=(link.address, address),
        )

    def link_to(self, address: Address, version: int) -> Link:
        """Return the circuit to a server, opened if need be."""
        link = self.links.get(address)
        if link is None:
            link = Link(self, address, self.patience.echo_timeout(address, monotonic()))
            link.version_hint = version
            self.links[address] = link
        return link

    # What circuits report

    def link_up(self) -> None:
        """Take the news of a new circuit: what we search for may have come with its server."""
        self.finder.search.boost(monotonic())
        self.finder.kick()

    def link_greeted(self, link: Link, version: int) -> None:
        """Take the server's revision."""
        self.name_servers.greeted(link, version)

    def link_down(self, link: Link, channels: list[Channel], reason: str, refused: bool) -> None:
        """Take the end of a circuit: its channels are searched for anew."""
        if self.links.get(link.address) is link:
            del self.links[link.address]
        self.closed_bytes[0] += link.bytes_in
        self.closed_bytes[1] += link.bytes_out
        self.name_servers.lost(link)
        self.finder.forget_beacons(link.address)
        if self.closed:
            return
        if refused:
            for channel in channels:
                self.channel_refused(channel, reason)
        else:
            self.channels_lost(channels, reason)

    def link_idle(self, link: Link) -> None:
        """Close a circuit some time after its last channel has gone."""
        if link.idle:
            self.spawn(f"linger {link.name}", self._close_if_idle, link)

    def _close_if_idle(self, link: Link) -> None:
        Sleep(CIRCUIT_LINGER_S)
        if link.idle:
            link.down("no channel needs it")

    def channels_connected(self, link: Link, records: Iterable[CircuitChannel]) -> None:
        """Take channels that are ready for use."""
        for record in records:
            record.token.connected(link, record)

    def channel_refused(self, channel: Channel, reason: str) -> None:
        """Take a channel that was found but could not be had; searching backs off."""
        channel.refusals += 1
        self._disconnect(channel, reason)
        self.want(channel)
        self.unwanted.add(channel)

    def channels_lost(self, channels: Iterable[Channel], reason: str) -> None:
        """Take channels that were lost together, and search for them at once."""
        names: list[tuple[int, bytes]] = []
        for channel in channels:
            self._disconnect(channel, reason)
            channel.phase = SEARCHING
            channel.wanted_at = monotonic()
            names.append((channel.cid, channel.raw_name))
            self.unwanted.add(channel)
        if names:
            self.finder.search.lost(names, monotonic())
            self.finder.kick()

    def _disconnect(self, channel: Channel, reason: str) -> None:
        """Forget everything that was known through the connection, its identifier included."""
        channel.link = None
        channel.record = None
        channel.requests = NOTHING
        channel.alternates = ()
        channel.lost_reason = reason
        channel.phase = NEW
        if channel.disconnected_at is None:
            channel.disconnected_at = monotonic()
        self._by_cid.pop(channel.cid, None)
        channel.cid = self._cids.take(self._by_cid)
        self._by_cid[channel.cid] = channel
        for feed in channel.feeds.values():
            feed.stop(ECA_DISCONN, reason)

    def access_changed(self, channel: Channel) -> None:
        """Take new access rights."""
        for listener in list(self.on_access):
            listener(channel)

    def write_refused(self, link: Link, event: WriteRefused) -> None:
        """Take the refusal of a put that was believed done."""
        channel: Channel = event.channel.token
        # An IOC of EPICS base says the name of the channel, and no more.
        said = event.detail if event.detail != channel.name else ""
        error = ca_nothing(channel.name, event.status, said or f"refused by {link.name}")
        if event.token is not None:
            event.token.refused(event.index, error)
        self.note(str(error))

    def probe(self, address: Address) -> None:
        """Ask a server for a sign of life, because a beacon hints at a change."""
        link = self.links.get(address)
        if link is not None and link.up:
            link.circuit.probe(monotonic())
            link.flush_soon()
            link.watch_sooner()

    # Monitors

    def monitor(
        self,
        name: str,
        callback: Callable[..., object],
        *,
        datatype: object,
        format: int,
        count: int,
        mask: int,
        index: int | None = None,
        all_updates: bool = False,
        notify_disconnect: bool = False,
        direct: bool = False,
    ) -> Monitor:
        """Begin to monitor a PV.

        Args:
            direct: call back from within the circuit, before everything else, without merging; for
                callbacks that only store the value and never suspend.
        """
        channel = self.channel(name)
        monitor = Monitor(
            channel.name,
            callback,
            index,
            self.dispatcher,
            all_updates=all_updates,
            notify_disconnect=notify_disconnect,
            direct=direct,
        )
        key = (datatype, format, count)
        feed = channel.feeds.get((*key, mask))
        if feed is None:
            feed = Feed(self, channel, key, mask)
            channel.add_feed((*key, mask), feed)
            if channel.record is not None and channel.link is not None:
                feed.start(channel.link, channel.record)
        monitor.attach(feed)
        self.want(channel)
        return monitor

    # Sending

    def flush_soon(self, link: Link) -> None:
        """Send what a circuit has queued at the end of this scheduler round."""
        self._to_flush.append(link)
        if self._flusher is None:
            self._flusher = self.spawn("flush", self._flush_rounds)
        elif len(self._to_flush) == 1:
            self._flush_event.Signal()

    def _flush_rounds(self) -> None:
        while True:
            to_flush, self._to_flush = self._to_flush, []
            for link in to_flush:
                link.flush()
            if not self._to_flush:
                self._flush_event.Wait()

    # The whole

    @in_scheduler
    def statistics(self) -> Statistics:
        """Return what the client has done and holds at this moment.

        Thread: any.
        """
        return statistics(self)

    @in_scheduler
    def close(self) -> None:
        """Send what is queued, then close every circuit and stop.

        Blocks, without letting other cothreads run, for 0.15 s at the very most.

        Thread: any.
        """
        self.close_here()

    def close_here(self) -> None:
        """Close in this thread: the scheduler's, or the last of the process."""
        if self.closed:
            return
        self.closed = True
        self.dispatcher.close()
        self.finder.close()
        for task in self._tasks:
            task.Cancel()
        links = list(self.links.values())
        read_to_end([sock for link in links if (sock := link.finish()) is not None])
        for link in links:
            link.end()
        for channel in self.channels.values():
            for waiter in channel.take_waiters():
                waiter.closed(channel, ECA_CHANDESTROY, "the client was closed")
            for feed in channel.feeds.values():
                for monitor in feed.monitors:
                    monitor.closed = True
        self.links.clear()
        self._by_cid.clear()
        self.channels.clear()

    def drop(self) -> None:
        """Forget everything without a word on the wire: this is the child of a fork."""
        self.closed = True
        self.finder.drop()
        for link in self.links.values():
            link.drop()
        self.links.clear()
