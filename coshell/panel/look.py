# SPDX-License-Identifier: Apache-2.0
"""How a panel is shown, apart from what is in it."""

from __future__ import annotations

from dataclasses import dataclass, field

from coshell.panel.columns import USUAL
from coshell.panel.model import Panel
from coshell.panel.render import Table
from coshell.panel.select import Choice
from coshell.panel.theme import Theme


@dataclass(frozen=True, slots=True)
class Look:
    """Which columns, which rows in which order, and how many pictures per second at most."""

    columns: tuple[str, ...] = USUAL
    choice: Choice = field(default_factory=Choice)
    rate: float | None = None

    def table(self, panel: Panel, theme: Theme) -> Table:
        """Return a picture of a panel that looks like this."""
        return Table(panel, theme, self.columns, self.choice)
