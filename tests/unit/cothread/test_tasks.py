# SPDX-License-Identifier: Apache-2.0
"""Spawn, Wait, Cancel, Protect, WaitForAll."""

import contextvars
import gc
import sys
import traceback
import weakref

import pytest

import cothread
from cothread import (
    Cancelled,
    CothreadError,
    Event,
    Protect,
    Sleep,
    Spawn,
    Timedout,
    WaitForAll,
    WasCancelled,
    Yield,
)


def fail(exc):
    raise exc


def test_result_arguments_and_keywords():
    task = Spawn(lambda *args, **kargs: (args, kargs), 1, 2, key=3)
    assert not task
    assert task.Wait() == ((1, 2), {"key": 3})
    assert task


def test_a_decorator():
    @Spawn
    def task():
        return "done"

    assert task.Wait() == "done"


def test_stack_size_is_accepted():
    assert Spawn(int, stack_size=16384).Wait() == 0


def test_wait_may_be_repeated_by_several_waiters():
    task = Spawn(lambda: Sleep(1) or "result")
    waiters = [Spawn(task.Wait) for _ in range(3)]
    assert [waiter.Wait() for waiter in waiters] == ["result"] * 3
    assert task.Wait() == "result"
    assert task.Wait(0) == "result"


def test_a_wait_that_timed_out_may_be_repeated():
    task = Spawn(lambda: Sleep(5) or "result")
    with pytest.raises(Timedout, match="Timed out waiting for event"):
        task.Wait(1)
    assert task.Wait(10) == "result"


def test_an_uncaught_exception_is_reported_and_wait_returns_none(reports):
    task = Spawn(fail, ValueError("oops"))
    task.name = "failing"
    assert task.Wait() is None
    assert task.Wait() is None
    ((where, exc),) = reports
    assert where == "Spawned task failing raised uncaught exception"
    assert str(exc) == "oops"
    assert traceback.extract_tb(exc.__traceback__)[0].name == "fail"


