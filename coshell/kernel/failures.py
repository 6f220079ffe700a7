# SPDX-License-Identifier: Apache-2.0
"""Failures: one red numbered line each, and the whole story on demand."""

from __future__ import annotations

import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from cothread import Callback
from cothread.clock import monotonic

from .colours import tint
from .dock import clip
from .messages import one_line

__all__ = ["Failure", "Failures", "line_of", "summarise"]

KEPT: Final = 100
REPEAT_S: Final = 10.0
"""A failure that keeps happening is shown again no sooner."""
MESSAGE_CELLS: Final = 200
PLACE_CELLS: Final = 60


class Failure:
    """Something that went wrong, in a cell or where nobody was waiting.

    Attributes:
        number: what `%why` is asked for.
        where: what failed, in words.
        summary: type and message, on one line.
        hint: what may help, to be said behind it.
        story: the full traceback.
        count: how often it happened.
    """

    __slots__ = ("count", "hint", "number", "shown_at", "story", "summary", "where")

    def __init__(self, number: int, where: str, exc: BaseException, now: float) -> None:
        self.number = number
        self.where = where
        self.summary = summarise(exc)
        self.hint = ""
        self.story = "".join(traceback.format_exception(exc))
        self.count = 1
        self.shown_at = now

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        del cycle
        times = f", {self.count} times" if self.count > 1 else ""
        printer.text(f"{self.where}{times}\n{self.story.rstrip()}")

    def __repr__(self) -> str:
        return f"<Failure {self.number}: {self.where}: {self.summary}>"


class Failures:
    """The failures of a session, newest last.

    Args:
        show: prints one line, in colour, above the prompt.
        clock: monotonic seconds.

    Attributes:
        hints: each is asked once for a failure that is new; "" adds nothing to its line.
    """

    def __init__(
        self, show: Callable[[str], object], clock: Callable[[], float] = monotonic
    ) -> None:
        self.kept: deque[Failure] = deque(maxlen=KEPT)
        self.hints: list[Callable[[BaseException], str]] = []
        self._show = show
        self._clock = clock
        self._number = 0

    def keep(self, where: str, exc: BaseException) -> Failure:
        """Keep a failure that is shown otherwise."""
        self._number += 1
        failure = Failure(self._number, where, exc, self._clock())
        failure.hint = "".join(hint(exc) for hint in self.hints)
        self.kept.append(failure)
        return failure

    def add(self, where: str, exc: BaseException) -> Failure:
        """Keep a failure and show its line; one that repeats is counted."""
        now = self._clock()
        summary = summarise(exc)
        for failure in self.kept:
            if failure.where == where and failure.summary == summary:
                failure.count += 1
                failure.story = "".join(traceback.format_exception(exc))
                if now - failure.shown_at >= REPEAT_S:
                    failure.shown_at = now
                    self._line(failure)
                return failure
        failure = self.keep(where, exc)
        self._line(failure)
        return failure

    def _line(self, failure: Failure) -> None:
        times = f" ({failure.count} times)" if failure.count > 1 else ""
        self._show(line_of(failure, f"{failure.where}: {failure.summary}{failure.hint}{times}"))

    @contextmanager
    def of_threads(self) -> Iterator[None]:
        """Take those in the `with` block that end a thread, and those that nobody can catch."""

        def ended(args: threading.ExceptHookArgs) -> None:
            if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
                name = args.thread.name if args.thread is not None else "that has ended"
                Callback(self.add, f"thread {name}", args.exc_value)

        def ignored(args: sys.UnraisableHookArgs) -> None:
            if args.exc_value is not None:
                Callback(self.add, clip(_where_ignored(args), PLACE_CELLS), args.exc_value)

        previous = threading.excepthook, sys.unraisablehook
        threading.excepthook, sys.unraisablehook = ended, ignored
        try:
            yield
        finally:
            threading.excepthook, sys.unraisablehook = previous

    def find(self, number: int | None = None) -> Failure:
        """Return a failure by its number, the newest by default.

        Raises:
            LookupError: there is none, in words for the operator.
        """
        if not self.kept:
            raise LookupError("Nothing has failed.")
        if number is None:
            return self.kept[-1]
        for failure in self.kept:
            if failure.number == number:
                return failure
        known = f"{self.kept[0].number} to {self.kept[-1].number}"
        raise LookupError(f"There is no failure {number}; those kept are {known}.")


def line_of(failure: Failure, text: str) -> str:
    """Return the one line that tells of a failure, in colour."""
    return tint(f"✗ {text}", "31") + tint(f" · %why {failure.number}", "2")


def summarise(exc: BaseException) -> str:
    """Return type and message of an exception on one line."""
    name = type(exc).__name__
    message = "its message cannot be shown"
    with suppress(Exception):
        message = str(exc)
    return clip(one_line(f"{name}: {message}" if message else name), MESSAGE_CELLS)


def _where_ignored(args: sys.UnraisableHookArgs) -> str:
    """Say where an exception occurred that nobody can catch: Python has the one or the other."""
    if args.object is not None:
        return f"ignored in {args.object!r}"
    return (args.err_msg or "ignored").removeprefix("Exception ").removesuffix(":")
