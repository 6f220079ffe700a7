# SPDX-License-Identifier: Apache-2.0
"""PV name patterns: brace ranges such as `SR-BPM-{01..12}:{X,Y}`, and globs over known names.

Law: a brace group is a pattern only when it holds a comma or `..`; every other brace belongs to the
name. Real PV names contain braces (`SR:C03-BI{BPM:1}Pos:X-I`), and a channel filter such as
`PV.{"dbnd":{"abs":0.1}}` is JSON that nothing may touch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import translate
from itertools import product
from typing import Final

LIMIT: Final = 100_000
"""A pattern that stands for more names than this is a typing error, not a wish."""

_TOO_MANY: Final = f"stands for more than {LIMIT} names; try a shorter range like {{01..12}}"
_RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)(?:\.\.(-?\d+))?\Z")
_LETTERS = re.compile(r"([A-Za-z])\.\.([A-Za-z])\Z")


class PatternError(ValueError):
    """Say why a name pattern cannot be expanded, and show one that can."""


def expand(pattern: str) -> list[str]:
    """Return every name a pattern stands for, the last group varying fastest.

    Args:
        pattern: a PV name, perhaps with groups `{01..12}`, `{1..9..2}`, `{a..d}` or `{X,Y}`.
            Zeros in front keep the width: `{01..12}` gives 01, 02 … 12.

    Raises:
        PatternError: the range has a step of nothing, or there are more than `LIMIT` names.
    """
    head, json, tail = pattern.partition(".{")
    if json and not tail.lstrip().startswith(('"', "}")):
        head, json, tail = pattern, "", ""
    parts = _parts(head)
    total = 1
    for part in parts:
        total *= len(part)
        if total > LIMIT:
            raise PatternError(f"{pattern}: {_TOO_MANY}")
    return ["".join(choice) + json + tail for choice in product(*parts)]


def _parts(text: str) -> list[Sequence[str]]:
    """Split text into alternatives: literal pieces have one, groups have several."""
    parts: list[Sequence[str]] = []
    literal = ""
    index = 0
    while index < len(text):
        end = _closing(text, index) if text[index] == "{" else -1
        choices = _group(text[index + 1 : end]) if end > 0 else None
        if choices is None:
            literal += text[index]
            index += 1
        else:
            parts += [[literal], choices]
            literal = ""
            index = end + 1
    parts.append([literal])
    return parts


def _closing(text: str, start: int) -> int:
    """Return where the brace opened at `start` closes, or -1."""
    depth = 0
    for index in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[index], 0)
        if depth == 0:
            return index
    return -1


def _group(body: str) -> list[str] | None:
    """Return the alternatives of one group, or None when its braces belong to the name."""
    numbers = _RANGE.match(body)
    if numbers is not None:
        return _numbers(body, *numbers.groups())
    letters = _LETTERS.match(body)
    if letters is not None:
        first, last = map(ord, letters.groups())
        step = 1 if last >= first else -1
        return [chr(code) for code in range(first, last + step, step)]
    items = _split(body)
    if len(items) < 2:
        return None
    return [name for item in items for name in expand(item)]


def _numbers(body: str, first: str, last: str, step: str | None) -> list[str]:
    start, stop = int(first), int(last)
    stride = abs(int(step)) if step else 1
    if stride == 0:
        raise PatternError(f"{{{body}}}: a range needs a step of at least 1, like {{1..9..2}}")
    if abs(stop - start) // stride >= LIMIT:
        raise PatternError(f"{{{body}}}: {_TOO_MANY}")
    padded = any(len(text.lstrip("-")) > 1 and text.lstrip("-")[0] == "0" for text in (first, last))
    width = max(len(first), len(last)) if padded else 0
    direction = 1 if stop >= start else -1
    return [f"{n:0{width}d}" for n in range(start, stop + direction, stride * direction)]


def _split(body: str) -> list[str]:
    """Split at the commas that are outside inner braces."""
    items = [""]
    depth = 0
    for char in body:
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            items.append("")
        else:
            items[-1] += char
    return items


def is_glob(text: str) -> bool:
    """Return whether text asks for known names (`*` or `?`); brackets belong to PV names."""
    return "*" in text or "?" in text


def matching(glob: str, known: Iterable[str]) -> list[str]:
    """Return the known names a glob matches, in the order they are known."""
    match = re.compile(translate(glob.replace("[", "[[]"))).match
    return [name for name in known if match(name)]


def pvs(patterns: str | Iterable[str], known: Iterable[str] = ()) -> list[str]:
    """Return the PV names that patterns stand for, each once, in order.

    Args:
        patterns: one or several patterns; a string may hold several between blanks.
        known: the names a glob is matched against.

    Raises:
        PatternError: a pattern is too large, or a glob matches no known name.
    """
    words = patterns.split() if isinstance(patterns, str) else list(patterns)
    names: dict[str, None] = {}
    for word in words:
        for name in expand(word):
            if not is_glob(name):
                names[name] = None
                continue
            found = matching(name, known)
            if not found:
                raise PatternError(
                    f"{name}: no known PV matches; a glob looks only at names seen before, "
                    "a range like {01..12} needs none"
                )
            names.update(dict.fromkeys(found))
    return list(names)
