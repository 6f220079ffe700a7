# SPDX-License-Identifier: Apache-2.0
"""Colours as a terminal is told of them: put into text, and taken out again."""

from __future__ import annotations

import os
from typing import Final

__all__ = ["strip", "tint"]

COLOURS: Final = range(30, 38)


def tint(text: str, codes: str) -> str:
    """Return text in the colours of these codes; `NO_COLOR` leaves bold, dim and reverse."""
    if os.environ.get("NO_COLOR"):
        codes = ";".join(code for code in codes.split(";") if int(code) not in COLOURS)
    return f"\x1b[{codes}m{text}\x1b[m" if codes else text


def strip(text: str) -> str:
    """Return ANSI text without its colour sequences."""
    if "\x1b" not in text:
        return text
    plain = []
    for i, piece in enumerate(text.split("\x1b[")):
        plain.append(piece if i == 0 else piece.lstrip("0123456789;:")[1:])
    return "".join(plain)
