# SPDX-License-Identifier: Apache-2.0
"""Values as they are told in words at the prompt: one line each, or a table of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from time import time
from typing import Any, Final

from coshell.get import About
from coshell.panel import style
from coshell.panel.model import NEVER_PROCESSED, NO_METADATA, Metadata
from coshell.panel.style import number_text
from coshell.panel.text import cells, clip, pad, sanitise
from coshell.panel.theme import SEVERITIES


def value_text(value: Any, metadata: Metadata) -> str:
    """Return a value with its units; a state with its number."""
    text = style.value_texts(value, metadata)[0]
    if metadata.enums and isinstance(value, int) and 0 <= value < len(metadata.enums):
        return f"{text} ({int(value)})"
    return f"{text} {sanitise(metadata.units)}" if metadata.units else text


def alarm_text(value: Any) -> str:
    """Return symbol, cause and severity of a value in alarm, else nothing."""
    severity = getattr(value, "severity", 0)
    if not severity:
        return ""
    known = SEVERITIES[severity if 0 < severity < len(SEVERITIES) else -1]
    return f"{known.symbol} {style.status_text(getattr(value, 'status', 0))} {known.word}"


def age_text(value: Any, wall: float) -> str:
    """Return how long ago the IOC stamped a value."""
    stamp = getattr(value, "timestamp", None)
    if stamp is None:
        return ""
    if stamp == NEVER_PROCESSED:
        return "never processed"
    return f"{style.age_text(max(wall - stamp, 0.0))} ago"


@dataclass(frozen=True, slots=True)
class Line:
    """One PV told in words."""

    name: str
    value: str
    alarm: str
    age: str


def line_of(value: Any, metadata: Metadata, wall: float) -> Line:
    """Return the words for one result of a get, be it a value or the reason there is none."""
    name = sanitise(value.name)
    if not value.ok:
        prefix = f"{value.name}: "
        reason = str(value).removeprefix(prefix)
        return Line(name, "---", sanitise(reason.splitlines()[0] if reason else "no value"), "")
    return Line(name, value_text(value, metadata), alarm_text(value), age_text(value, wall))


def table(lines: Iterable[Line], width: int) -> list[str]:
    """Return lines of text in columns, each at most `width` cells."""
    rows = [[line.name, line.value, line.alarm, line.age] for line in lines]
    wide = [max((cells(row[at]) for row in rows), default=0) for at in range(4)]
    wide[1] = min(wide[1], max(width // 2, 10))
    texts = []
    for row in rows:
        parts = [pad(clip(text, w), w) for text, w in zip(row, wide, strict=True) if w]
        texts.append(clip("  ".join(parts).rstrip(), width))
    return texts


class Readings(list[Any]):
    """What `%caget` of several PVs returns: a list of values that prints as a table."""

    def __init__(
        self, values: Iterable[Any], metadata: Mapping[str, Metadata], width: int = 100
    ) -> None:
        super().__init__(values)
        self._metadata = metadata
        self._width = width
        self._wall = time()

    @property
    def failed(self) -> list[Any]:
        """The reasons, one for each PV that gave no value."""
        return [value for value in self if not value.ok]

    def __str__(self) -> str:
        lines = [line_of(v, self._metadata.get(v.name, NO_METADATA), self._wall) for v in self]
        texts = table(lines, self._width)
        if self.failed:
            texts.append(f"{len(self.failed)} of {len(self)} gave no value")
        return "\n".join(texts)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text("..." if cycle else str(self))


_LIMIT_WORDS: Final = (
    ("display", "lower_disp_limit", "upper_disp_limit"),
    ("control", "lower_ctrl_limit", "upper_ctrl_limit"),
    ("warning", "lower_warning_limit", "upper_warning_limit"),
    ("alarm", "lower_alarm_limit", "upper_alarm_limit"),
)


def about_lines(one: About) -> list[str]:
    """Return everything that is known of a PV, one fact per line."""
    if not one.info.ok:
        return [sanitise(one.problem)]
    info, metadata = one.info, one.metadata
    kind = info.datatype_strings[info.datatype]
    rights = "read" * bool(info.read) + "/" * bool(info.read and info.write)
    facts = [
        ("state", info.state_strings[info.state]),
        ("host", info.host),
        ("access", rights + "write" * bool(info.write) or "none"),
        ("type", f"{kind}, {info.count} element{'s' * (info.count != 1)}"),
    ]
    if one.value is not None and one.value.ok:
        line = line_of(one.value, metadata, time())
        facts.append(("value", "  ".join(filter(None, (line.value, line.alarm, line.age)))))
    if metadata.precision is not None:
        facts.append(("precision", str(metadata.precision)))
    if metadata.enums:
        states = ", ".join(f"{at} {state}" for at, state in enumerate(metadata.enums))
        facts.append(("states", states))
    facts += list(_limit_facts(metadata))
    if one.problem:
        facts.append(("problem", one.problem))
    return [sanitise(one.name)] + [f"  {word:<10} {sanitise(text)}" for word, text in facts]


def _limit_facts(metadata: Metadata) -> Iterator[tuple[str, str]]:
    for word, low, high in _LIMIT_WORDS:
        ends = [metadata.limits.get(key) for key in (low, high)]
        if all(end is not None and end == end for end in ends):
            texts = [number_text(end, metadata.precision) for end in ends if end is not None]
            units = f" {metadata.units}" if metadata.units else ""
            yield word, f"{texts[0]} … {texts[1]}{units}"
