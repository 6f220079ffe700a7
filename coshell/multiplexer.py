# SPDX-License-Identifier: Apache-2.0
"""`coshell --session NAME`: a shell inside tmux, which outlives the connection to it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence

__all__ = ["command", "enter_session"]


def command(name: str, words: Sequence[str]) -> list[str]:
    """Return the tmux command that returns to a session, or starts it with these arguments.

    Raises:
        ValueError: tmux cannot have a session of that name.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise ValueError(f"a session's name has letters, digits, - and _ only, not {name!r}")
    rest = list(words)
    at = next(i for i, word in enumerate(rest) if word.partition("=")[0] == "--session")
    del rest[at : at + (1 if "=" in rest[at] else 2)]
    inner = shlex.join([sys.executable, "-m", "coshell", *rest])
    return ["tmux", "new-session", "-A", "-s", name, inner]


def enter_session(name: str, words: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """Become tmux; comes back only when that is not possible.

    Returns:
        The exit status.
    """
    if environ.get("TMUX"):
        reason = "this terminal is inside tmux already; leave --session away, or detach first"
    elif shutil.which("tmux") is None:
        reason = "--session needs tmux, which is not installed; without it coshell runs as usual"
    else:
        try:
            words = command(name, words)
        except ValueError as refusal:
            reason = str(refusal)
        else:
            sys.stdout.flush()
            os.execvp(words[0], words)
    print(f"coshell: {reason}", file=sys.stderr)
    return 2
