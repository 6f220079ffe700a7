# SPDX-License-Identifier: Apache-2.0
"""What the shell itself has to say: in colour where that can be seen, and broken between words.

What cells, jobs and programs print is not touched: their lines stay as they are.
"""

from __future__ import annotations

import re
from typing import Any, Final

from .colours import strip
from .dock import cells

__all__ = ["for_stream", "one_line", "wrap"]

INDENT: Final = "  "
ONE_LINE: Final = 4096
"""So many characters of a text are looked at; no screen is wider than this."""
_BREAK: Final = re.compile(r"(?<!·)(?<!%why) ")
"""Where a message may be broken: not between a mark and what it stands for."""


def for_stream(text: str, stream: Any, columns: int) -> str:
    """Return messages as a stream can show them.

    Args:
        text: lines, maybe in colours.
        stream: a terminal gets them broken between words, anything else whole and without colours.
        columns: of the terminal.
    """
    if not stream.isatty():
        return strip(text)
    return "\n".join(wrap(line, columns) for line in text.split("\n"))


def wrap(line: str, columns: int) -> str:
    """Return a line as lines of at most so many cells, the later ones set in a little.

    A word that is longer than that has a line of its own, and the terminal breaks it.
    """
    words = _BREAK.split(line)
    plain = strip(line)
    margin = plain[: len(plain) - len(plain.lstrip(" "))] + INDENT
    rows = [words[0]]
    used = cells(words[0])
    for word in words[1:]:
        size = cells(word)
        if used + 1 + size <= columns:
            rows[-1] += f" {word}"
            used += 1 + size
        else:
            rows.append(f"{margin}{word}")
            used = len(margin) + size
    return "\n".join(rows)


def one_line(text: str) -> str:
    """Return text on one line, a dot for each character that a terminal would obey."""
    line = " ".join(text[:ONE_LINE].split())
    return line if line.isprintable() else "".join(c if c.isprintable() else "·" for c in line)
