# SPDX-License-Identifier: Apache-2.0
"""Where Qt lives: one greenlet, whose part of the C stack nobody touches while Qt is at work.

Law: a greenlet is not switched away from its place on the C stack while Qt may look there.

Qt keeps objects in its stack frames and pointers to them elsewhere: the event loop of a modal
dialog, the mark of a timer whose slot runs, the record of the sender of a signal.  So all of Qt's
loops run in one cothread, the host, which begins less deep on the stack than every other cothread
(see `cothread.stack`).  While they run, its frames stay where they are.  The main program alone
lies less deep: it may run only while the host is in its outermost loop, where nothing refers to its
frames but itself; while a slot waits or a dialog is open inside a slot, the main program is held.

Nothing is polled.  When no cothread is ready the hub switches to the host, and Qt waits, for its
own events, for the scheduler's descriptors and for the next timer.  A slot that waits does not
suspend the host: it runs Qt's loop until its wait has ended, and cothreads run from there.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from heapq import heappop
from math import ceil
from types import FrameType
from typing import Any, Final

from greenlet import getcurrent

from .. import switching
from ..errors import Cancelled, CothreadError
from ..events import Event
from ..quitting import Quit
from ..scheduler import scheduler
from ..switching import add_timer
from ..tasks import Spawn
from ..waits import Thrower, Wait, ready
from .qt_parts import Held, QtsTurn, waking

__all__ = ["Home"]

TURN_S: Final = 0.002
"""Busy cothreads give way to Qt this often."""
TICK_S: Final = 0.001
"""The shortest time Qt's timers can measure."""
LONGEST_MS: Final = 1 << 30
STOP_S: Final = 1.0
_NEVER: Final = float("inf")


