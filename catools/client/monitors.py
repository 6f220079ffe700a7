# SPDX-License-Identifier: Apache-2.0
"""Monitors: who gets which update, in what order, and how much may wait.

Law: callbacks of all monitors run on one cothread, in the order in which the updates came. Merging
drops intermediate values only: the value before a pause, before a disconnect notice and before
silence is always delivered.

Theory: a Feed is one request on one channel, hence one subscription on the wire, shared by the
monitors that ask for exactly the same. An update costs no decoding until its callback is due, so
updates that are merged away are never decoded. In the queue a Slot holds the newest of a monitor's
pending updates; a tuple holds something that must not be merged. A notice takes the slot away from
its monitor, so that what comes after a reconnection can never overtake it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from cothread import Event, Spawn, Yield
from cothread import hooks as cothread_hooks
from cothread.clock import monotonic

from ..conversion import Request
from ..errors import InvalidDatatype, ca_nothing
from ..protocol.eca import ECA_BADTYPE
from ..protocol.records import Data

if TYPE_CHECKING:
    from ..protocol.records import CircuitChannel, Subscription
    from .channel import Channel, RequestKey
    from .link import Link

TURN_S: Final = 0.005
"""Callbacks run this long at most before everybody else gets a turn."""
MOST_WAITING: Final = 20000
"""Updates that may wait for callbacks before circuits are held back ..."""
RESUME_BELOW: Final = 5000
"""... until no more than these are left."""

Pending = tuple["Monitor", Request, Data, int]
"""(monitor, request, update, number of updates merged into this one)"""
Notice = tuple["Monitor", ca_nothing]


class Slot:
    """A place in the queue for the newest of the updates that wait for one monitor."""

    __slots__ = ("merged", "monitor", "request", "update")

    def __init__(self, monitor: Monitor, request: Request, update: Data) -> None:
        self.monitor = monitor
        self.request = request
        self.update = update
        self.merged = 1


class Monitor:
    """What `camonitor` returns for one PV.

    Attributes:
        name: the PV.
        callback: called with each value, and with the index when one was given.
        all_updates: every update is delivered; otherwise pending ones merge to the newest.
        notify_disconnect: a `ca_nothing` is delivered when the PV disconnects.
    """

    __slots__ = (
        "_dispatcher",
        "_feed",
        "_index",
        "_slot",
        "all_updates",
        "callback",
        "direct",
        "name",
        "notify_disconnect",
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
        self.all_updates = all_updates
        self.notify_disconnect = notify_disconnect
        self.direct = direct
        self._index = index
        self._dispatcher = dispatcher
        self._feed: Feed | None = None
        self._slot: Slot | None = None

    @property
    def closed(self) -> bool:
        """True once no callback will come any more."""
        return self._feed is None

    @property
    def channel(self) -> Channel | None:
        """The PV's channel; None once closed."""
        return self._feed.channel if self._feed is not None else None

    def attach(self, feed: Feed) -> None:
        """Begin to deliver what a feed brings."""
        self._feed = feed
        feed.join(self)

    def close(self) -> None:
        """Stop: no callback begins after this. Harmless when repeated."""
        feed, self._feed = self._feed, None
        self._slot = None
        if feed is not None:
            feed.leave(self)

    def offer(self, request: Request, update: Data) -> None:
        """Take an update, to be delivered when its turn comes."""
        if self.direct:
            self.run(request, update, 1)
        elif self.all_updates:
            self._dispatcher.queue.append((self, request, update, 1))
        elif self._slot is None:
            self._slot = Slot(self, request, update)
            self._dispatcher.queue.append(self._slot)
        else:
            self._slot.request = request
            self._slot.update = update
            self._slot.merged += 1

    def notice(self, value: ca_nothing) -> None:
        """Take the news that there are no values for now; the last value goes before it."""
        if self.direct:
            self._call(value)
            return
        self._slot = None
        self._dispatcher.queue.append((self, value))
        self._dispatcher.wake()

    def run_slot(self, slot: Slot) -> None:
        """Deliver the newest of the updates that waited.

        Suspends: if the callback does.
        """
        if self._slot is slot:
            self._slot = None
        self.run(slot.request, slot.update, slot.merged)

    def run(self, request: Request, update: Data, merged: int) -> None:
        """Decode an update and call back.

        Suspends: if the callback does.
        """
        if self._feed is None:
            return
        try:
            value = request.decode(update[3], update[2])
            value.update_count = merged
            if self._index is None:
                self.callback(value)
            else:
                self.callback(value, self._index)
        except Exception as exc:
            self._callback_failed(exc)

    def run_notice(self, value: ca_nothing) -> None:
        """Deliver a notice.

        Suspends: if the callback does.
        """
        if self._feed is not None:
            self._call(value)

    def _call(self, value: Any) -> None:
        try:
            if self._index is None:
                self.callback(value)
            else:
                self.callback(value, self._index)
        except Exception as exc:
            self._callback_failed(exc)

    def _callback_failed(self, exc: Exception) -> None:
        self.close()
        cothread_hooks.report(
            f"Subscription {self.name} callback raised exception; subscription {self.name} closed",
            exc,
        )

    def __repr__(self) -> str:
        return f"<Monitor {self.name}{', closed' if self.closed else ''}>"


