# SPDX-License-Identifier: Apache-2.0
"""caget, caput, connect and cainfo for `await`, inside any asyncio program on the guest loop.

    from catools import aio
    async def main() -> None:
        print(await aio.caget("SR-DI-DCCT:SIGNAL"))

Arguments, results and errors are those of the functions without `await`. While one waits, other
coroutines and cothreads run. Cancelling the awaiting task cancels the request. Guest loops run in
the scheduler's thread, so other threads are not for these.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from cothread import Spawn, as_future

from . import api

__all__ = ["caget", "cainfo", "caput", "connect"]

T = TypeVar("T")


async def _run(function: Callable[[], T]) -> T:
    task: Spawn[T] = Spawn(function, raise_on_wait=True)
    try:
        return await as_future(task)
    finally:
        if not task:
            task.Cancel()
        # An error knows this frame, and the task the error.
        del task


@wraps(api.caget)
async def caget(*args: Any, **kargs: Any) -> Any:  # noqa: D103 - that of the wrapped function
    return await _run(lambda: api.caget(*args, **kargs))


@wraps(api.caput)
async def caput(*args: Any, **kargs: Any) -> Any:  # noqa: D103 - that of the wrapped function
    return await _run(lambda: api.caput(*args, **kargs))


@wraps(api.connect)
async def connect(*args: Any, **kargs: Any) -> Any:  # noqa: D103 - that of the wrapped function
    return await _run(lambda: api.connect(*args, **kargs))


@wraps(api.cainfo)
async def cainfo(*args: Any, **kargs: Any) -> Any:  # noqa: D103 - that of the wrapped function
    return await _run(lambda: api.cainfo(*args, **kargs))
