# SPDX-License-Identifier: Apache-2.0
"""Where on the C stack greenlets begin.

All greenlets of a thread live on its one C stack.  Each begins at the depth at which it was first
switched to; when another one that began less deep is resumed, what lies in its way is moved to the
heap, and moved back later.  Python does not mind.  C++ does: an object that stands in a frame of a
suspended greenlet may then be written over, or be restored from a copy that has grown old.

So a greenlet that runs foreign code, which keeps such objects, must begin less deep than all that
may run while it is suspended.  Three tiers follow from that, one below the other: the main program,
the host of a foreign loop (Qt), and the scheduler with all its cothreads.  Between two tiers lies
`ROOM` of stack, for the upper one to grow into.

A `Berth` starts greenlets at its own depth, whoever asks.  To get down there without a line of C we
nest calls of `select.select`: it keeps three tables of 1025 entries (49 kB together) in its frame,
untouched, while it asks the files it is given for their descriptors.
"""

from __future__ import annotations

import resource
import select
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from greenlet import GreenletExit, getcurrent, greenlet

__all__ = ["ROOM", "Berth", "descend"]

ROOM: Final = 1 << 20
"""What a tier may grow by, in bytes: a nested dialog of Qt takes less than 20 kB."""
_FRAME: Final = 49_200
_USUAL: Final = 8 << 20
_SMALL: Final = 2 << 20

G = TypeVar("G", bound=greenlet)


class _Arrived(Exception):
    """Ends a descent."""


class _Lower:
    """A file that, asked for its descriptor, asks again one frame of `select` below."""

    __slots__ = ("action", "left")

    def __init__(self, frames: int, action: Callable[[], object]) -> None:
        self.left = frames
        self.action = action

    def fileno(self) -> int:
        if self.left:
            self.left -= 1
            select.select((self,), (), (), 0)
        self.action()
        raise _Arrived


def _room() -> int:
    """Return how much of this thread's stack a tier may have."""
    limit, _ = resource.getrlimit(resource.RLIMIT_STACK)
    in_main = threading.current_thread() is threading.main_thread()
    size = limit if in_main else threading.stack_size() or limit
    if size == resource.RLIM_INFINITY:
        size = _USUAL if in_main else _SMALL
    return min(ROOM, size // 8)


def descend(action: Callable[[], object]) -> None:
    """Call `action()` one tier further down the C stack."""
    frames = _room() // _FRAME
    if not frames:
        action()
        return
    try:
        _Lower(frames, action).fileno()
    except _Arrived:
        return


class Berth:
    """A place on the C stack where greenlets begin: the depth at which it is made.

    Args:
        parent: who hears of it if the place itself breaks.
    """

    def __init__(self, parent: greenlet) -> None:
        self._order: tuple[greenlet, Any] | None = None
        self._place = greenlet(self._serve, parent)
        self._caller: Any = getcurrent()
        self._place.switch()

    def launch(self, kind: type[G], body: Callable[[], object], parent: greenlet) -> G:
        """Return a greenlet that begins here, and runs `body` when it is first switched to."""

        # A closure, not a `partial`: its frame would lie on the C stack of every greenlet, which
        # keeps a copy of that while it is suspended.
        def begin(caller: greenlet) -> None:
            caller.switch()
            body()

        # Until it is under way, its failure is ours, and so the caller's.
        made = kind(begin, self._place)
        self._order = made, getcurrent()
        self._place.switch()
        made.parent = parent
        return made

    def _serve(self) -> None:
        self._caller.switch()
        self._caller = None
        while True:
            assert self._order is not None
            made, caller = self._order
            try:
                made.switch(caller)
            except GreenletExit:
                return
            except BaseException as exc:
                # A signal handler raised: it hits the one who asked, as if it had come before.
                self._order[1].throw(exc)
