# SPDX-License-Identifier: Apache-2.0
"""Hooks around puts: what may refuse a put before it is sent, and what learns how it ended.

Law: every put of every API passes here, once; a hook that raises keeps the whole call off the wire.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cothread import hooks as cothread_hooks


@dataclass(slots=True, eq=False)
class Attempt:
    """One PV and the value somebody wants to put into it.

    Attributes:
        name: the PV.
        value: as it was given to `caput`.
        datatype: as it was given to `caput`.
        wait: whether the server is to say that it has processed the put.
        started_at: when the call began, on the clock of `time.time`.
        sent: whether it has been sent.
        error: None until the put has ended, and still None when it succeeded. Without `wait`
            success means that it was sent; the server may refuse it later, and then `error` is
            filled in, and `after` hooks are called a second time.
        notes: whatever hooks want to remember about it.
    """

    name: str
    value: Any
    datatype: Any
    wait: bool
    started_at: float
    sent: bool = False
    error: Exception | None = None
    notes: dict[str, Any] = field(default_factory=dict)


Before = Callable[[Sequence[Attempt]], None]
"""Called with all puts of a call before anything is sent; raises to refuse them. May suspend."""
After = Callable[[Attempt], None]
"""Called when a put has ended. Must not suspend."""


class PutHooks:
    """What runs before and after each put, in the order in which it was added."""

    __slots__ = ("_after", "_before")

    def __init__(self) -> None:
        self._before: list[Before] = []
        self._after: list[After] = []

    def __bool__(self) -> bool:
        return bool(self._before or self._after)

    def add(self, *, before: Before | None = None, after: After | None = None) -> None:
        """Register hooks; one that is registered already stays where it is."""
        if before is not None and before not in self._before:
            self._before.append(before)
        if after is not None and after not in self._after:
            self._after.append(after)

    def remove(self, *, before: Before | None = None, after: After | None = None) -> None:
        """Take hooks out; harmless when they are not registered."""
        if before in self._before:
            self._before.remove(before)
        if after in self._after:
            self._after.remove(after)

    def check(self, attempts: Sequence[Attempt]) -> None:
        """Ask every `before` hook.

        Raises:
            Exception: whatever a hook raises to refuse.
        Suspends: if a hook does.
        """
        for hook in list(self._before):
            hook(attempts)

    def ended(self, attempt: Attempt) -> None:
        """Tell every `after` hook; their errors are reported and change nothing."""
        for hook in list(self._after):
            try:
                hook(attempt)
            except Exception as exc:
                cothread_hooks.report("A put hook raised an exception", exc)


put_hooks: Final = PutHooks()
"""The hooks that every put of this process passes: `put_hooks.add(before=check, after=note)`.

`before` is given all attempts of a call before anything is sent, and raises to refuse them; `after`
is given each attempt when it has ended."""
