# SPDX-License-Identifier: Apache-2.0
"""Profiles: directories with a configuration, start-up files, PV lists and panels.

A profile lies over the operator's own IPython profile, which keeps its history and settings.  It is
looked for in the site's directories, then among those shipped with coshell.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

__all__ = ["SITE_VARIABLE", "NoSuchProfile", "Profile", "available", "find"]

SITE_VARIABLE: Final = "COSHELL_PROFILES"
"""Names the environment variable with the site's profile directories, separated by colons."""


class NoSuchProfile(LookupError):
    """There is no profile of that name; the message lists those there are."""


class Profile:
    """One profile directory.

    Attributes:
        name: what `--profile` is given.
        path: the directory.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.path = path

    @property
    def config_files(self) -> list[Path]:
        """Its configuration, in IPython's own format."""
        return [file for file in [self.path / "ipython_config.py"] if file.is_file()]

    @property
    def startup_files(self) -> list[Path]:
        """Files run when the shell starts, in the order of their names."""
        return sorted(
            file for file in self.path.glob("startup/*") if file.suffix in {".py", ".ipy"}
        )

    @property
    def pv_lists(self) -> list[Path]:
        """Files with one PV name a line."""
        return sorted(self.path.glob("*.txt"))

    def pv_names(self) -> Iterator[str]:
        """Yield the names in its PV lists; a `#` begins a comment."""
        for file in self.pv_lists:
            for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
                name = line.partition("#")[0].strip()
                if name:
                    yield name

    def __repr__(self) -> str:
        return f"<Profile {self.name} in {self.path}>"


def directories(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Return where profiles are looked for, the site's directories first."""
    site = [Path(part) for part in environ.get(SITE_VARIABLE, "").split(os.pathsep) if part]
    package = Path(__file__).parent
    return [*site, package / "profiles", package.parent / "profiles"]


def available(environ: Mapping[str, str] = os.environ) -> dict[str, Profile]:
    """Return the profiles there are, by name."""
    found: dict[str, Profile] = {}
    for directory in directories(environ):
        if directory.is_dir():
            for path in sorted(directory.iterdir()):
                if path.is_dir() and not path.name.startswith((".", "_")):
                    found.setdefault(path.name, Profile(path))
    return found


def find(name: str, environ: Mapping[str, str] = os.environ) -> Profile:
    """Return the profile of a name.

    Raises:
        NoSuchProfile: there is none.
    """
    if os.sep in name and Path(name).is_dir():
        return Profile(Path(name))
    found = available(environ)
    if name in found:
        return found[name]
    known = ", ".join(found) or "none"
    raise NoSuchProfile(
        f"there is no profile {name!r}; there are: {known}"
        f" (a site adds its own with {SITE_VARIABLE}=DIRECTORY)"
    )
