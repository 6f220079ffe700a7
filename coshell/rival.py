# SPDX-License-Identifier: Apache-2.0
"""Another distribution that provides the import name `cothread` cannot share an environment."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

__all__ = ["other_cothread"]


def other_cothread(path: Iterable[str] = sys.path) -> str:
    """Return what to say about a distribution called cothread, and "" if there is none.

    Looks at the names of files only: importlib.metadata would take longer to load than all the
    rest takes to start.

    Args:
        path: the directories in which Python looks for packages.
    """
    for directory in path:
        for info in Path(directory).glob("cothread-*.*-info"):
            version = info.stem.removeprefix("cothread-").partition("-")[0]
            return (
                f"cothread {version} is installed beside coshell, and both bring the package "
                f"cothread ({info.parent}); remove it with `{sys.executable} -m pip uninstall "
                "cothread`, then install coshell again"
            )
    return ""
