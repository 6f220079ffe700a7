# SPDX-License-Identifier: Apache-2.0
"""The scheduler: what happens when cothreads do not simply run one after the other.

Theory: cothreads switch straight to each other (see `switching`).  The scheduler's own greenlet,
the hub, gets its turn when nothing is ready, and when it is due: at the next timer, and every
`TURN_S` while cothreads keep each other busy.  It expires timers, polls descriptors, and sleeps
when there is nothing else to do.

Invariants:
 * Whoever suspends late is charged with all the time since the hub's last turn: with thousands of
   turns a second that is a fair sample of who uses the processor, and a hog is always caught.
 * The next greenlet is popped and switched to without a call in between: a Python signal handler
   that raises can run only after a call, so it can never lose a cothread.
 * For the same reason, whoever wakes a waiter or expires a timer first does so, and then takes it
   off its queue: what is cut short is done again, and a wait that has ended cannot end twice.
 * The hub runs no user code but hooks, and survives everything those raise.
"""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from heapq import heappop
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from greenlet import getcurrent, greenlet

from . import hooks, switching
from .accounts import Accounts
from .clock import monotonic
from .errors import CothreadError, WrongThread
from .poller import Poller
from .stack import Berth, descend
from .waits import Thrower, Wait, ready

if TYPE_CHECKING:
    from .tasks import Spawn

__all__ = [
    "Scheduler",
    "Strand",
    "ready",
    "scheduler",
]

T = TypeVar("T")

TURN_S: Final = 100e-6
"""A poll costs as much as three switches: a busy scheduler polls this often, and no more."""
POOL: Final = 1000
"""Finished greenlets kept for the next Spawn: a new greenlet costs thirty times as much."""

_hub: Any = None  # the scheduler's own greenlet, made by start()


class Strand(greenlet):
    """A greenlet that runs cothreads, one after the other."""

    __slots__ = ("cpu_s", "task", "wait")

    task: Spawn[Any]
    wait: Wait | None
    cpu_s: float


class Guest(Protocol):
    """A foreign event loop that runs in a cothread and leaves marks on the thread."""

    def suspend(self) -> None: ...
    def resume(self) -> None: ...


