# SPDX-License-Identifier: Apache-2.0
"""Roles of cells as Qt's colours and fonts: the same table as in the terminal."""

from __future__ import annotations

from typing import Any

from qtpy import QtGui
from rich.style import Style
from rich.terminal_theme import DEFAULT_TERMINAL_THEME

from coshell.panel.theme import ROLES

__all__ = ["CURVES", "Looks"]

CURVES = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#e377c2")
"""Colours of curves, told apart by most eyes on white."""

# The terminal's yellow cannot be read on white, and its red and green are nearly black.
_READABLE = {
    "yellow": "#b58900",
    "cyan": "#0087a8",
    "white": "#d0d0d0",
    "red": "#c8102e",
    "green": "#2e7d32",
}


class Looks:
    """Brushes and fonts by role.

    Args:
        styles: what the profile changes in the theme, in rich's words.
        font: the font they are made from.
    """

    def __init__(self, styles: dict[str, str], font: Any) -> None:
        self._styles = {role: Style.parse(spec) for role, spec in {**ROLES, **styles}.items()}
        self._font = font
        self._fonts: dict[str, Any] = {}
        self._brushes: dict[tuple[str, bool], Any] = {}

    def font(self, role: str) -> Any:
        """Return the QFont of a role."""
        if role not in self._fonts:
            style = self._styles[role]
            font = QtGui.QFont(self._font)
            font.setBold(bool(style.bold))
            font.setItalic(bool(style.italic))
            font.setStrikeOut(bool(style.strike))
            self._fonts[role] = font
        return self._fonts[role]

    def brush(self, role: str, *, background: bool) -> Any:
        """Return the QBrush of a role's text or background, or None."""
        key = (role, background)
        if key not in self._brushes:
            style = self._styles[role]
            colour = style.bgcolor if background else style.color
            if colour is not None and not colour.is_default:
                name = _READABLE.get(colour.name)
                rgb = colour.get_truecolor(DEFAULT_TERMINAL_THEME)
                brush = QtGui.QBrush(QtGui.QColor(name) if name else QtGui.QColor(*rgb))
            elif style.dim and not background:
                brush = QtGui.QBrush(QtGui.QColor("#707070"))
            else:
                brush = None
            self._brushes[key] = brush
        return self._brushes[key]
