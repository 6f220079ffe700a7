# SPDX-License-Identifier: Apache-2.0
"""The asyncio loop of the shell: the prompt runs on it, and so do `await` cells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from cothread.loops.asyncio_guest import GuestLoop

__all__ = ["Guest"]

T = TypeVar("T")


class Guest:
    """One guest loop for the whole session, so that tasks of one cell go on in the next.

    Args:
        on_failure: told `(where, exception)` of what fails on the loop where nobody waits.

    Attributes:
        cancelling: set while a coroutine is being cancelled because its wait was interrupted.
    """

    def __init__(self, on_failure: Callable[[str, BaseException], object]) -> None:
        self._loop: GuestLoop | None = None
        self._on_failure = on_failure
        self.cancelling = False

    @property
    def loop(self) -> GuestLoop:
        """The loop; made when it is first needed."""
        if self._loop is None:
            self._loop = GuestLoop(urgent=True)
            self._loop.set_exception_handler(self._failed)
        return self._loop

    @property
    def busy(self) -> bool:
        """True while a coroutine runs on it, so that no other can be waited for."""
        return self._loop is not None and self._loop.is_running()

    def __call__(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end in the calling cothread.

        Raises:
            KeyboardInterrupt: the wait was interrupted; the coroutine was cancelled first.
            BaseException: what the coroutine raised.
        Suspends: whenever the loop has nothing to do.
        """
        loop = self.loop
        task = loop.create_task(coroutine)
        try:
            return loop.run_until_complete(task)
        except BaseException:
            if not task.done():
                task.cancel()
                self.cancelling = True
                try:
                    with suppress(asyncio.CancelledError, Exception):
                        loop.run_until_complete(task)
                finally:
                    self.cancelling = False
            raise

    def __str__(self) -> str:
        return "asyncio"

    def close(self) -> None:
        """Cancel what still runs on the loop, and close it."""
        loop, self._loop = self._loop, None
        if loop is None or loop.is_closed():
            return
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    def _failed(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        failure = context.get("exception") or RuntimeError(context.get("message", "unknown"))
        self._on_failure("asyncio task", failure)
