# SPDX-License-Identifier: Apache-2.0
"""What a benchmark is, and how it is run.

Law: figures mean something only beside each other.  Every contender of a benchmark is measured in
the same run; the repetitions are interleaved, so that whatever else the machine does falls on all
of them alike; each measurement is a fresh process; the median is shown.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Literal

from . import native

__all__ = ["Benchmark", "Contender", "Figure", "Goal", "Outcome", "SIZES", "Unavailable", "run"]

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = Path(__file__).resolve().parent / "programs"
PATIENCE_S = 300.0
SIZES = (10, 100, 1_000, 10_000, 100_000)
"""At which curves are measured; `programs/curves.py` has its own, for it is run by peers too."""

Home = Literal["ours", "peers", "native"]


class Unavailable(Exception):
    """A contender cannot be measured here; the text says why."""


@dataclass(frozen=True)
class Contender:
    """Somebody who does the work that is measured.

    Attributes:
        program: a file of `programs/`.
        home: whose interpreter runs it, this checkout's or that of the peers; `native` is C.
    """

    name: str
    program: str
    arguments: tuple[str, ...] = ()
    home: Home = "ours"


@dataclass(frozen=True)
class Figure:
    """One number that every program of the benchmark prints under this key."""

    key: str
    title: str
    unit: str = ""


@dataclass(frozen=True)
class Goal:
    """What we want of a figure, which is smaller when it is better unless `more` is said.

    Attributes:
        against: the contender to compare with; None compares with `bound` itself.
        bound: how many times better than `against` we want to be, or the limit of the figure.
        more: a bigger figure is the better one.
    """

    figure: str
    against: str | None
    bound: float
    more: bool = False

    def judge(self, ours: float, theirs: float | None) -> tuple[str, bool]:
        """Say how far we got, and whether that is far enough."""
        if self.against is None:
            sign = "≥" if self.more else "≤"
            met = ours >= self.bound if self.more else ours <= self.bound
            return f"{ours:.4g}, wanted {sign} {self.bound:.4g}", met
        assert theirs is not None
        ratio = (ours / theirs if self.more else theirs / ours) if ours and theirs else 0.0
        wanted = f"≥ {self.bound:.3g}×" if self.bound >= 1 else f"≤ {1 / self.bound:.3g}× its cost"
        got = f"{ratio:.2f}×" if self.bound >= 1 else f"{1 / ratio if ratio else 0:.2f}× its cost"
        return f"{got} {self.against}, wanted {wanted}", ratio >= self.bound


@contextmanager
def nothing() -> Iterator[dict[str, str]]:
    """Be the setting of a benchmark that needs none."""
    yield {}


@dataclass(frozen=True)
class Benchmark:
    """A question, and who is asked it.  The first contender is ours.

    Attributes:
        setting: what must stand while the programs run (an IOC); yields their environment.
    """

    name: str
    question: str
    contenders: tuple[Contender, ...]
    figures: tuple[Figure, ...]
    goals: tuple[Goal, ...] = ()
    repetitions: int = 5
    setting: Callable[[], AbstractContextManager[Mapping[str, str]]] = nothing
    note: str = ""


@dataclass
class Outcome:
    """What came out: for each contender and figure all samples, in the order of the run."""

    benchmark: Benchmark
    samples: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def median(self, contender: str, figure: str) -> float | None:
        """Return the median of a figure, None where it was not measured."""
        values = self.samples.get(contender, {}).get(figure)
        return median(values) if values else None

    def verdicts(self) -> Iterator[tuple[Goal, str, bool]]:
        """Yield every goal that can be judged with what came of it."""
        ours = self.benchmark.contenders[0].name
        for goal in self.benchmark.goals:
            mine = self.median(ours, goal.figure)
            theirs = None if goal.against is None else self.median(goal.against, goal.figure)
            if mine is not None and (goal.against is None or theirs is not None):
                yield goal, *goal.judge(mine, theirs)

    def record(self, contender: Contender, printed: Mapping[str, Any]) -> None:
        """Take in what a program printed."""
        self.versions.update(printed.get("versions", {}))
        figures = self.samples.setdefault(contender.name, {})
        for key, value in printed["figures"].items():
            figures.setdefault(key, []).append(float(value))


def run(
    benchmark: Benchmark,
    peers: Callable[[], Path],
    repetitions: int | None = None,
    say: Callable[[str], None] = print,
) -> Outcome:
    """Measure all contenders.

    Args:
        peers: returns the interpreter of the peers' environment.
        say: is told of the progress.
    """
    outcome = Outcome(benchmark)
    with benchmark.setting() as environment:
        for _ in range(repetitions or benchmark.repetitions):
            for contender in benchmark.contenders:
                if contender.name in outcome.absent:
                    continue
                say(contender.name)
                try:
                    outcome.record(contender, measure(contender, peers, environment))
                except Unavailable as exc:
                    outcome.absent[contender.name] = str(exc)
    return outcome


def measure(
    contender: Contender, peers: Callable[[], Path], environment: Mapping[str, str]
) -> dict[str, Any]:
    """Run a contender's program once.

    Returns:
        The JSON object that it printed last.
    Raises:
        Unavailable: it could not be run, or failed.
    """
    settings = {**os.environ, **environment, "PYTHONUNBUFFERED": "1"}
    # As for everybody: compiled modules are kept.
    settings.pop("PYTHONDONTWRITEBYTECODE", None)
    settings.pop("PYTHONPATH", None)
    program = PROGRAMS / contender.program
    if contender.home == "native":
        try:
            command = [str(native.build(program))]
        except native.CannotBuild as exc:
            raise Unavailable(str(exc)) from None
    elif contender.home == "peers":
        command = [str(peers()), str(program)]
    else:
        settings["PYTHONPATH"] = str(ROOT)
        command = [sys.executable, str(program)]
    try:
        done = subprocess.run(
            [*command, *contender.arguments],
            env=settings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"did not finish within {PATIENCE_S:.0f} s") from None
    except OSError as exc:
        raise Unavailable(str(exc)) from None
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        complaint = (done.stderr.strip().splitlines() or ["printed no figures"])[-1]
        raise Unavailable(f"failed ({done.returncode}): {complaint}")
    printed: dict[str, Any] = json.loads(lines[-1])
    return printed