class Home:
    """Qt's loops, and the cothread they run in.

    Args:
        app: the application.
        core: the binding's QtCore.
        execute: runs the application's event loop until `app.exit()`.
        poll_s: how often to look for events where the system cannot tell of them.

    Attributes:
        quits: whether the end of Qt's event loop, as when the last window is closed, is a `Quit`.
        hosting: whether Qt runs.
    """

    def __init__(self, app: Any, core: Any, execute: Callable[[], int], poll_s: float) -> None:
        self.app = app
        self.quits = True
        self.hosting = False
        self._execute = execute
        self._strand: Any = None
        self._base: FrameType | None = None
        self._task: Spawn[None] | None = None
        self._wanted = Event[None](auto_reset=False)
        self._ended = Event[int](auto_reset=False)
        self._keep_on = False
        self._closing = False
        self._waits: list[Wait] = []
        self._put_off: list[Any] = []
        self._holding = False
        self._unwinding = False
        self._alarm = QtsTurn()
        self._armed = _NEVER
        self._awake = True
        self._awake_since = switching.clock()
        self._calls: deque[Callable[[], object]] = deque()
        self._thread = app.thread()
        self._connect(core, poll_s)

    def _connect(self, core: Any, poll_s: float) -> None:
        scheduler.start()
        self._dispatcher = core.QAbstractEventDispatcher.instance()
        self._more = core.QEventLoop.WaitForMoreEvents
        self._make_object = core.QObject
        self._disconnect = core.QObject.disconnect
        self._deadline = core.QTimer(self.app)
        self._deadline.setSingleShot(True)
        self._deadline.setTimerType(core.Qt.PreciseTimer)
        self._deadline.timeout.connect(self._serve)
        self._caller = core.QTimer(self.app)
        self._caller.setSingleShot(True)
        self._caller.timeout.connect(self._make_call)
        self._dispatcher.aboutToBlock.connect(self._about_to_block)
        self._waking = waking(core, self._wake)
        try:
            self._notifier = core.QSocketNotifier(
                scheduler.poller.fileno(), core.QSocketNotifier.Read, self.app
            )
        except OSError:
            self._notifier = core.QTimer(self.app)
            self._notifier.timeout.connect(self._serve)
            self._notifier.start(ceil(1000 * poll_s))
        else:
            self._notifier.activated.connect(self._serve)

    # -- running

    @property
    def here(self) -> bool:
        """Whether the caller's stack is the host's."""
        return self.hosting and getcurrent() is self._strand

    def run(self, *, keep_on: bool) -> None:
        """Let Qt run from the next suspension on; `keep_on` starts it anew whenever it ends."""
        if self._closing:
            raise CothreadError("Qt has ended with the program")
        self._keep_on |= keep_on
        if self.hosting:
            return
        if self._task is None:
            # The strand must be the host's, so it is the one that Spawn finds.
            scheduler.pool.append(scheduler.new_hosts_strand())
            self._task = Spawn(self._live)
            self._task.name = "Qt"
        self._wanted.Signal()

    def wait(self) -> int:
        """Wait until Qt's event loop ends.

        Returns:
            The application's exit code.
        Suspends: always.
        """
        return self._ended.Wait()

    def adopt_running_loop(self) -> None:
        """Take the loop in which the caller runs, in the main program, for the outermost one."""
        self._strand = getcurrent()
        self._base = None
        self._enter()
        self._end_of_adopted = self.app.aboutToQuit.connect(self._about_to_leave)

    def _about_to_leave(self) -> None:
        # Qt 5 says so when the loop has ended, Qt 6 when it is told to; what is marked for deletion
        # now goes in the loop's last round, or right after it.
        self._disconnect(self._end_of_adopted)
        last = self._make_object()
        last.destroyed.connect(self._leave_adopted)
        last.deleteLater()

    def _leave_adopted(self) -> None:
        self._leave()
        self._tell_end(0)

    def _live(self) -> None:
        self._strand = getcurrent()
        while True:
            self._wanted.Wait()
            self._wanted.Reset()
            while True:
                self._tell_end(self._run())
                if self._closing or not self._keep_on:
                    break

    def _run(self) -> int:
        self._base = sys._getframe()
        self._enter()
        try:
            return self._execute()
        finally:
            self._leave()
            self._base = None

    def _enter(self) -> None:
        self.hosting = True
        self._armed = _NEVER
        self._wait_outside, scheduler.idle_wait = scheduler.idle_wait, self._idle_wait
        self._usual, switching.through_hub = switching.through_hub, self._through_hub

    def _leave(self) -> None:
        self.hosting = False
        self._alarm.target = None
        scheduler.idle_wait = self._wait_outside
        switching.through_hub = self._usual
        if self._holding:
            self._release()

    def _tell_end(self, code: int) -> None:
        ended, self._ended = self._ended, Event(auto_reset=False)
        ended.Signal(code)
        if self.quits and not self._closing:
            Quit()

    def close(self) -> None:
        """End Qt's loops, before the interpreter ends.

        Suspends: until they have ended.
        """
        self._closing = True
        if self._task is None:
            return
        if self.here:
            # Somebody ends the program in a slot: what called the slot cannot be left any more.
            Spawn.Cothreads.discard(self._task)
            return
        deadline = switching.clock() + STOP_S
        while self.hosting and switching.clock() < deadline:
            for wait in reversed(self._waits):
                wait.throw(Cancelled())
            self.app.exit()
            self._ended.Wait(STOP_S)

    # -- taking turns; here everything runs in the host, or in the hub

    def _serve(self, *_: object) -> None:
        """Let cothreads run: called by Qt when a timer is due or a descriptor ready."""
        if self.here:
            self._turn(self._nested(sys._getframe().f_back))

    def _about_to_block(self) -> None:
        """Let cothreads run that became ready in slots, instead of blocking.

        They run from a timer's slot: what they `deleteLater` would stay for good if they ran here,
        because Qt deletes only what was marked inside of some event.
        """
        if not self.here:
            return
        self._account(switching.clock())
        timers = scheduler.timers
        # Another thread looks at `idle` after it has put its item in: one of us sees it.
        scheduler.idle = True
        pressing = ready or scheduler.inbox or scheduler.interrupt
        if pressing or (timers and timers[0][0] < self._armed):
            scheduler.idle = False
            self._armed = 0.0
            self._deadline.start(0)
        elif self._awake:
            self._awake = False
            self.app.installEventFilter(self._waking)

    def _wake(self) -> None:
        """Take note that Qt has something to do: called for its first event after it has slept.

        The dispatcher's own signal comes too late where GLib is used: after the slots.
        """
        self.app.removeEventFilter(self._waking)
        self._awake = True
        self._awake_since = switching.clock()
        scheduler.idle = False

    def _nested(self, caller: FrameType | None) -> bool:
        """Whether more than the outermost loop of Qt is on the stack."""
        return bool(self._waits) or caller is not self._base or self._thread.loopLevel() > 1

    def _account(self, now: float) -> None:
        if self._awake:
            scheduler.accounts.charge(self._strand, now, self._awake_since, "the end of a slot")
            self._awake_since = now

    def _turn(self, nested: bool) -> None:
        """Give way to the hub until it is idle, or `TURN_S` have passed."""
        now = switching.clock()
        self._account(now)
        main = scheduler.main
        if nested and not self._holding and main.parent is None and main is not self._strand:
            self._hold()
        elif self._holding and not nested:
            self._release()
        self._alarm.target = self._strand
        add_timer(now + TURN_S, self._alarm)
        self._armed = 0.0
        hub: Any = scheduler.hub
        hub.switch()
        scheduler.idle = False
        self._alarm.target = None
        # Whoever suspends in a slot must come by `_through_hub`.
        switching.due = 0.0
        self._awake = True
        self._awake_since = switching.clock()
        self._set_deadline()
        if self._unwinding:
            self._unwind()
        if self._waits and self._waits[-1].target is None:
            self._dispatcher.wakeUp()

    def _set_deadline(self) -> None:
        if self._armed == _NEVER:
            self._deadline.stop()
        else:
            delay_s = max(0.0, self._armed - switching.clock())
            self._deadline.start(min(ceil(1000 * delay_s), LONGEST_MS))

    def _idle_wait(self, timeout: float | None) -> None:
        """Let Qt wait: the hub's part."""
        timers = scheduler.timers
        if timers and timers[0][2] is not self._alarm and timeout is not None and timeout < TICK_S:
            scheduler.poller.poll(timeout)
            return
        self._alarm.target = None
        while timers and timers[0][2].target is None:
            heappop(timers)
        self._armed = timers[0][0] if timers else _NEVER
        self._strand.switch()
        scheduler.poller.poll(0)

    def _through_hub(self, strand: Any, now: float) -> None:
        """Suspend the calling cothread; if it is the host, let Qt go on meanwhile."""
        if strand is not self._strand:
            self._usual(strand, now)
            return
        wait = strand.wait
        if wait is None or wait.target is None:
            self._turn(nested=True)
            return
        # An outer wait may end, or be thrown at, while an inner one lasts; it has to wait for it.
        strand.wait = None
        self._waits.append(wait)
        try:
            while wait.target is not None:
                self._dispatcher.processEvents(self._more)
        finally:
            self._waits.pop()
            strand.wait = wait
            switching.due = 0.0

    # -- holding the main program

    def _hold(self) -> None:
        """Keep the main program from running: it would push the host off the stack."""
        self._holding = True
        main = scheduler.main
        if main.wait is not None and main.wait.target is main:
            main.wait.target = Held(self.put_off, main)
        for index, item in enumerate(ready):
            if item is main or (isinstance(item, Thrower) and item.strand is main):
                ready[index] = Held(self.put_off, item)

    def _release(self) -> None:
        self._holding = False
        main = scheduler.main
        if main.wait is not None and isinstance(main.wait.target, Held):
            main.wait.target = main
        for index, item in enumerate(ready):
            if isinstance(item, Held):
                ready[index] = item.item
        ready.extend(self._put_off)
        self._put_off.clear()

    def put_off(self, item: Any) -> None:
        """Keep what would resume the main program until that is possible."""
        self._put_off.append(item)
        wait = scheduler.main.wait
        if isinstance(item, Thrower) or (
            wait is not None and isinstance(wait.outcome, KeyboardInterrupt)
        ):
            self._unwinding = True
            ready.appendleft(self._strand)

    def _unwind(self) -> None:
        """Ctrl-C while the main program is held: end what holds it."""
        self._unwinding = False
        popup = self.app.activePopupWidget()
        modal = self.app.activeModalWidget()
        if popup is not None:
            popup.close()
        elif modal is not None:
            modal.close()
        elif self._waits:
            self._waits[-1].throw(KeyboardInterrupt())

    # -- calls from elsewhere

    def call(self, function: Callable[..., Any], *args: Any, **kargs: Any) -> Any:
        """Call a function in the host, and return its result.

        Raises:
            BaseException: what the function raised.
        Suspends: unless called in the host.
        """
        if self.here:
            return function(*args, **kargs)
        self.run(keep_on=False)
        done = Event[Any]()

        def make() -> None:
            try:
                result = function(*args, **kargs)
            except BaseException as exc:
                done.SignalException(exc)
            else:
                done.Signal(result)

        self._calls.append(make)
        self._caller.start(0)
        try:
            return done.Wait()
        except BaseException:
            if make in self._calls:
                self._calls.remove(make)
            raise

    def _make_call(self) -> None:
        if not self.here:
            if self._calls:
                self._caller.start(1)
            return
        if not self._calls:
            return
        make = self._calls.popleft()
        if self._calls:
            self._caller.start(0)
        make()
