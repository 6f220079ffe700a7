# SPDX-License-Identifier: Apache-2.0
"""PV names of earlier sessions, kept in a small file for completion and near misses."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

__all__ = ["FILE", "KEPT", "NameMemory", "remembered"]

FILE: Final = "pv_names.txt"
"""In the directory of an IPython profile."""

KEPT: Final = 20_000
"""The names used longest ago are forgotten first."""


class NameMemory:
    """The names, one a line, newest last.

    Args:
        path: the file; it need not be there.
        limit: how many names are kept.
    """

    def __init__(self, path: Path, limit: int = KEPT) -> None:
        self.path = path
        self._limit = limit

    def load(self) -> tuple[str, ...]:
        """Return the names; none when the file is not there or cannot be read."""
        try:
            lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ()
        return tuple(line for line in lines if line and line.isprintable())[-self._limit :]

    def save(self, used: Iterable[str]) -> None:
        """Add the names of this session; those that other sessions added meanwhile stay.

        Raises:
            OSError: the file cannot be written.
        """
        newest = dict.fromkeys(name for name in used if name.isprintable())
        if not newest:
            return
        names = [name for name in self.load() if name not in newest] + list(newest)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        draft.write_text("".join(f"{name}\n" for name in names[-self._limit :]), encoding="utf-8")
        draft.replace(self.path)


def remembered(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the names that the sessions of all IPython profiles have kept."""
    directory = Path(environ.get("IPYTHONDIR") or "~/.ipython").expanduser()
    files = sorted(directory.glob(f"profile_*/{FILE}"))
    return [name for file in files for name in NameMemory(file).load()]
