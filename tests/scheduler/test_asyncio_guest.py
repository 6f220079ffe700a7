# SPDX-License-Identifier: Apache-2.0
"""asyncio inside a cothread: everything else goes on, in both directions."""

from __future__ import annotations

import asyncio

import pytest

import cothread
from cothread import CothreadError, Event, GuestLoop, Sleep, Spawn, WasCancelled, Yield
from cothread.loops import asyncio_guest


def run(coroutine: object) -> object:
    """Run a coroutine on a guest loop of its own."""
    with asyncio.Runner(loop_factory=GuestLoop) as runner:
        return runner.run(coroutine)  # type: ignore[arg-type]


def test_cothreads_go_on_while_a_coroutine_sleeps() -> None:
    """The loop waits for a cothread that could not run if the loop blocked."""
    event = Event[str]()

    async def main() -> str:
        future = cothread.as_future(event)
        return await asyncio.wait_for(future, 10)

    def signal() -> None:
        Sleep(0.01)
        event.Signal("from a cothread")

    task = Spawn(signal)
    assert run(main()) == "from a cothread"
    task.Wait(5)


def test_a_busy_loop_starves_nobody() -> None:
    """A coroutine that never sleeps for long lets cothreads run, round by round."""
    ticks: list[int] = []

    def tick() -> None:
        for number in range(20):
            ticks.append(number)
            Yield()

    async def main() -> None:
        while len(ticks) < 20:
            await asyncio.sleep(0)

    task = Spawn(tick)
    run(main())
    assert ticks == list(range(20))
    task.Wait(5)


def test_awaiting_a_cothread_gives_its_result() -> None:
    """`await Spawn(...)` returns what the cothread returned."""

    async def main() -> int:
        return await Spawn(lambda: 42)

    assert run(main()) == 42


def test_awaiting_a_cancelled_cothread_says_so() -> None:
    """The coroutine learns that the cothread was cancelled, and is not cancelled itself."""
    task = Spawn(Sleep, None)

    async def main() -> None:
        cothread.Timer(0.01, task.Cancel)
        with pytest.raises(WasCancelled):
            await task

    run(main())


def test_cancelling_a_future_leaves_the_cothread_alone() -> None:
    """Giving up waiting does not end what was waited for."""
    event = Event[None]()
    task = Spawn(event.Wait)

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(cothread.as_future(task), 0.01)

    run(main())
    assert not task
    event.Signal()
    task.Wait(5)


def test_run_async_from_many_cothreads() -> None:
    """Coroutines of several cothreads run side by side on one shared loop."""

    async def double(number: int) -> int:
        await asyncio.sleep(0.01)
        return 2 * number

    tasks = [Spawn(cothread.run_async, double(number)) for number in range(10)]
    assert cothread.WaitForAll(tasks, 10) == [2 * number for number in range(10)]
    _end_shared_loop()


def test_run_async_passes_on_exceptions() -> None:
    """What the coroutine raises is raised in the cothread."""

    async def fail() -> None:
        await asyncio.sleep(0)
        raise KeyError("reason")

    with pytest.raises(KeyError, match="reason"):
        cothread.run_async(fail())
    _end_shared_loop()


def _end_shared_loop() -> None:
    for info in cothread.cothreads():
        if info.name == "asyncio" and info.task is not None:
            info.task.Cancel()
            with pytest.raises(WasCancelled):
                info.task.Wait(5)


def test_loops_in_several_cothreads() -> None:
    """A loop may run in each of several cothreads: the mark of the running one is theirs alone."""
    seen: list[bool] = []

    async def inner() -> int:
        await asyncio.sleep(0.01)
        return 1

    async def outer() -> None:
        await asyncio.sleep(0.01)
        seen.append(asyncio.get_running_loop().is_running())

    def job() -> object:
        return run(inner())

    job_task = Spawn(job, raise_on_wait=True)
    run(outer())
    assert job_task.Wait(10) == 1
    assert seen == [True]


def test_suspending_inside_a_coroutine_lifts_the_mark() -> None:
    """While a coroutine sits in a cothread's wait, others may use `asyncio.run`."""
    results: list[object] = []

    async def inner() -> int:
        return 7

    def job() -> None:
        results.append(asyncio.run(inner()))

    async def outer() -> None:
        task = Spawn(job, raise_on_wait=True)
        # Not awaited: this suspends the whole loop in the middle of a callback.
        task.Wait(10)
        assert asyncio.get_running_loop().is_running()

    run(outer())
    assert results == [7]


def test_call_soon_from_a_cothread_wakes_a_waiting_loop() -> None:
    """A loop that waits for nothing in particular takes notice of work from other cothreads."""

    async def main() -> str:
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def set_it() -> None:
            Sleep(0.01)
            future.set_result("set")

        Spawn(set_it)
        return await asyncio.wait_for(future, 10)

    assert run(main()) == "set"


def test_an_ordinary_loop_refuses_to_wait_for_a_cothread() -> None:
    """It would stop all cothreads, so it says what to use instead of hanging."""

    async def main() -> None:
        with pytest.raises(CothreadError, match="GuestLoop"):
            await Spawn(lambda: None)

    asyncio.run(main())


@pytest.mark.filterwarnings("ignore:.*event_loop_policy:DeprecationWarning")
def test_asyncio_hook_makes_asyncio_run_cooperative() -> None:
    """After the hook, `asyncio.run` inside a cothread suspends only that cothread."""
    policy = asyncio.get_event_loop_policy()
    cothread.asyncio_hook()
    try:

        async def main() -> int:
            return await Spawn(lambda: 5)

        assert Spawn(asyncio.run, main(), raise_on_wait=True).Wait(10) == 5
    finally:
        asyncio.set_event_loop_policy(policy)


def test_streams_over_a_guest_loop() -> None:
    """asyncio's own server and client work on it, beside each other."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()

    async def main() -> bytes:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"hello\n")
            line = await reader.readline()
            writer.close()
            await writer.wait_closed()
        return line

    assert run(main()) == b"hello\n"


@pytest.mark.parametrize(
    ("urgent", "turn_s", "turns"), [(True, 3600, 0), (True, 0, 20), (False, 3600, 20)]
)
def test_an_urgent_loop_goes_on_while_it_has_something_to_do(
    monkeypatch: pytest.MonkeyPatch, urgent: bool, turn_s: float, turns: int
) -> None:
    """Its callbacks follow one another without anybody between, for as long as a turn lasts."""
    monkeypatch.setattr(asyncio_guest, "URGENT_TURN_S", turn_s)
    others, going = 0, True

    def other() -> None:
        nonlocal others
        while going:
            others += 1
            Yield()

    async def chain() -> int:
        # After a wait its turn begins.
        await asyncio.sleep(0.001)
        before = others
        for _ in range(20):
            await asyncio.sleep(0)
        return others - before

    job = Spawn(other)
    with asyncio.Runner(loop_factory=lambda: GuestLoop(urgent)) as runner:
        meanwhile = runner.run(chain())
    going = False
    job.Wait()
    assert (meanwhile >= turns) if turns else (meanwhile == 0)
