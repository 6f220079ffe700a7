# SPDX-License-Identifier: Apache-2.0
"""The cothread on which the callbacks of monitors run, and what waits for it.

Law: callbacks run one at a time, in the order in which their updates came. What waits is bounded:
circuits that bring more than callbacks take are held back.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from cothread import Event, Spawn, Yield, current
from cothread.clock import monotonic

from ..conversion import Fields
from ..errors import BadReply, bare, ca_nothing
from ..protocol.records import Data
from ..protocol.runs import Run

if TYPE_CHECKING:
    from .link import Link
    from .monitors import Monitor, Tap

TURN_S: Final = 0.002
"""Callbacks run about this long before everybody else gets a turn."""
PIECE: Final = 32
"""Callbacks between two looks at the clock."""
MOST_WAITING: Final = 20000
"""Updates that may wait for callbacks before circuits are held back ..."""
MOST_BYTES: Final = 64 << 20
"""... or so much in large arrays ..."""
RESUME_BELOW: Final = 5000
"""... until no more than these are left, and half as many bytes."""
LARGE: Final = 4096
"""Payloads from here on are counted in bytes, and not kept for monitors that join later."""


class Slot:
    """A place in the queue for the newest of the updates that wait for one monitor.

    It has no `__init__`, which would take twice the time of all the rest.

    Attributes:
        merged: how many updates it stands for.
    """

    __slots__ = ("elements", "merged", "monitor", "payload", "tap")

    monitor: Monitor
    tap: Tap
    elements: int
    payload: bytes | memoryview
    merged: int

    def run(self) -> None:
        """Deliver it.

        Suspends: if the callback does.
        """
        monitor = self.monitor
        if monitor.slot is self:
            monitor.slot = None
        if monitor.closed:
            return
        # Fetched before they are called, which is faster for what is in slots.
        decode, callback, index = self.tap.decode, monitor.callback, monitor.index
        try:
            value = decode(monitor.name, self.payload, self.elements)
            value.update_count = self.merged
            # What `deliver` does, written out.
            if index is None:
                callback(value)
            else:
                callback(value, index)
        except BadReply as error:
            monitor.call(bare(error))
        except BaseException as exc:
            monitor.failed(exc)


class Notice:
    """A place in the queue for something that is no value."""

    __slots__ = ("monitor", "value")

    def __init__(self, monitor: Monitor, value: ca_nothing) -> None:
        self.monitor = monitor
        self.value = value

    def run(self) -> None:
        """Deliver it.

        Suspends: if the callback does.
        """
        self.monitor.call(self.value)


class Streak:
    """A place in the queue for a run of updates, each for one monitor."""

    __slots__ = ("fields", "left", "run")

    def __init__(self, run: Run) -> None:
        self.run = run
        self.left = len(run.tokens)
        self.fields: Fields | None = None


class Dispatcher:
    """The cothread on which callbacks run, and what waits for it."""

    def __init__(self) -> None:
        self.queue: deque[Any] = deque()
        """Slots, notices, streaks, and updates as they came from the circuit."""
        self.bytes = 0
        self._in_streaks = 0
        self.delivered = 0
        self._event: Event[None] = Event()
        self.closed = False
        self._held: list[Link] = []
        self._task: Spawn[None] | None = None
        self._idle = False

    @property
    def waiting(self) -> int:
        """How much waits for callbacks."""
        return len(self.queue) + self._in_streaks

    @property
    def full(self) -> bool:
        """True when circuits should stop bringing more."""
        return self.waiting > MOST_WAITING or self.bytes > MOST_BYTES

    @property
    def held(self) -> int:
        """How many circuits are held back at the moment."""
        return len(self._held)

    def hold(self, link: Link) -> None:
        """Register a circuit to be told when it may go on."""
        if link not in self._held:
            self._held.append(link)

    def append(self, streak: Streak) -> None:
        """Take many updates."""
        self.queue.append(streak)
        self._in_streaks += streak.left

    def wake(self) -> None:
        """Have the queue worked off; call after filling it."""
        if not self.queue or self.closed:
            return
        if self._task is None or self._task:
            # The first time, or somebody has cancelled it.
            self._idle = False
            self._task = Spawn(self._run)
            self._task.name = "catools monitors"
        elif self._idle:
            self._idle = False
            self._event.Signal()

    def close(self) -> None:
        """Stop delivering; the callback that does this may go on to its end."""
        self.closed = True
        self.queue.clear()
        self._held.clear()
        self.bytes = self._in_streaks = 0
        task, self._task = self._task, None
        if task is not None and task is not current():
            task.Cancel()

    def _run(self) -> None:
        queue = self.queue
        while not self.closed:
            turn_ends = monotonic() + TURN_S
            while queue and monotonic() < turn_ends:
                self._deliver()
            if self._held and self.waiting < RESUME_BELOW and self.bytes <= MOST_BYTES // 2:
                held, self._held = self._held, []
                for link in held:
                    link.resume()
            if queue:
                Yield()
            elif not self.closed:
                self._idle = True
                self._event.Wait()

    def _deliver(self) -> None:
        """Run the callbacks for some of what waits.

        Suspends: if a callback does.
        """
        queue = self.queue
        popleft = queue.popleft
        for _ in range(PIECE):
            if not queue:
                return
            item = popleft()
            kind = item.__class__
            if kind is Streak:
                self._deliver_streak(item)
                return
            self.delivered += 1
            if kind is tuple:
                self._deliver_update(item)
            else:
                item.run()

    def _deliver_update(self, update: Data) -> None:
        payload = update[3]
        if len(payload) >= LARGE:
            self.bytes -= len(payload)
        for monitor in update[0].streaming:
            monitor.run(update)

    def _deliver_streak(self, streak: Streak) -> None:
        """Run the callbacks for some updates of a streak; the rest goes back to the front.

        Suspends: if a callback does.
        """
        run, fields = streak.run, streak.fields
        if fields is None:
            fields = streak.fields = run.kind.fields(run.tokens, run.messages)
        run.kind.deliver(islice(fields, PIECE))
        if self.closed:
            return
        done = min(streak.left, PIECE)
        streak.left -= done
        self._in_streaks -= done
        self.delivered += done
        if streak.left:
            self.queue.appendleft(streak)
