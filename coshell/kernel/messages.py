# SPDX-License-Identifier: Apache-2.0
"""What the shell itself has to say: in colour where that can be seen, and broken between words.

What cells, jobs and programs print is not touched: their lines stay as they are.
"""

from __future__ import annotations

import os
import re
from typing import Any, Final

from .dock import cells, strip

__all__ = ["for_stream", "tint", "wrap"]

INDENT: Final = "  "
_COLOURS: Final = range(30, 38)
_BREAK: Final = re.compile(r"(?<!·)(?<!%why) ")
"""Where a message may be broken: not between a mark and what it stands for."""


def tint(text: str, codes: str) -> str:
    """Return text in the colours of these codes; `NO_COLOR` leaves bold, dim and reverse."""
    if os.environ.get("NO_COLOR"):
        codes = ";".join(code for code in codes.split(";") if int(code) not in _COLOURS)
    return f"\x1b[{codes}m{text}\x1b[m" if codes else text


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
