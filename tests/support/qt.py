# SPDX-License-Identifier: Apache-2.0
"""Programs that use Qt, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FATE_S = 60


def environment(**changes: str | None) -> dict[str, str]:
    """Return this process's environment with changes; None takes a variable out."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    merged = {**os.environ, "PYTHONPATH": path, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def run_program(text: str, *args: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """Run a program that uses Qt, to its end."""
    return subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", text, *args],
        capture_output=True,
        text=True,
        timeout=FATE_S,
        check=False,
        env=environment(**changes),
    )
