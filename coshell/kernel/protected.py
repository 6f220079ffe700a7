# SPDX-License-Identifier: Apache-2.0
"""Names that the shell brings: binding them to something else is allowed, but not in silence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from .colours import tint

__all__ = ["Protected"]


class Protected:
    """Warns, once for each, when a cell has rebound a name of the shell's.

    Args:
        namespace: where the cells bind.
        show: prints a line.
    """

    def __init__(self, namespace: MutableMapping[str, Any], show: Callable[[str], object]) -> None:
        self._namespace = namespace
        self._show = show
        self._names: dict[str, Any] = {}
        self._rebound: set[str] = set()

    def add(self, names: Mapping[str, Any]) -> None:
        """Protect names that stand in the namespace now."""
        self._names.update(names)

    def check(self, *_: object) -> None:
        """Look whether a name is bound to something else; one that was deleted comes back."""
        for name, value in self._names.items():
            now = self._namespace.setdefault(name, value)
            if now is value:
                self._rebound.discard(name)
            elif name not in self._rebound:
                self._rebound.add(name)
                self._show(
                    tint(
                        f"{name} was coshell's and is something else now;"
                        f" `del {name}` brings it back",
                        "33",
                    )
                )
