# SPDX-License-Identifier: Apache-2.0
"""Where windows were when they were closed, kept in a file of the profile."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

__all__ = ["Places"]


class Places:
    """The places of windows, by title.

    Args:
        file: where they are kept; None keeps them for the session only.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._places: dict[str, str] = {}
        if file is not None:
            with suppress(OSError, ValueError, AttributeError):
                found = json.loads(file.read_text())
                self._places = {str(title): str(place) for title, place in found.items()}

    def get(self, title: str) -> bytes:
        """Return the place of a window; empty when it has none yet."""
        with suppress(ValueError):
            return bytes.fromhex(self._places.get(title, ""))
        return b""

    def put(self, title: str, place: bytes) -> None:
        """Remember the place of a window."""
        self._places[title] = place.hex()
        if self._file is None:
            return
        new = self._file.with_suffix(".new")
        # A profile that cannot be written to is no reason to keep a window open.
        with suppress(OSError):
            new.write_text(json.dumps(self._places, indent=1))
            new.replace(self._file)
