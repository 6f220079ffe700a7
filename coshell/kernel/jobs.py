# SPDX-License-Identifier: Apache-2.0
"""Jobs: the cothreads that the operator started, with numbers, output and results.

Every cothread spawned by user code (a cell, a script, a module outside the installed packages) is a
job. A new cothread is only put on a list; who is a job is found out when one writes or fails, and
when somebody looks.
"""

from __future__ import annotations

import shutil
import sysconfig
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from reprlib import Repr
from typing import Any, Final

from cothread import Pulse, Spawn, Timedout, WasCancelled, current, hooks
from cothread.clock import monotonic
from cothread.scheduler import scheduler

from .dock import clip
from .failures import summarise
from .job_table import more, shown, table
from .messages import one_line

__all__ = ["Chosen", "Job", "Jobs"]

OUTPUT_LINES: Final = 2000
ENDED_KEPT: Final = 200
LISTED_KEPT: Final = 20
"""So many of them can still be asked for when the table has shown their end."""
NAME_CELLS: Final = 60
FRESH: Final = 256
"""So many new cothreads are looked at together."""


class Briefly(Repr):
    """Shows results: a large one costs no more than a small one, and none raises.

    Attributes:
        words: what shows the values of a type, where their `repr` says it badly.
    """

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 100
        self.words: dict[type, Callable[[Any], str]] = {}

    def repr1(self, x: Any, level: int) -> str:
        """Return a value as text."""
        show = self.words.get(type(x))
        return super().repr1(x, level) if show is None else show(x)


BRIEFLY: Final = Briefly()


