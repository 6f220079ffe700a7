# SPDX-License-Identifier: Apache-2.0
"""`from pkg_resources import require; require('cothread==1.6')`, as old scripts begin.

setuptools no longer has `pkg_resources`, and no distribution is called cothread here.  What such a
script wants is to have cothread: it has.  Everything else is asked of the real module if there is
one.
"""

from __future__ import annotations

import importlib
import re
import sys
from types import ModuleType
from typing import Any, Final

__all__ = ["install"]

NAME: Final = "pkg_resources"
OURS: Final = frozenset({"cothread", "catools", "coshell"})


class _Requirements(ModuleType):
    """Stands for `pkg_resources`."""

    def require(self, *requirements: str) -> list[Any]:
        """Accept what is ours, and pass the rest on."""
        others = [text for text in requirements if _project(text) not in OURS]
        return list(_real().require(*others)) if others else []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(_real(), name)


def install() -> None:
    """Make `import pkg_resources` find the stand-in, unless the real one is loaded already."""
    sys.modules.setdefault(NAME, _Requirements(NAME, __doc__))


def _project(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement.strip())
    return found[0].lower() if found else ""


def _real() -> Any:
    """Return the real module.

    Raises:
        ModuleNotFoundError: there is none.
    """
    stand_in = sys.modules.pop(NAME)
    try:
        return importlib.import_module(NAME)
    finally:
        sys.modules[NAME] = stand_in
