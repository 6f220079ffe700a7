# SPDX-License-Identifier: Apache-2.0
r"""Text that is safe to put on a terminal, measured in cells.

Law: nothing that came over the network reaches the terminal as anything but printable characters.
Control characters, escape sequences, direction overrides and invisible characters are shown as
`\x1b`, `\u202e` and so on; markup is never interpreted, because none is ever parsed.
"""

from __future__ import annotations

from typing import Final

from prompt_toolkit.utils import get_cwidth

ELLIPSIS: Final = "…"
LONGEST: Final = 4096
"""Characters of a text that are looked at; no panel is wider than this."""


def sanitise(text: str) -> str:
    """Return text with every character that is not plainly printable spelled out."""
    if len(text) > LONGEST:
        text = text[:LONGEST] + ELLIPSIS
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _spell(char) for char in text)


def _spell(char: str) -> str:
    if "\ue000" <= char <= "\uf8ff" or char == "\u3000" or char == "\xa0":
        return " " if char in "\u3000\xa0" else "\ufffd"
    return char.encode("unicode_escape").decode("ascii")


def plain(text: str) -> str:
    """Return text with everything beyond ASCII spelled out, for terminals that know no more."""
    return text if text.isascii() else text.encode("ascii", "backslashreplace").decode()


def cells(text: str) -> int:
    """Return how many terminal cells text takes."""
    return len(text) if text.isascii() else get_cwidth(text)


def clip(text: str, width: int, ellipsis: str = ELLIPSIS) -> str:
    """Return text cut to at most `width` cells, with an ellipsis where something is missing."""
    if cells(text) <= width:
        return text
    room = width - cells(ellipsis)
    if room < 0:
        return ""
    return _head(text, room) + ellipsis


def clip_front(text: str, width: int, ellipsis: str = ELLIPSIS) -> str:
    """Return the end of text, at most `width` cells: what tells PV names apart is their end."""
    if cells(text) <= width:
        return text
    room = width - cells(ellipsis)
    if room < 0:
        return ""
    return ellipsis + _head(text[::-1], room)[::-1]


def _head(text: str, room: int) -> str:
    if text.isascii():
        return text[:room]
    used = 0
    for index, char in enumerate(text):
        used += get_cwidth(char)
        if used > room:
            return text[:index]
    return text


def pad(text: str, width: int, right: bool = False) -> str:
    """Return text filled with blanks to exactly `width` cells; it must not be wider."""
    blanks = " " * (width - cells(text))
    return blanks + text if right else text + blanks