class Feed:
    """One request on one channel, shared by the monitors that ask for exactly this."""

    __slots__ = ("_last", "_request", "channel", "key", "mask", "monitors", "subscription")

    def __init__(self, channel: Channel, key: RequestKey, mask: int) -> None:
        self.channel = channel
        self.key = key
        self.mask = mask
        self.monitors: list[Monitor] = []
        self.subscription: Subscription | None = None
        self._request: Request | None = None
        self._last: Data | None = None

    def join(self, monitor: Monitor) -> None:
        """Add a monitor; what the others have seen last is its first value."""
        self.monitors = [*self.monitors, monitor]
        if self._last is not None and self._request is not None:
            monitor.offer(self._request, self._last)
            monitor._dispatcher.wake()

    def leave(self, monitor: Monitor) -> None:
        """Take a monitor out; with the last one the subscription ends."""
        self.monitors = [other for other in self.monitors if other is not monitor]
        if self.monitors:
            return
        self.channel.feeds.pop((*self.key, self.mask), None)
        link = self.channel.link
        if self.subscription is not None and link is not None:
            link.unsubscribe(self.subscription)
        self.subscription = None

    def start(self, link: Link, record: CircuitChannel) -> None:
        """Subscribe on a new connection; the conversion is made anew for its type and length."""
        self._last = None
        try:
            self._request = request = self.channel.request(self.key)
        except InvalidDatatype as exc:
            self.tell(ECA_BADTYPE, str(exc))
            return
        self.subscription = link.subscribe(record, request, self.mask, self)

    def stop(self, status: int, detail: str) -> None:
        """Take the loss of the connection."""
        self.subscription = None
        self._last = None
        for monitor in self.monitors:
            if monitor.notify_disconnect:
                monitor.notice(ca_nothing(self.channel.name, status, detail))

    def tell(self, status: int, detail: str) -> None:
        """Pass on that the server cannot give values for now."""
        for monitor in self.monitors:
            monitor.notice(ca_nothing(self.channel.name, status, detail))

    def accept(self, update: Data) -> None:
        """Take an update from the circuit."""
        self._last = update
        request = self._request
        assert request is not None
        for monitor in self.monitors:
            monitor.offer(request, update)


class Dispatcher:
    """The cothread on which callbacks run, and what waits for it."""

    def __init__(self) -> None:
        self.queue: deque[Slot | Pending | Notice] = deque()
        self.delivered = 0
        self._event: Event[None] = Event()
        self._held: list[Link] = []
        self._task: Spawn[None] | None = None
        self._idle = False

    @property
    def full(self) -> bool:
        """True when circuits should stop bringing more."""
        return len(self.queue) > MOST_WAITING

    @property
    def held(self) -> int:
        """How many circuits are held back at the moment."""
        return len(self._held)

    def hold(self, link: Link) -> None:
        """Register a circuit to be told when it may go on."""
        if link not in self._held:
            self._held.append(link)

    def wake(self) -> None:
        """Have the queue worked off; call after filling it."""
        if not self.queue:
            return
        if self._task is None:
            self._task = Spawn(self._run)
            self._task.name = "catools monitors"
        elif self._idle:
            self._idle = False
            self._event.Signal()

    def close(self) -> None:
        """Stop delivering."""
        self.queue.clear()
        if self._task is not None:
            self._task.Cancel()
            self._task = None

    def _run(self) -> None:
        queue = self.queue
        while True:
            turn_ends = monotonic() + TURN_S
            while queue:
                item = queue.popleft()
                self.delivered += 1
                if isinstance(item, Slot):
                    item.monitor.run_slot(item)
                elif len(item) == 4:
                    item[0].run(*item[1:])
                else:
                    item[0].run_notice(item[1])
                if not self.delivered & 31 and monotonic() > turn_ends:
                    break
            if self._held and len(queue) < RESUME_BELOW:
                held, self._held = self._held, []
                for link in held:
                    link.resume()
            if queue:
                Yield()
            else:
                self._idle = True
                self._event.Wait()
