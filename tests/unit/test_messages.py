# SPDX-License-Identifier: Apache-2.0
"""What the shell itself says: broken between words, in colour only where that can be seen."""

from __future__ import annotations

import io

import pytest

from coshell.kernel.colours import strip, tint
from coshell.kernel.dock import cells
from coshell.kernel.messages import for_stream, wrap

ERROR = "\x1b[31m✗ ca_nothing: SR-DI-BPM-01:X never connected\x1b[m\x1b[2m · %why 12\x1b[m"


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("line", "columns", "rows"),
    [
        ("short", 10, ["short"]),
        ("", 10, [""]),
        ("exactly it", 10, ["exactly it"]),
        ("one too many", 11, ["one too", "  many"]),
        ("  a place of code", 12, ["  a place of", "    code"]),
        ("/a/word/longer/than/that and more", 12, ["/a/word/longer/than/that", "  and more"]),
        ("two  blanks", 20, ["two  blanks"]),
        ("漢字 漢字 漢字", 10, ["漢字 漢字", "  漢字"]),
    ],
)
def test_a_line_is_broken_between_words(line: str, columns: int, rows: list[str]) -> None:
    assert wrap(line, columns).split("\n") == rows


@pytest.mark.parametrize("columns", range(24, 70))
def test_a_message_loses_nothing_and_its_number_stays_with_its_mark(columns: int) -> None:
    rows = strip(wrap(ERROR, columns)).split("\n")
    assert " ".join(row.strip() for row in rows) == strip(ERROR)
    assert all(cells(row) <= columns for row in rows)
    assert sum("· %why 12" in row for row in rows) == 1


def test_only_a_terminal_gets_colours_and_broken_lines() -> None:
    assert for_stream(ERROR, io.StringIO(), 20) == strip(ERROR)
    shown = for_stream(f"{ERROR}\nmore", Screen(), 20)
    assert "\x1b[31m" in shown
    assert all(cells(row) <= 20 for row in shown.split("\n"))
    assert shown.endswith("\nmore")


def test_no_color_leaves_bold_dim_and_reverse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert tint("text", "7;31") == "\x1b[7;31mtext\x1b[m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert tint("text", "7;31") == "\x1b[7mtext\x1b[m"
    assert tint("text", "31") == "text"