class Scheduler:
    """The one scheduler of the process: its hub, timers and descriptors.

    Attributes:
        thread_id: the only thread in which cothreads run.
        clock: the present time, in monotonic seconds.
        idle_wait: called with a timeout when nothing is ready; Qt replaces it.
        interrupt: called once by the hub as soon as it is set, from a signal handler.
        accounts: who used the processor.
    """

    def __init__(self) -> None:
        self.thread_id = threading.get_ident()
        self.clock: Callable[[], float] = monotonic
        self.main: Any = None
        self.started_at = 0.0
        self.poller: Poller = None  # type: ignore[assignment]  # made by start()
        self.idle_wait: Callable[[float | None], None] = None  # type: ignore[assignment]
        self.timers = switching.timers
        self.pool: list[Strand] = switching.pool
        self.strand_body: Callable[[], None]
        self.bury: Callable[[BaseException], None]
        self.idlers = switching.idlers
        self.inbox: deque[Callable[[], object]] = deque()
        self.idle = False
        self.turns = 0
        self.accounts = Accounts()
        self.interrupt: Callable[[], None] | None = None
        self.guests: dict[greenlet, Guest] = {}
        self._abandoned: list[object] = []
        self._berth: Berth = None  # type: ignore[assignment]  # made by start()
        self._hosts_berth: Berth = None  # type: ignore[assignment]
        self._starters: list[Callable[[], None]] = []
        self._forgetters: list[Callable[[], None]] = []

    # -- starting and ending

    @property
    def started(self) -> bool:
        """Whether the scheduler runs."""
        return _hub is not None

    @property
    def hub(self) -> greenlet | None:
        """The scheduler's own greenlet."""
        return _hub  # type: ignore[no-any-return]

    def at_start(self, action: Callable[[], None]) -> None:
        """Register something to be done whenever the scheduler starts."""
        self._starters.append(action)

    def at_fork(self, action: Callable[[], None]) -> None:
        """Register something to be done in the child of a fork, if the scheduler had started."""
        self._forgetters.append(action)

    def start(self) -> None:
        """Start the scheduler: the first suspension or Spawn does.

        Raises:
            WrongThread: this is not the thread that imported cothread.
        """
        self.check_thread("cothread function")
        if _hub is not None:
            return
        if self.main is None:
            self.main = getcurrent()
            while self.main.parent is not None:
                self.main = self.main.parent
        self.poller = Poller(self.accounts)
        self.idle_wait = self.poller.poll
        self._take_places()
        self.started_at = switching.since = switching.clock()
        switching.due = switching.since + TURN_S
        self._adopt(self.main)
        if threading.current_thread() is threading.main_thread():
            previous = signal.set_wakeup_fd(self.poller.wake_fileno(), warn_on_full_buffer=False)
            if previous != -1:
                signal.set_wakeup_fd(previous, warn_on_full_buffer=False)
        for action in self._starters:
            action()

    def _take_places(self) -> None:
        """Begin below the main program on the C stack, with room for a foreign loop between."""

        def take_hosts_place() -> None:
            self._hosts_berth = Berth(self.main)
            descend(take_ours)

        def take_ours() -> None:
            self._berth = Berth(self.main)
            self.launch_hub()

        descend(take_hosts_place)

    def launch_hub(self) -> None:
        """Give the scheduler its own greenlet, also after a signal handler has killed it."""
        global _hub
        _hub = self._berth.launch(greenlet, self._hub_body, self.main)

    def run_main(self, program: Callable[[], T]) -> T:
        """Run the rest of the main program among the cothreads, as far down the C stack as they.

        There a foreign loop does not hold it: see `stack`.  It stays the main program for all.
        """
        self.start()
        result: list[T] = []
        place: Any = self._berth.launch(greenlet, lambda: result.append(program()), self.main)
        place.gr_context = copy_context()
        root, self.main = self.main, place
        self._adopt(place)
        try:
            place.switch()
        finally:
            self.main = root
        return result[0]

    def _adopt(self, current: Any) -> None:
        current.cpu_s = 0.0
        current.wait = None
        if not hasattr(current, "task"):
            current.task = None

    def enter(self, current: greenlet) -> None:
        """Make a greenlet that the scheduler does not know yet one that may suspend.

        Raises:
            WrongThread: it belongs to another thread.
            CothreadError: it is the scheduler itself.
        """
        self.start()
        if current is _hub:
            raise CothreadError("Cannot suspend inside the scheduler; Spawn a cothread for it.")
        if not hasattr(current, "cpu_s"):
            self._adopt(current)

    def check_thread(self, what: str) -> None:
        """Raise WrongThread unless this is the scheduler's thread."""
        if threading.get_ident() != self.thread_id:
            raise WrongThread(what)

    def use_clock(self, clock: Callable[[], float]) -> None:
        """Read the time from `clock` from now on: for tests."""
        self.start()
        self.clock = switching.clock = clock
        switching.since = switching.due = clock()
        self.poller.forget_time()

    def abandon(self) -> None:
        """Forget everything: for the child of a fork, whose cothreads belong to its parent."""
        global _hub
        if _hub is None:
            return
        # Letting go of a suspended greenlet would run its `finally` blocks a second time here.
        self._abandoned += [_hub, self.main, list(ready), list(self.timers), self.idle_wait]
        self._abandoned += [list(self.pool), list(self.idlers), list(self.inbox)]
        self._abandoned += [self._berth, self._hosts_berth]
        self._abandoned += [item for item in gc.get_objects() if isinstance(item, Strand)]
        with suppress(ValueError):
            # Or `start` would take our closed descriptor for somebody else's and restore it.
            signal.set_wakeup_fd(-1)
        self.poller.close()
        ready.clear()
        self.idlers.clear()
        self.inbox.clear()
        self.timers.clear()
        self.pool.clear()
        self.guests.clear()
        _hub = None
        switching.due = 0.0
        self.main = getcurrent()
        self.interrupt = None
        self.accounts = Accounts()
        self.idle = False
        self.thread_id = threading.get_ident()
        for action in self._forgetters:
            action()

    # -- the hub

    def _hub_body(self) -> None:
        raised: BaseException | None = None
        while True:
            try:
                if raised is not None:
                    exc, raised = raised, None
                    self._hub_raised(exc)
                # Python runs signal handlers as it jumps back, so that must be within the `try`.
                while True:
                    self._turn()
                    self._pass_on()
            except BaseException as exc:
                raised = exc

    def _pass_on(self) -> None:
        """End the hub's turn."""
        switching.since = now = switching.clock()
        timers = self.timers
        switching.due = now + TURN_S
        if timers and timers[0][0] < switching.due:
            switching.due = timers[0][0]
        if ready:
            ready.popped.switch()

    def _hub_raised(self, exc: BaseException) -> None:
        """Pass on what was raised in the hub: most likely by somebody's signal handler."""
        self.poller.recover()
        self.bury(exc)
        if isinstance(exc, Exception) or self.main is None or self.main.dead:
            hooks.report("The scheduler caught an exception", exc)
        else:
            self.throw(self.main, exc)

    def _turn(self) -> None:
        self.turns += 1
        now = switching.clock()
        timers = self.timers
        if timers and timers[0][0] <= now:
            self._expire(now)
        if self.inbox:
            self._take_inbox()
        if self.interrupt is not None:
            action, self.interrupt = self.interrupt, None
            action()
        if not ready:
            self._idle()
        elif self.poller.busy:
            self.poller.poll(0, others=True)

    def _expire(self, now: float) -> None:
        timers = self.timers
        while timers and timers[0][0] <= now:
            alarm = timers[0][2]
            if alarm.target is not None:
                alarm.expire()
            heappop(timers)

    def _take_inbox(self) -> None:
        for _ in range(len(self.inbox)):
            try:
                self.inbox[0]()
            except Exception as exc:
                hooks.report("A call from another thread raised an exception", exc)
            self.inbox.popleft()

    def _idle(self) -> None:
        """Find something to do when nothing is ready; at last, sleep."""
        if self.idlers:
            self.idlers.popleft().wake()
            return
        if len(self.pool) > POOL:
            self._trim_pool()
            return
        timers = self.timers
        while timers and timers[0][2].target is None:
            heappop(timers)
        timeout = None
        if timers:
            timeout = timers[0][0] - switching.clock()
            if timeout < 0.0:
                timeout = 0.0
        self.idle = True
        try:
            # Another thread looks at `idle` after it has put its item in: one of us sees it.
            if not self.inbox:
                self.idle_wait(timeout)
        finally:
            self.idle = False

    def _trim_pool(self) -> None:
        for strand in self.pool[-100:]:
            strand.throw()
        del self.pool[-100:]

    # -- what cothreads call

    def new_strand(self) -> Strand:
        """Return a greenlet for a new cothread, when the pool has none."""
        if _hub is None:
            self.start()
        strand = self._berth.launch(Strand, self.strand_body, _hub)
        strand.wait = None
        return strand

    def new_hosts_strand(self) -> Strand:
        """Return a greenlet that no cothread can push off the C stack: see `stack`."""
        self.start()
        strand = self._hosts_berth.launch(Strand, self.strand_body, _hub)
        strand.wait = None
        return strand

    def throw(self, strand: Any, exc: BaseException) -> None:
        """Raise `exc` in a suspended greenlet, whatever it waits for.

        Raises:
            CothreadError: it is not suspended.
        """
        wait: Wait | None = strand.wait
        if wait is not None and wait.throw(exc):
            return
        for index, item in enumerate(list(ready)):
            if item == strand:
                ready[index] = Thrower(strand, exc, _hub)
                return
            if isinstance(item, Thrower) and item.strand is strand:
                item.exc = exc
                return
        raise CothreadError("Cannot raise an exception in a cothread that is not suspended.")

    def host(self, guest: Guest | None) -> None:
        """Say that the calling cothread is about to run code of a guest loop, or no longer is."""
        if guest is None:
            self.guests.pop(getcurrent(), None)
        else:
            self.guests[getcurrent()] = guest
            switching.due = 0.0

    def state_of(self, strand: Any) -> str:
        """Return one of running, waiting, ready."""
        if strand is getcurrent():
            return "running"
        wait: Wait | None = strand.wait
        return "waiting" if wait is not None and wait.target is not None else "ready"

    def call_soon_threadsafe(self, action: Callable[[], object]) -> None:
        """Have the hub call `action`, which must not suspend.

        Thread: any; also from signal handlers.
        """
        self.inbox.append(action)
        switching.due = 0.0
        if self.idle:
            self.poller.wake()


scheduler: Final = Scheduler()


def _through_hub(strand: Any, now: float) -> None:
    """Suspend the calling cothread, and let the hub have its turn."""
    if _hub is None:
        scheduler.start()
    elif _hub.dead:
        scheduler.launch_hub()
    scheduler.accounts.charge(strand, now)
    if strand.task:
        # It has ended: its greenlet stays in the pool and must not keep it alive.
        strand.task = None
    guest = scheduler.guests.get(strand) if scheduler.guests else None
    if guest is None:
        _hub.switch()
        return
    guest.suspend()
    try:
        _hub.switch()
    finally:
        guest.resume()
        # Every suspension of a guest must come this way.
        switching.due = 0.0


switching.through_hub = _through_hub
switching.enter = scheduler.enter


def _after_fork() -> None:
    scheduler.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
