# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from coshell.kernel.dock import Dock


class Item:
    """Rows that say how old they are while nothing can be drawn."""

    def __init__(self, title: str, rows: int, fails: bool = False) -> None:
        self.title = title
        self._rows = rows
        self._fails = fails

    def render(self, width: int, height: int, now: float) -> list[str]:
        return [f"{self.title} {row}"[:width] for row in range(min(self._rows, height))]

    def paused(self, width: int, now: float) -> str:
        if self._fails:
            raise ValueError(self.title)
        return f"{self.title} paused {now:g}"[:width]


class Silent:
    title = "silent"

    def render(self, width: int, height: int, now: float) -> list[str]:
        return ["silent"][:height]


def dock(*items: Item | Silent) -> Dock:
    made = Dock()
    made.status_fields.append(lambda: "status")
    for item in items:
        made.add(item)
    return made


def test_items_that_stand_still_say_so_in_their_first_row() -> None:
    made = dock(Item("a", 3), Silent(), Item("hidden", 0), Item("bad", 1, fails=True), Item("b", 2))
    lines = made.lines(40, 20, 1.0)
    written = made.paused(9.0)
    assert [lines[row] for row, _ in written] == ["a 0", "b 0"]
    assert [text for _, text in written] == ["a paused 9", "b paused 9"]
    assert lines[-1].find("status") > 0


def test_rows_given_up_on_a_small_terminal_are_not_written_over() -> None:
    made = dock(Item("a", 9), Item("b", 9))
    lines = made.lines(40, 5, 1.0)
    assert [lines[row] for row, _ in made.paused(2.0)] == ["a 0", "b 0"]
    assert made.lines(40, 0, 1.0) == []
    assert made.paused(2.0) == []


def test_nothing_drawn_yet_is_not_paused() -> None:
    assert dock(Item("a", 3)).paused(1.0) == []