class Job:
    """One background cothread of the operator.

    Attributes:
        number: what `%kill`, `%fg`, `%out` and `%result` are asked for.
        task: the cothread itself.
        output: its last lines.
        written: how many lines it wrote in all.
        started: monotonic.
        ended: monotonic, None while it runs.
        listed: whether its end was in the table of jobs already, which then leaves it out.
    """

    def __init__(self, number: int, task: Spawn[Any], now: float) -> None:
        self.number = number
        self.tag = str(number)
        self.task = task
        self.output: deque[str] = deque(maxlen=OUTPUT_LINES)
        self.written = 0
        self.started = now
        self.ended: float | None = None
        self.listed = False
        self._cpu_s = 0.0

    @property
    def name(self) -> str:
        """The name of its cothread, so that it can stand in a line."""
        return clip(one_line(str(self.task.name)), NAME_CELLS)

    @property
    def state(self) -> str:
        """One of ready, waiting, running, done, failed, cancelled."""
        return self.task.state

    @property
    def cpu_s(self) -> float:
        """How long it has held the scheduler, in seconds."""
        strand = self.task.strand
        if strand is not None:
            self._cpu_s = strand.cpu_s
        return self._cpu_s

    @property
    def waits_for(self) -> str:
        """What it waits for, in words; "" when it does not wait."""
        strand = self.task.strand
        wait = None if strand is None else strand.wait
        if wait is None or wait.target is None:
            return ""
        describe = getattr(wait.what, "waiting_for", None)
        text = str(describe() if describe is not None else wait.what)
        if wait.deadline is None:
            return text
        return f"{text}, {max(0.0, wait.deadline - scheduler.clock()):.0f} s left"

    @property
    def result(self) -> Any:
        """What it returned; raises what it raised.

        Raises:
            Timedout: it is still running.
            BaseException: what it raised.
        """
        failure = self.task.exception
        if failure is not None:
            raise failure
        return self.task.Wait(0)

    @property
    def outcome(self) -> str:
        """How it ended, in one line; "" while it runs."""
        if not self.task:
            return ""
        failure = self.task.exception
        if failure is not None:
            return summarise(failure)
        return "" if self.state == "cancelled" else BRIEFLY.repr(self.task.Wait(0))

    def age(self, now: float) -> float:
        """Return how long it ran, or has been running, in seconds."""
        return (now if self.ended is None else self.ended) - self.started

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended, however it did.

        Raises:
            Timedout: it has not.
        Suspends: until then.
        """
        with suppress(WasCancelled):
            try:
                self.task.Wait(timeout)
            except Timedout:
                if not self.task:
                    raise
            except Exception as failure:
                if failure is not self.task.exception:
                    raise

    def kill(self) -> bool:
        """Cancel it; False when it had ended already."""
        return self.task.Cancel()

    def wrote(self, line: str) -> None:
        """Keep a line of its output."""
        self.output.append(line)
        self.written += 1

    def __repr__(self) -> str:
        return f"<Job {self.number} {self.name}: {self.state}>"


class Jobs:
    """The jobs of the session: `jobs[3]`, `jobs[3].output`, `jobs[3].kill()`, `list(jobs)`.

    Args:
        on_change: called with a job when it is found and when it ends.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        on_change: Callable[[Job], object] | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._jobs: dict[int, Job] = {}
        self._by_task: dict[Spawn[Any], Job] = {}
        self._fresh: list[Spawn[Any]] = []
        self._ended: deque[Job] = deque()
        self._number = 0
        self._clock = clock
        self._on_change = on_change
        self.attached: Job | None = None
        self.attaching = Pulse()
        installed = {sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")}
        ours = Path(__file__).parents[2]
        self._library = tuple(
            f"{path}/"
            for path in (*installed, ours / "cothread", ours / "catools", ours / "coshell")
            if path is not None
        )

    # -- the operator's view

    def __iter__(self) -> Iterator[Job]:
        self.discover()
        return iter(list(self._jobs.values()))

    def __len__(self) -> int:
        self.discover()
        return len(self._jobs)

    def __getitem__(self, number: int) -> Job:
        self.discover()
        if number in self._jobs:
            return self._jobs[number]
        known = ", ".join(map(str, list(self._jobs)[-10:])) or "none"
        raise LookupError(f"There is no job {number}; those there are: {known}.")

    def __contains__(self, number: object) -> bool:
        return number in self._jobs

    def __repr__(self) -> str:
        return "\n".join(table(list(self), self._clock(), 10_000)) or "no jobs"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        del cycle
        printer.text(self._listing(job for job in self if not job.listed))

    def find(self, *words: str) -> Chosen:
        """Return the jobs that are in one of these states, or have one of these in their name."""
        return Chosen(
            (job for job in self if any(_is_like(job, word) for word in words)), self._listing
        )

    def _listing(self, jobs: Iterable[Job]) -> str:
        """Return the table of jobs; those whose end is in it are left out of the next."""
        width = shutil.get_terminal_size((80, 24)).columns
        some, rest = shown(jobs)
        lines = table(some, self._clock(), width)
        if rest:
            lines.append(clip(more(rest), width))
        for job in some:
            job.listed = job.ended is not None
        self._forget_listed()
        return "\n".join(lines) or "no jobs"

    @property
    def running(self) -> list[Job]:
        """Those that have not ended."""
        return [job for job in self if not job.task]

    @property
    def count_running(self) -> int:
        """How many have not ended."""
        self.discover()
        return len(self._by_task)

    def _forget_listed(self) -> None:
        """Drop the ended jobs that the operator has seen, but for the newest of them."""
        old = [job for job in self._ended if job.listed][:-LISTED_KEPT]
        for job in old:
            self._ended.remove(job)
            self._jobs.pop(job.number, None)

    # -- who is a job

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Hear of every cothread that is spawned in the `with` block, and of those there are."""
        self._fresh += sorted(Spawn.Cothreads, key=lambda task: task.born)
        previous = hooks.set_spawn_hook(self._spawned)
        try:
            yield
        finally:
            hooks.set_spawn_hook(previous)

    def _spawned(self, task: Spawn[Any]) -> None:
        self._fresh.append(task)
        if len(self._fresh) > FRESH:
            self.discover()

    def adopt(self, task: Spawn[Any]) -> Job:
        """Make a cothread a job, if it is not one already."""
        job = self._by_task.get(task)
        if job is not None:
            return job
        self._number += 1
        job = self._jobs[self._number] = Job(self._number, task, task.born)
        self._by_task[task] = job
        if self._on_change is not None:
            self._on_change(job)
        task.on_end(lambda _: self.ended(job))
        return job

    def discover(self) -> None:
        """Find the cothreads that user code spawned since the last time."""
        while self._fresh:
            fresh, self._fresh = self._fresh, []
            for task in fresh:
                if self._is_users(task):
                    self.adopt(task)

    def job_of(self, task: Spawn[Any] | None) -> Job | None:
        """Return the job that a cothread is, or None."""
        if task is None:
            return None
        self.discover()
        job = self._by_task.get(task)
        if job is None and task:
            job = next((job for job in self._ended if job.task is task), None)
        return job

    def known(self, task: Spawn[Any]) -> Job | None:
        """Return the job that a cothread is, if that is known already.

        Thread: any.
        """
        return self._by_task.get(task)

    def end(self, patience_s: float) -> None:
        """Cancel all that run; those that have not cleaned up in time are left behind.

        Suspends: until they have ended.
        """
        deadline = self._clock() + patience_s
        running = self.running
        for job in running:
            job.kill()
        for job in running:
            with suppress(Timedout):
                job.join(max(0.0, deadline - self._clock()))

    def current(self) -> Job | None:
        """Return the job that is running now, or None."""
        return self.job_of(current())

    def _is_users(self, task: Spawn[Any]) -> bool:
        filename = task.where.rpartition(":")[0]
        return not filename.startswith(self._library) and not filename.startswith("<frozen")

    def ended(self, job: Job) -> None:
        """Take note that a job has ended; called as it ends, so it must not suspend."""
        job.ended = self._clock()
        self._by_task.pop(job.task, None)
        self._ended.append(job)
        if len(self._ended) > ENDED_KEPT:
            self._jobs.pop(self._ended.popleft().number, None)
        if self.attached is job:
            self.attached = None
        if self._on_change is not None:
            self._on_change(job)


class Chosen(list[Job]):
    """Some of the jobs, which show as their table."""

    def __init__(self, jobs: Iterable[Job], listing: Callable[[Iterable[Job]], str]) -> None:
        super().__init__(jobs)
        self._listing = listing

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        del cycle
        printer.text(self._listing(self) if self else "no jobs like that")


def _is_like(job: Job, word: str) -> bool:
    return word == job.state or word.casefold() in job.name.casefold()
