# SPDX-License-Identifier: Apache-2.0
"""Start Qt for a shell that must survive whatever Qt does."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any, Final

from cothread import CothreadError, iqt
from cothread.loops.qt import check_display, quit_at_last_window, running

__all__ = ["NoWindows", "start"]

TRIAL_S: Final = 20.0
_TRIAL: Final = "from qtpy.QtWidgets import QApplication; QApplication(['trial'])"


class NoWindows(RuntimeError):
    """Windows cannot be shown here; says why, and what works all the same."""


def start() -> Any:
    """Let Qt run beside the prompt, and return the application; may be repeated.

    Raises:
        NoWindows: there is no Qt, no display, or Qt cannot use it.
    """
    if running():
        return iqt()
    try:
        # The cheap reasons first; then a child finds out whether Qt would abort the process.
        check_display([])
        _try_out()
        app = iqt(argv=["coshell"])
    except CothreadError as exc:
        raise NoWindows(f"{exc}; the views in the terminal work without") from exc
    quit_at_last_window(False)
    app.setQuitOnLastWindowClosed(False)
    app.setApplicationDisplayName("coshell")
    return app


def _try_out() -> None:
    if os.environ.get("QT_QPA_PLATFORM") == "offscreen":
        return
    try:
        trial = subprocess.run(
            [sys.executable, "-c", _TRIAL], capture_output=True, text=True, timeout=TRIAL_S
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise CothreadError(f"Qt cannot be tried out: {exc}") from exc
    if trial.returncode:
        lines = [line.strip() for line in trial.stderr.splitlines() if line.strip()]
        said = next((line for line in lines if "ould not" in line), "it aborts")
        raise CothreadError(f"Qt cannot show windows: {said}")
