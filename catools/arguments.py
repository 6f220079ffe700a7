# SPDX-License-Identifier: Apache-2.0
"""What callers may give as the names of PVs, and to be called back."""

from __future__ import annotations

import inspect
from collections.abc import Iterable

from .errors import no_name

__all__ = ["check_callback", "name_list", "names_of"]


def name_list(pvs: object) -> list[str]:
    """Return the names of many PVs.

    Raises:
        TypeError: one of them is not text, or there is nothing to iterate over.
    """
    if isinstance(pvs, bytes) or not isinstance(pvs, Iterable):
        raise no_name(pvs)
    names = list(pvs)
    for name in names:
        if not isinstance(name, str):
            raise no_name(name)
    # A kind of str, such as a PV's value, may be a name; what it has beyond the text stays behind.
    return list(map(str, names))


def names_of(pvs: object) -> list[str]:
    """Return the names of one PV or of many.

    Raises:
        TypeError: as `name_list`.
    """
    return [str(pvs)] if isinstance(pvs, str) else name_list(pvs)


def check_callback(callback: object, argument: str = "callback") -> None:
    """Refuse what cannot be called back, or would do nothing when called.

    Raises:
        TypeError.
    """
    if not callable(callback):
        raise TypeError(f"{argument} must be callable, not {callback!r}")
    if inspect.iscoroutinefunction(callback):
        raise TypeError(
            f"{argument} must be a plain function, not the coroutine function {callback!r}; "
            "one can start coroutines with asyncio.ensure_future"
        )
