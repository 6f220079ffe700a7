# SPDX-License-Identifier: Apache-2.0
"""What callers may give as the names of PVs."""

from __future__ import annotations

from collections.abc import Iterable

from .errors import no_name

__all__ = ["name_list"]


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
