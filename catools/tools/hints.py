# SPDX-License-Identifier: Apache-2.0
"""Questions for somebody who has mistyped a state or a name."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..api import caget
from ..client.channel import Phase
from ..client.default import running
from ..dbr import FORMAT_CTRL
from ..near_misses import NAMES_ALIKE, STATES_ALIKE, near_misses
from .show import printable

__all__ = ["of_names", "of_state"]


def of_state(name: str, typed: str, wait_s: float) -> str:
    """Return a question about a state of a PV, with a blank before it, or nothing.

    Suspends: until the states are known, or the time is up.
    """
    value = caget(name, format=FORMAT_CTRL, timeout=wait_s, throw=False)
    states = near_misses(typed, getattr(value, "enums", ()), STATES_ALIKE)
    meant = " or ".join(printable(repr(state)) for state in states)
    return f" (did you mean {meant}?)" if meant else ""


def of_names(known: Callable[[], Iterable[str]]) -> list[str]:
    """Return a question for each PV that was never found, as far as a known one looks like it."""
    client = running()
    if client is None:
        return []
    missing = [name for name, one in client.channels.items() if one.phase is Phase.SEARCHING]
    if not missing:
        return []
    candidates = ({*known()} | client.channels.keys()) - {*missing}
    pairs = ((name, near_misses(name, candidates, NAMES_ALIKE)) for name in missing)
    return [f"{printable(name)}: did you mean {near[0]}?" for name, near in pairs if near]