@pytest.mark.parametrize("exc", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_exits_end_only_their_cothread(reports, exc):
    assert Spawn(fail, exc).Wait() is None
    assert [told for _, told in reports] == [exc]


def test_raise_on_wait_raises_for_every_waiter(reports):
    task = Spawn(fail, ValueError("oops"), raise_on_wait=True)
    for _ in range(2):
        with pytest.raises(ValueError, match="oops"):
            task.Wait()
    assert not reports


def test_raise_on_wait_raises_exits_too():
    with pytest.raises(SystemExit):
        Spawn(sys.exit, 3, raise_on_wait=True).Wait()


def test_a_failure_that_nobody_waits_for_is_reported_once(reports):
    task = Spawn(fail, ValueError("oops"), raise_on_wait=True)
    Yield()
    assert not reports
    del task
    gc.collect()
    ((where, exc),) = reports
    assert "nobody waited for" in where
    assert __file__ in where
    assert str(exc) == "oops"


def test_a_failure_given_up_is_not_reported(reports):
    task = Spawn(fail, ValueError("oops"), raise_on_wait=True)
    Yield()
    task.AbortWait()
    del task
    gc.collect()
    assert not reports


def test_what_cannot_be_called_is_reported_with_its_place(reports):
    task = Spawn(42)
    assert task.Wait() is None
    ((where, exc),) = reports
    assert isinstance(exc, TypeError)
    assert "42" in where


def test_waiting_for_oneself_is_refused():
    def wait():
        task.Wait()

    task = Spawn(wait, raise_on_wait=True)
    with pytest.raises(CothreadError, match="cannot wait for itself"):
        task.Wait(5)


# -- cancelling


def test_cancel_raises_at_the_suspension_point_and_cleanup_runs():
    seen = []

    def work():
        try:
            Sleep(None)
        except Exception:
            seen.append("swallowed")
        finally:
            Sleep(1)
            seen.append("cleaned up")

    task = Spawn(work)
    Yield()
    assert task.Cancel() is True
    with pytest.raises(WasCancelled, match="work was cancelled"):
        task.Wait()
    assert seen == ["cleaned up"]
    assert task.state == "cancelled"
    assert task.Cancel() is False


def test_cancel_before_the_start():
    ran = []
    task = Spawn(ran.append, 1)
    task.Cancel()
    with pytest.raises(WasCancelled):
        task.Wait()
    assert not ran


def test_cancelling_oneself_raises_at_once():
    after = []

    def work():
        task.Cancel()
        after.append(1)

    task = Spawn(work)
    with pytest.raises(WasCancelled):
        task.Wait()
    assert not after


def test_a_cancelled_cothread_that_goes_on_has_a_result(reports):
    def work():
        try:
            Sleep(None)
        except Cancelled:
            return "I would rather not"

    task = Spawn(work)
    Yield()
    task.Cancel()
    assert task.Wait() == "I would rather not"
    assert not reports


def test_cancelling_the_ready():
    event = Event()
    got = []
    task = Spawn(lambda: got.append(event.Wait()))
    Yield()
    event.Signal(1)
    task.Cancel()
    with pytest.raises(WasCancelled):
        task.Wait()
    assert got == []
    # The signal it had been woken with is there for the next one.
    assert event.Wait(1) == 1


def test_a_protected_section_finishes_first():
    seen = []

    def work():
        with Protect():
            with Protect():
                Sleep(1)
                seen.append("inner")
            Sleep(1)
            seen.append("outer")
        seen.append("not reached")

    task = Spawn(work)
    Yield()
    task.Cancel()
    task.Cancel()
    with pytest.raises(WasCancelled):
        task.Wait()
    assert seen == ["inner", "outer"]


def test_protect_in_the_main_program():
    with Protect():
        Sleep(1)


def test_the_main_program_is_no_cothread_and_cannot_be_cancelled():
    assert cothread.current() is None


def test_cancel_does_not_reach_what_is_waited_for():
    inner = Spawn(Sleep, 5)
    outer = Spawn(inner.Wait)
    Yield()
    outer.Cancel()
    with pytest.raises(WasCancelled):
        outer.Wait()
    assert inner.Wait() is None


# -- WaitForAll


def test_wait_for_all_gives_results_in_order():
    tasks = [Spawn(lambda delay=delay: Sleep(delay) or delay) for delay in (3, 1, 2)]
    assert WaitForAll(task for task in tasks) == [3, 1, 2]


def test_wait_for_all_has_one_timeout_for_all(clock):
    tasks = [Spawn(Sleep, delay) for delay in (1, 2, 3)]
    with pytest.raises(Timedout):
        WaitForAll(tasks, 2.5)
    assert clock.now == pytest.approx(102.5)
    assert WaitForAll(tasks, 2.5) == [None] * 3


def test_wait_for_all_raises_the_first_failure_and_gives_up_the_rest(reports):
    tasks = [
        Spawn(Sleep, 1),
        Spawn(fail, ValueError("first"), raise_on_wait=True),
        Spawn(fail, ValueError("second"), raise_on_wait=True),
    ]
    with pytest.raises(ValueError, match="first"):
        WaitForAll(tasks)
    del tasks
    gc.collect()
    assert not reports


def test_an_event_given_up_by_wait_for_all_keeps_its_signal():
    event = Event()
    with pytest.raises(ValueError, match="oops"):
        WaitForAll([Spawn(fail, ValueError("oops"), raise_on_wait=True), event])
    event.Signal("kept")
    assert event.Wait(1) == "kept"


# -- what it says about itself


def test_names_and_places():
    def work():
        Sleep(1)

    task = Spawn(work)
    assert task.name == "work"
    task.name = "job 1"
    assert task.name == "job 1"
    file, _, rest = task.where.partition(":")
    assert file == __file__
    assert rest.endswith(" in test_names_and_places")
    assert task.state == "ready"
    Yield()
    assert task.state == "waiting"
    task.Wait()
    assert task.state == "done"
    assert "job 1" in repr(task)


def test_current():
    task = Spawn(cothread.current)
    assert task.Wait() is task
    assert cothread.current() is None


def test_the_live_ones_are_listed():
    task = Spawn(Sleep, 1)
    assert task in Spawn.Cothreads
    task.Wait()
    assert task not in Spawn.Cothreads


def test_inspection_of_all(clock):
    event = Event()
    tasks = [Spawn(Sleep, 7), Spawn(event.Wait)]
    tasks[0].name = "sleeper"
    Yield()
    clock.now += 2
    infos = {info.task: info for info in cothread.cothreads()}
    assert infos[None].name == "main"
    assert infos[None].state == "running"
    assert infos[tasks[0]].name == "sleeper"
    assert infos[tasks[0]].waiting_for == "Sleep 5.0 s left"
    assert infos[tasks[0]].age_s == pytest.approx(2)
    assert infos[tasks[1]].waiting_for.startswith("Event")
    assert any("test_tasks.py" in line or "waiting.py" in line for line in infos[tasks[0]].stack)
    event.Signal()
    WaitForAll(tasks)


# -- subclasses, contexts, references


def test_subclasses_may_add_weak_references():
    class WeakSpawn(Spawn):
        __slots__ = ("__weakref__",)

    class WeakEvent(Event):
        __slots__ = ("__weakref__",)

    task, event = WeakSpawn(int), WeakEvent()
    assert weakref.ref(task)() is task
    assert weakref.ref(event)() is event
    assert task.Wait() == 0
    Yield()


def test_plain_ones_have_no_weak_references_and_no_dict():
    task = Spawn(int)
    with pytest.raises(TypeError):
        weakref.ref(task)
    assert not hasattr(task, "__dict__")
    assert not hasattr(Event(), "__dict__")
    task.Wait()


def test_nothing_keeps_what_was_waited_for():
    class WeakEvent(Event):
        __slots__ = ("__weakref__",)

    event = WeakEvent()
    Spawn(event.Signal)
    event.Wait(1000)
    alive = weakref.ref(event)
    del event
    gc.collect()
    assert alive() is None


def test_nothing_keeps_arguments_and_results():
    class Thing:
        pass

    thing = Thing()
    alive = weakref.ref(thing)
    task = Spawn(lambda thing: None, thing)
    del thing
    task.Wait()
    assert alive() is None
    task = Spawn(Thing)
    alive = weakref.ref(task.Wait())
    assert alive() is not None
    del task
    Yield()
    assert alive() is None


def test_a_swap_in_an_except_block_leaks_no_exception():
    def work():
        try:
            raise ValueError
        except ValueError:
            Yield()

    task = Spawn(work)
    Yield()
    assert sys.exc_info() == (None, None, None)
    try:
        raise KeyError
    except KeyError as exc:
        Yield()
        still = sys.exc_info()[1] is exc
    assert still
    task.Wait()
    Yield()
    assert sys.getrefcount(task) == 2


def test_each_cothread_has_its_own_copy_of_the_context():
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("spawner's")

    def work():
        seen = [variable.get()]
        variable.set("own")
        Yield()
        seen.append(variable.get())
        return seen

    task = Spawn(work)
    variable.set("spawner's, later")
    assert task.Wait() == ["spawner's", "own"]
    assert variable.get() == "spawner's, later"
