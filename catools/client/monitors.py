# SPDX-License-Identifier: Apache-2.0
"""Monitors: who gets which update, in what order, and how much may wait.

Law: callbacks of all monitors run on one cothread, in the order in which the updates came. Merging
drops intermediate values only: the value before a pause, before a disconnect notice and before
silence is always delivered.

Theory: a Feed is one request on one channel, hence one subscription on the wire, shared by the
monitors that ask for exactly the same. Its Tap is what the circuit hands updates to: a snapshot of
how to decode and whom to tell, replaced whenever either changes, so that an update always reaches
those who listened when it came. Nothing is decoded before its callback is due, so updates that are
merged away never are. In the queue stand updates as they came from the circuit, one by one or as
Streaks; Slots, each with the newest of the updates that wait for one merging monitor; and notices.
A notice takes the slot away from its monitor, so that what comes after a reconnection can never
overtake it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from cothread import hooks as cothread_hooks

from ..conversion import Request, RequestKey, RunReader
from ..errors import BadReply, InvalidDatatype, bare, ca_nothing
from ..protocol.dbr import DBR_TYPES
from ..protocol.eca import ECA_BADTYPE
from ..protocol.records import Data
from ..protocol.runs import Run, newest, payloads
from .dispatcher import LARGE, Dispatcher, Notice, Slot, Streak
from .threads import in_scheduler

if TYPE_CHECKING:
    from ..protocol.records import CircuitChannel, Subscription
    from .channel import Channel
    from .client import Client
    from .link import Link


class Monitor:
    """What `camonitor` returns for one PV.

    Attributes:
        name: the PV.
        callback: called with each value, and with the index when there is one.
        index: where the PV stands in a list of PVs, or None.
        all_updates: every update is delivered; otherwise pending ones merge to the newest.
        notify_disconnect: a `ca_nothing` is delivered when the PV disconnects.
        closed: no callback will come any more.
        on_close: called once when it closes.
    """

    __slots__ = (
        "_dispatcher",
        "_feed",
        "all_updates",
        "callback",
        "closed",
        "deliver",
        "direct",
        "index",
        "name",
        "notify_disconnect",
        "on_close",
        "slot",
    )

    def __init__(
        self,
        name: str,
        callback: Callable[..., object],
        index: int | None,
        dispatcher: Dispatcher,
        *,
        all_updates: bool,
        notify_disconnect: bool,
        direct: bool,
    ) -> None:
        self.name = name
        self.callback = callback
        self.index = index
        self.all_updates = all_updates
        self.notify_disconnect = notify_disconnect
        self.direct = direct
        self.deliver = callback if index is None else _with_index(callback, index)
        self._dispatcher = dispatcher
        self.closed = True
        self._feed: Feed | None = None
        # Where the newest update waits for its callback, while one does.
        self.slot: Slot | None = None
        self.on_close: Callable[[], None] | None = None

    @property
    def channel(self) -> Channel | None:
        """The PV's channel; None once closed."""
        return self._feed.channel if self._feed is not None else None

    def attach(self, feed: Feed) -> None:
        """Begin to deliver what a feed brings."""
        self._feed = feed
        self.closed = False
        feed.join(self)

    @in_scheduler
    def close(self) -> None:
        """Stop: no callback begins after this. Harmless when repeated.

        Thread: any.
        """
        feed, self._feed = self._feed, None
        on_close, self.on_close = self.on_close, None
        self.closed = True
        self.slot = None
        if on_close is not None:
            on_close()
        if feed is not None:
            feed.leave(self)

    def offer(self, update: Data) -> None:
        """Take an update that replaces the one that still waits, if any."""
        slot = self.slot
        if slot is None:
            self.slot = slot = Slot()
            slot.monitor = self
            slot.merged = 1
            self._dispatcher.queue.append(slot)
        else:
            slot.merged += 1
        slot.tap, _, slot.elements, slot.payload = update

    def notice(self, value: ca_nothing) -> None:
        """Take the news that there are no values for now; the last value goes before it."""
        if self.direct:
            self.call(value)
            return
        self.slot = None
        self._dispatcher.queue.append(Notice(self, value))
        self._dispatcher.wake()

    def run(self, update: Data) -> None:
        """Decode an update and call back.

        Suspends: if the callback does.
        """
        if self.closed:
            return
        try:
            value = update[0].decode(self.name, update[3], update[2])
            value.update_count = 1
            self.deliver(value)
        except BadReply as error:
            self.call(bare(error))
        except BaseException as exc:
            self.failed(exc)

    def call(self, value: ca_nothing) -> None:
        """Deliver a notice.

        Suspends: if the callback does.
        """
        if self.closed:
            return
        try:
            self.deliver(value)
        except BaseException as exc:
            self.failed(exc)

    def failed(self, exc: BaseException) -> None:
        """End this subscription and no other: they share the cothread that the callback was on."""
        if self._dispatcher.closed:
            raise exc
        self.close()
        cothread_hooks.report(
            f"Subscription {self.name} callback raised exception; subscription {self.name} closed",
            exc,
        )

    def __repr__(self) -> str:
        return f"<Monitor {self.name}{', closed' if self.closed else ''}>"


