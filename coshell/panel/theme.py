# SPDX-License-Identifier: Apache-2.0
"""Roles and what they look like: the one place where a colour is chosen.

Severity is never told by colour alone: `SEVERITIES` gives each its symbol and its word as well. The
colours are those EPICS displays have used for decades: yellow minor, red major, magenta invalid,
white disconnected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rich.color import ColorSystem
from rich.errors import StyleSyntaxError
from rich.style import Style

ROLES: Final[Mapping[str, str]] = {
    "text": "",
    "title": "bold",
    "header": "dim underline",
    "name": "",
    "value": "bold",
    "unit": "dim",
    "trend": "cyan",
    "age": "dim",
    "put": "",
    "group": "bold underline",
    "more": "dim italic",
    "flash": "reverse",
    "paused": "bold reverse",
    "stale": "dim strike",
    "ok": "green",
    "minor": "bold yellow",
    "major": "bold red",
    "invalid": "bold magenta",
    "lost": "black on white",
    "searching": "dim",
    "failed": "bold red",
    "threshold": "black on yellow",
    "selected": "reverse",
}
"""Every role a cell can play, and its style unless a theme says otherwise."""


@dataclass(frozen=True, slots=True)
class Severity:
    """How one alarm severity is told: role for the colour, symbol and word for everyone."""

    role: str
    symbol: str
    plain: str
    word: str


SEVERITIES: Final = (
    Severity("ok", "", "", ""),
    Severity("minor", "▲", "^", "minor"),
    Severity("major", "◆", "#", "major"),
    Severity("invalid", "?", "?", "invalid"),
)
LOST: Final = Severity("lost", "○", "o", "disconnected")
SEARCHING: Final = Severity("searching", "…", "~", "searching")
FAILED: Final = Severity("failed", "✕", "x", "error")


class ThemeError(ValueError):
    """Say which role of a theme is unknown or has a style that cannot be read."""


class Theme:
    """Turn a role into the escape sequences before and after a text.

    Args:
        styles: styles that differ from `ROLES`, in rich's words ("bold red on white").
        colours: what the terminal can show; None leaves every escape sequence out.
        colourless: keep bold, dim and reverse but no colour, as `NO_COLOR` asks.
        unicode: whether the terminal can show blocks, symbols and arrows.
    """

    def __init__(
        self,
        styles: Mapping[str, str] | None = None,
        colours: ColorSystem | None = ColorSystem.STANDARD,
        *,
        colourless: bool = False,
        unicode: bool = True,
    ) -> None:
        self.unicode = unicode
        self.plain = colours is None
        self._marks: dict[str, tuple[str, str]] = {}
        for role, spec in {**ROLES, **(styles or {})}.items():
            if role not in ROLES:
                known = ", ".join(sorted(ROLES))
                raise ThemeError(f"theme: there is no role {role!r}; the roles are {known}")
            self._marks[role] = _marks(role, spec, colours, colourless)

    def paint(self, text: str, role: str) -> str:
        """Return text between the escape sequences of a role."""
        before, after = self._marks[role]
        return f"{before}{text}{after}" if before else text


def _marks(role: str, spec: str, colours: ColorSystem | None, colourless: bool) -> tuple[str, str]:
    try:
        style = Style.parse(spec)
    except StyleSyntaxError as exc:
        raise ThemeError(f'theme: {role} = "{spec}": {exc}; try "bold red on white"') from exc
    if colourless:
        style = style.without_color
    if not style or colours is None:
        return "", ""
    before, _, after = style.render("\0", color_system=colours).partition("\0")
    return before, after


def theme_for(
    environ: Mapping[str, str],
    encoding: str | None,
    styles: Mapping[str, str] | None = None,
) -> Theme:
    """Return the theme a terminal deserves, judged by its environment and encoding.

    Args:
        environ: the process environment; `NO_COLOR`, `TERM` and `COLORTERM` are looked at.
        encoding: of the terminal's output stream.
        styles: what the user's profile changes.
    """
    term = environ.get("TERM", "")
    colours: ColorSystem | None = ColorSystem.STANDARD
    if term in ("dumb", "unknown"):
        colours = None
    elif environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        colours = ColorSystem.TRUECOLOR
    elif "256" in term:
        colours = ColorSystem.EIGHT_BIT
    unicode = (encoding or "").lower().replace("-", "").startswith("utf")
    return Theme(styles, colours, colourless=bool(environ.get("NO_COLOR")), unicode=unicode)
