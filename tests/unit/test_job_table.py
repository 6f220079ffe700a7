# SPDX-License-Identifier: Apache-2.0
"""The table of jobs: a line for each, whatever a job is called, wrote, waits for and came to."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from coshell.kernel.dock import cells
from coshell.kernel.failures import summarise
from coshell.kernel.job_table import SHOWN, more, shown, table
from coshell.kernel.jobs import BRIEFLY
from coshell.kernel.messages import one_line


@dataclass
class Job:
    number: int
    name: str = "scan"
    state: str = "waiting"
    waits_for: str = "Sleep, 3 s left"
    outcome: str = ""
    output: list[str] = field(default_factory=list)
    ended: float | None = None
    cpu_s: float = 0.0

    @property
    def tag(self) -> str:
        return str(self.number)

    def age(self, now: float) -> float:
        return now


WILD = (
    Job(1, name="[red]job[/red] 日本語", output=["a\tb", "c\td \x1b[31mred\x1b[m"]),
    Job(2, state="done", ended=1.0, outcome="array([[1., 1.],\n       [1., 1.]])"),
    Job(3, state="failed", ended=1.0, outcome="E: " + "long " * 100),
    Job(4, waits_for="Event \x1b[2J\r\n\x07"),
)


@pytest.mark.parametrize("width", [10, 40, 80, 200])
def test_each_job_is_one_line_that_fits(width):
    lines = table(WILD, 5.0, width)
    assert len(lines) == len(WILD) + 1
    assert all(line.isprintable() and cells(line) <= width for line in lines)


def test_columns_stand_under_their_headings():
    heading, *rows = table(WILD, 5.0, 120)
    at = heading.index("state")
    for row, job in zip(rows, (WILD[0], WILD[3], WILD[2], WILD[1]), strict=True):
        before, _, _ = row.partition(job.state)
        assert cells(before) == at


def test_a_narrow_screen_shows_what_is_waited_for():
    (_, line) = table([WILD[3]], 5.0, 40)
    assert line == "4    scan  waiting  Event ·"
    assert "Sleep, 3" in table([Job(1, name="a name that is long")], 5.0, 40)[1]


def test_of_thousands_the_first_are_shown_and_the_rest_is_counted():
    jobs = [Job(n, state="waiting") for n in range(3000)] + [Job(3000, state="failed")]
    some, rest = shown(jobs)
    assert [job.number for job in some] == list(range(SHOWN))
    assert more(rest) == "… and 2961 more (2960 waiting, 1 failed); %jobs WORD narrows it down"


def test_no_jobs_are_no_lines():
    assert table([], 1.0, 80) == []


class Broken(Exception):
    def __repr__(self) -> str:
        raise ValueError("no words")

    __str__ = __repr__


def test_a_result_that_cannot_be_shown_is_shown_somehow():
    assert BRIEFLY.repr(Broken()).startswith("<Broken instance at 0x")
    assert summarise(Broken()) == "Broken: its message cannot be shown"


def test_a_large_result_is_cut_before_it_is_made_a_text():
    assert len(BRIEFLY.repr([["x" * 10_000] * 1000] * 1000)) < 10_000


def test_text_on_one_line_has_nothing_that_a_terminal_obeys():
    assert one_line("a\r\nb\t c\x1b[2J \x9b1m \u202e日本 ") == "a b c·[2J ·1m ·日本"