def _with_index(callback: Callable[..., object], index: int) -> Callable[[Any], object]:
    def deliver(value: Any) -> object:
        return callback(value, index)

    return deliver


class Tap:
    """Where the circuit puts the updates of one subscription, as long as nothing changes."""

    __slots__ = (
        "_append",
        "_at_once",
        "_merging",
        "decode",
        "feed",
        "kind",
        "large",
        "last",
        "merges",
        "only",
        "streaming",
    )

    def __init__(self, feed: Feed, request: Request, monitors: Sequence[Monitor]) -> None:
        self.feed = feed
        self.decode = request.decode
        # The update itself, or all messages of the run in which it came, or why there is none.  An
        # update names its tap: whoever takes the tap out of service clears this, or the two keep
        # each other.
        self.last: Data | bytes | ca_nothing | None = None
        self.large = False
        self.streaming = tuple(m for m in monitors if m.all_updates and not m.direct)
        # The one who listens, in the usual case that nobody else does.
        self.only = self.streaming[0] if len(self.streaming) == len(monitors) == 1 else None
        self._merging = tuple(m for m in monitors if not m.all_updates and not m.direct)
        self.merges = self._merging[0] if len(self._merging) == len(monitors) == 1 else None
        self._at_once = tuple(m for m in monitors if m.direct)
        self._append = feed.dispatcher.queue.append
        # Updates may come as runs where one listens, and alike are those for listeners of one sort.
        self.kind: RunReader | Newest | None = None
        if self.only is not None:
            self.kind = request.run
        elif self.merges is not None:
            self.kind = _NEWEST[request.dbr]

    def accept(self, update: Data) -> None:
        """Take an update from the circuit."""
        if len(update[3]) < LARGE:
            self.last = update
            if self.only is not None:
                self._append(update)
                return
        else:
            self.last = None
            self.large = True
            if self.streaming:
                self.feed.dispatcher.bytes += len(update[3])
        if self.streaming:
            self._append(update)
        for monitor in self._merging:
            monitor.offer(update)
        for monitor in self._at_once:
            monitor.run(update)

    def tell(self, status: int, detail: str) -> None:
        """Pass on that the server cannot give values for now."""
        self.feed.tell(status, detail)

    def failed(self, _index: int, _status: int, _detail: str) -> None:
        """Take the failure of a first read; the subscription itself will tell more."""


class FirstTap(Tap):
    """Takes the first value of one who joins; what follows comes to the feed's own."""

    __slots__ = ()

    def accept(self, update: Data) -> None:
        """Take the one update."""
        super().accept(update)
        self.last = None


class Newest:
    """The kind of runs of which each listener wants the newest update only."""

    __slots__ = ()


_NEWEST: Final = tuple(Newest() for _ in DBR_TYPES)


def accept_run(run: Run, dispatcher: Dispatcher) -> None:
    """Take a run of updates from a circuit: each is for the one who listens."""
    if isinstance(run.kind, Newest):
        _accept_newest(run, dispatcher)
        return
    messages = run.messages
    for tap in run.tokens:
        tap.last = messages
    dispatcher.append(Streak(run))


