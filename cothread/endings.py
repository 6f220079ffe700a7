# SPDX-License-Identifier: Apache-2.0
"""Who hears of a cothread's end, and what becomes of a failure that nobody has asked for yet."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from . import hooks

if TYPE_CHECKING:
    from .tasks import Spawn

__all__ = ["Onlooker", "Unclaimed", "Waiter"]


class Waiter(Protocol):
    """Something to be woken when a cothread ends."""

    @property
    def claims(self) -> bool:
        """Whether it takes the result, so that a failure need not be reported as well."""

    def wake(self) -> bool:
        """Take notice of the end."""


class Onlooker:
    """Stands among the waiters, but is no taker of the result."""

    __slots__ = ("_notice", "_task")

    claims: ClassVar[bool] = False

    def __init__(self, notice: Callable[[Spawn[Any]], object], task: Spawn[Any]) -> None:
        self._notice = notice
        self._task = task

    def wake(self) -> bool:
        """Pass the news on."""
        try:
            self._notice(self._task)
        except Exception as exc:
            hooks.report("A notice of a cothread's end raised an exception", exc)
        return True


class Unclaimed:
    """Guards the exception of a `raise_on_wait` cothread until somebody waits for it."""

    __slots__ = ("exc", "name", "where")

    def __init__(self, exc: BaseException, name: str, where: str) -> None:
        self.exc: BaseException | None = exc
        self.name = name
        self.where = where

    def claim(self) -> BaseException:
        """Hand the exception over to whoever asked for it."""
        exc, self.exc = self.exc, None
        assert exc is not None
        return exc

    def __del__(self) -> None:
        if self.exc is not None and not sys.is_finalizing():
            hooks.report(
                f"Cothread {self.name}, spawned at {self.where}, raised an exception "
                "that nobody waited for",
                self.exc,
            )
