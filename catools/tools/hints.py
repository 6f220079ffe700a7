# SPDX-License-Identifier: Apache-2.0
"""What may have been meant by a state or a name that there is not.

difflib is loaded when something has failed: a tool that succeeds does not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..api import caget
from ..client.channel import Phase
from ..client.default import running
from ..dbr import FORMAT_CTRL
from .show import printable

__all__ = ["meant", "of_names", "of_state"]

ALIKE = 0.6
NAMES_ALIKE = 0.8


def meant(typed: str, known: Iterable[str], alike: float = ALIKE) -> str:
    """Return the known text that looks most like a mistyped one; "" if none does."""
    from difflib import get_close_matches

    folded = {text.casefold(): text for text in known}
    close = get_close_matches(typed.casefold(), folded, 1, alike)
    return folded[close[0]] if close else ""


def of_state(name: str, typed: str, wait_s: float) -> str:
    """Return a question about a state of a PV, with a blank before it, or nothing.

    Suspends: until the states are known, or the time is up.
    """
    value = caget(name, format=FORMAT_CTRL, timeout=wait_s, throw=False)
    state = meant(typed, getattr(value, "enums", ()))
    return f" (did you mean {printable(repr(state))}?)" if state else ""


def of_names(known: Callable[[], Iterable[str]]) -> list[str]:
    """Return a question for each PV that was never found, as far as a known one looks like it."""
    client = running()
    if client is None:
        return []
    missing = [name for name, one in client.channels.items() if one.phase is Phase.SEARCHING]
    if not missing:
        return []
    candidates = ({*known()} | client.channels.keys()) - {*missing}
    pairs = ((name, meant(name, candidates, NAMES_ALIKE)) for name in missing)
    return [f"{printable(name)}: did you mean {near}?" for name, near in pairs if near]
