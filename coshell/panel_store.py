# SPDX-License-Identifier: Apache-2.0
"""Panels kept in a file: what is watched and how it is shown, as TOML a person can write.

[theme]
major = "bold white on red"

[panels.vacuum]
pvs = ["SR-VA-GAUGE-{01..12}:P", "max(SR-VA-GAUGE-{01..12}:P)"]
sort = "alarm"
marks = ["> 1e-7"]
open = true
"""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import tomli_w

from coshell.panel.columns import USUAL, ColumnError, columns_named
from coshell.panel.look import Look
from coshell.panel.marks import Mark, MarkError, parse_mark
from coshell.panel.select import ONLY, SORTS, Choice
from coshell.panel.theme import Theme, ThemeError


class StoreError(ValueError):
    """Say which file, panel and key cannot be used, and why."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A panel as it is kept: groups of PVs, thresholds, look, and whether it opens by itself."""

    groups: Mapping[str, Sequence[str]]
    marks: Sequence[tuple[str, Mark]] = ()
    look: Look = field(default_factory=Look)
    opens: bool = False


@dataclass(frozen=True, slots=True)
class Store:
    """What a file holds."""

    panels: Mapping[str, Plan] = field(default_factory=dict)
    theme: Mapping[str, str] = field(default_factory=dict)


_KEYS: Final[Mapping[str, type | tuple[type, ...]]] = {
    "pvs": list,
    "groups": dict,
    "columns": list,
    "sort": str,
    "only": str,
    "grouped": bool,
    "rate": (int, float),
    "marks": list,
    "open": bool,
}


def load(path: Path) -> Store:
    """Return what a file of panels holds; nothing when there is no such file.

    Raises:
        StoreError: the file cannot be read or understood; one line that says where.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Store()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise StoreError(f"{path}: {exc}") from exc
    panels, theme = data.get("panels", {}), data.get("theme", {})
    if not isinstance(panels, dict) or not isinstance(theme, dict):
        raise StoreError(f"{path}: 'panels' and 'theme' are tables; write [panels.NAME]")
    try:
        Theme({role: str(spec) for role, spec in theme.items()})
        plans = {name: _plan(entry) for name, entry in panels.items()}
    except (StoreError, ThemeError, ColumnError, MarkError) as exc:
        raise StoreError(f"{path}: {exc}") from exc
    return Store(plans, theme)


def _plan(entry: Any) -> Plan:
    """Check one panel of a file."""
    if not isinstance(entry, dict):
        raise StoreError("a panel is a table; write [panels.NAME] and then pvs = [...]")
    for key, value in entry.items():
        if key not in _KEYS:
            raise StoreError(f"a panel has no {key!r}; it can have {', '.join(_KEYS)}")
        if not isinstance(value, _KEYS[key]):
            raise StoreError(f"{key} = {value!r} is of the wrong kind")
    groups = {"": entry.get("pvs", []), **entry.get("groups", {})}
    for pvs in groups.values():
        if not isinstance(pvs, list) or not all(isinstance(pv, str) for pv in pvs):
            raise StoreError(f'pvs are written as ["A", "B"], not {pvs!r}')
    sort, only = entry.get("sort", "given"), entry.get("only", "")
    if sort not in SORTS:
        raise StoreError(f"sort = {sort!r}: there is {', '.join(SORTS)}")
    if only and only not in ONLY:
        raise StoreError(f"only = {only!r}: there is {', '.join(ONLY)}")
    columns = tuple(map(str, entry.get("columns", USUAL)))
    columns_named(columns)
    rate = entry.get("rate")
    if rate is not None and not 0 < rate < 1000:
        raise StoreError(f"rate = {rate!r}: pictures per second, above zero")
    grouped = entry.get("grouped", "groups" in entry)
    return Plan(
        groups={name: tuple(pvs) for name, pvs in groups.items() if pvs},
        marks=tuple(parse_mark(str(text)) for text in entry.get("marks", [])),
        look=Look(columns, Choice(sort=sort, only=only, grouped=grouped), rate),
        opens=entry.get("open", False),
    )


def save(path: Path, panels: Mapping[str, Plan]) -> None:
    """Write panels into a file, beside whatever else it holds; others in it stay as they are.

    The new file takes the place of the old one in one step.

    Raises:
        StoreError: the file there is cannot be understood, or nothing can be written there.
    """
    load(path)
    data: dict[str, Any] = {}
    with suppress(FileNotFoundError):
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    kept = data.setdefault("panels", {})
    for name, plan in panels.items():
        kept[name] = _entry(plan)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "wb", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            file.write(tomli_w.dumps(data).encode())
        os.replace(file.name, path)
    except OSError as exc:
        raise StoreError(f"{path}: {exc.strerror}") from exc


def _entry(plan: Plan) -> dict[str, Any]:
    """Return one panel as the file shows it, without what goes without saying."""
    look = plan.look
    groups = {name: list(pvs) for name, pvs in plan.groups.items() if name}
    every = {
        "pvs": list(plan.groups.get("", ())),
        "groups": groups,
        "columns": list(look.columns) if look.columns != USUAL else [],
        "sort": look.choice.sort if look.choice.sort != "given" else "",
        "only": look.choice.only,
        "rate": look.rate,
        "marks": [f"{name} {mark}".strip() for name, mark in plan.marks],
        "open": plan.opens,
    }
    entry = {key: value for key, value in every.items() if value}
    if look.choice.grouped is not bool(groups):
        entry["grouped"] = look.choice.grouped
    return entry
