# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from coshell.kernel.dock import Dock, dock_rows
from coshell.kernel.prompt import _row


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


@pytest.mark.parametrize(
    ("rows", "taken"),
    [(60, 40), (25, 16), (24, 16), (10, 6), (9, 6), (6, 3), (5, 2), (3, 0), (1, 0)],
)
def test_the_dock_leaves_a_useful_part_of_the_screen(rows: int, taken: int) -> None:
    assert dock_rows(rows) == taken


@pytest.mark.parametrize(
    ("line", "width", "shown"),
    [
        ("plain  text", 20, "plain  text"),
        ("  \x1b[1mbold\x1b[0m   \x1b[31mred \x1b[m end", 40, "  bold   red  end"),
        ("\x1b[7m   \x1b[0m|", 10, "   |"),
        ("▁▂▃ 漢字 x", 20, "▁▂▃ 漢字 x"),
        ("漢字漢字", 5, "漢字"),
        ("e\u0301 \x1b[31mR\x1b[m\u0308\u202e.", 9, "e\u0301 R\u0308."),
        ("\u0301a", 9, "a"),
        ("too long for this", 8, "too long"),
        ("    \x1b[1mfar out\x1b[0m", 3, ""),
    ],
)
def test_a_line_becomes_cells(line: str, width: int, shown: str) -> None:
    row = _row(line, width)
    assert all(0 <= x < width for x in row)
    text = "".join(row[x].char if x in row else " " for x in range(max(row, default=-1) + 1))
    assert text.rstrip() == shown.rstrip()


def test_cells_have_the_style_of_their_text() -> None:
    row = _row("  a\x1b[1;31mb c\x1b[0md", 20)
    assert set(row) >= {2, 3, 4, 5, 6}
    assert [row[x].style for x in (2, 6)] == ["", ""]
    assert {row[x].style for x in (3, 4, 5)} == {"ansired bold"}
