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
        self._names: dict[str, tuple[Any, str]] = {}

    def add(self, names: Mapping[str, Any], module: str) -> None:
        """Protect names that stand in the namespace now, and come from a module."""
        self._names.update((name, (value, module)) for name, value in names.items())

    def check(self, *_: object) -> None:
        """Look whether a name is bound to something else; one that was deleted comes back."""
        for name, (value, module) in list(self._names.items()):
            if name not in self._namespace:
                self._namespace[name] = value
            elif self._namespace[name] is not value:
                del self._names[name]
                self._show(
                    tint(
                        f"{name} was a function of coshell's and is something else now;"
                        f" `from {module} import {name}` brings it back",
                        "33",
                    )
                )
