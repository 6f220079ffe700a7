# SPDX-License-Identifier: Apache-2.0
"""Lists of PV names in files: one a line, what `dbl` prints, and EPICS databases. Pure but `read`.

In a database only `record(…)` and `alias(…)` are looked at; macros are replaced as msi does it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

__all__ = ["ListError", "names_in", "read"]

_DATABASE: Final = re.compile(r"^\s*g?record\s*\(", re.M)
_NAME: Final = r'(?:\$\([^()]*\)|[^"(),])+'
_STATEMENT: Final = re.compile(
    rf"""\bg?record\s*\(\s*[^,()]+,\s*"?(?P<record>{_NAME})"?\s*\)"""
    rf"""|\balias\s*\(\s*(?:"?{_NAME}"?\s*,\s*)?"?(?P<alias>{_NAME})"?\s*\)"""
    # In comments and in texts nothing is a statement.
    r"""|\#[^\n]*|"(?:\\.|[^"\\\n])*\""""
)
_MACRO: Final = re.compile(r"\$(?:\((?P<round>[^()]*)\)|\{(?P<curly>[^{}]*)\})")
_NESTING: Final = 20
"""A macro that stands for itself is found out after so many rounds."""


class ListError(ValueError):
    """Say why a file gives no names, and what to do."""


def read(path: Path, macros: Mapping[str, str]) -> list[str]:
    """Return the names in a file.

    Args:
        macros: for a database.
    Raises:
        ListError: it cannot be read, holds no names, or needs a macro that is not given.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as exc:
        raise ListError(f"{path}: {exc.strerror or exc}") from exc
    try:
        names = names_in(text, macros)
    except ListError as exc:
        raise ListError(f"{path}: {exc}") from None
    if not names:
        raise ListError(f"{path}: no PV names in it; one a line, or record(ai, NAME)")
    return names


def names_in(text: str, macros: Mapping[str, str]) -> list[str]:
    """Return the names in a text, each once, in order.

    Raises:
        ListError: a database needs a macro that is not given.
    """
    names = _of_database(text, macros) if _DATABASE.search(text) else _of_lines(text)
    return list(dict.fromkeys(name for name in names if name and name.isprintable()))


def _of_lines(text: str) -> list[str]:
    names = []
    for line in text.splitlines():
        # `dbl "*" "DESC"` puts fields after a comma, and a copied session begins with its prompt.
        words = line.partition("#")[0].replace(",", " ").split()
        if words and words[0] not in {"epics>", "dbl"}:
            names.append(words[0].strip("\"'"))
    return names


def _of_database(text: str, macros: Mapping[str, str]) -> list[str]:
    found = (match["record"] or match["alias"] for match in _STATEMENT.finditer(text))
    return [_expanded(name, macros).strip() for name in found if name]


def _expanded(name: str, macros: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        macro, given, default = (found["round"] or found["curly"] or "").partition("=")
        if macro.strip() in macros:
            return macros[macro.strip()]
        if given:
            return default
        raise ListError(f"{name} has a macro; give it a value with -m {macro}=…")

    for _ in range(_NESTING):
        name, count = _MACRO.subn(value, name)
        if not count:
            return name
    raise ListError(f"{name}: its macro stands for itself")