def _accept_newest(run: Run, dispatcher: Dispatcher) -> None:
    append = dispatcher.queue.append
    messages = run.messages
    for tap, (payload,) in zip(run.tokens, payloads(messages), strict=True):
        tap.last = messages
        # What `offer` does, written out.
        monitor = tap.merges
        slot = monitor.slot
        if slot is None:
            monitor.slot = slot = Slot()
            slot.monitor = monitor
            slot.merged = 1
            append(slot)
        else:
            slot.merged += 1
        slot.tap = tap
        slot.elements = 1
        slot.payload = payload


class Feed:
    """One request on one channel, shared by the monitors that ask for exactly this."""

    __slots__ = (
        "_client",
        "_request",
        "_tap",
        "channel",
        "dispatcher",
        "key",
        "mask",
        "monitors",
        "subscription",
    )

    def __init__(self, client: Client, channel: Channel, key: RequestKey, mask: int) -> None:
        self._client = client
        self.channel = channel
        self.key = key
        self.mask = mask
        self.dispatcher = client.dispatcher
        self.monitors: list[Monitor] = []
        self.subscription: Subscription | None = None
        self._request: Request | None = None
        self._tap: Tap | None = None

    def join(self, monitor: Monitor) -> None:
        """Add a monitor; what the others have seen last is its first value."""
        self.monitors.append(monitor)
        if self._tap is None or self._request is None:
            return
        last = self._tap.last
        self._change_tap()
        # Through a tap of its own, for the others have had this value.
        own = FirstTap(self, self._request, [monitor])
        if isinstance(last, bytes) and self.subscription is not None:
            last = (own, 0, 1, newest(last, self.subscription.ident))
        if isinstance(last, tuple):
            own.accept((own, *last[1:]))
            self.dispatcher.wake()
        elif isinstance(last, ca_nothing):
            monitor.notice(ca_nothing(last.name, last.errorcode, last.detail))
        elif self._tap.large:
            self._read_for(own)

    def leave(self, monitor: Monitor) -> None:
        """Take a monitor out; with the last one the subscription ends."""
        if monitor in self.monitors:
            self.monitors.remove(monitor)
        if self.monitors:
            self._change_tap()
            return
        self.channel.feeds.pop((*self.key, self.mask), None)
        link = self.channel.link
        if self.subscription is not None and link is not None:
            link.unsubscribe(self.subscription)
        self._end()
        self._client.unwanted.left(self.channel)

    def start(self, link: Link, record: CircuitChannel) -> None:
        """Subscribe on a new connection; the conversion is made anew for its type and length."""
        try:
            self._request = request = self.channel.request(self.key)
        except InvalidDatatype as exc:
            self.tell(ECA_BADTYPE, str(exc))
            return
        self._tap = Tap(self, request, self.monitors)
        self.subscription = link.subscribe(record, request, self.mask, self._tap)

    def stop(self, status: int, detail: str) -> None:
        """Take the loss of the connection."""
        self._end()
        for monitor in list(self.monitors):
            if monitor.notify_disconnect:
                monitor.notice(ca_nothing(self.channel.name, status, detail))

    def tell(self, status: int, detail: str) -> None:
        """Pass on that the server cannot give values for now."""
        if self._tap is not None:
            # Whoever joins now must not be told the value of before.
            self._tap.last = ca_nothing(self.channel.name, status, detail)
        for monitor in list(self.monitors):
            monitor.notice(ca_nothing(self.channel.name, status, detail))

    def _end(self) -> None:
        self.subscription = None
        self._request = None
        tap, self._tap = self._tap, None
        if tap is not None:
            tap.last = None

    def _change_tap(self) -> None:
        if self._tap is None or self._request is None or self.subscription is None:
            return
        before = self._tap
        self._tap = Tap(self, self._request, self.monitors)
        self._tap.last, before.last = before.last, None
        self._tap.large = before.large
        self.subscription.token = self._tap
        self.subscription.kind = self._tap.kind

    def _read_for(self, tap: Tap) -> None:
        """Fetch a first value for a monitor that has joined: the last was too large to keep."""
        channel, request = self.channel, self._request
        if channel.link is not None and channel.record is not None and request is not None:
            channel.link.read(channel.record, request, tap)
