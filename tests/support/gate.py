# SPDX-License-Identifier: Apache-2.0
"""A gate in the shell's home directory: cells, jobs and programs wait there until it is opened.

So nothing goes on while a test on a busy machine has not yet done what is to come before. Where a
program must wait for a job it knocks, and the job answers: only one that goes on meanwhile can.
"""

from __future__ import annotations

import time
from pathlib import Path

import cothread

NAME = "gate"
KNOCK = "touch ~/knock; until test -e ~/gate; do sleep 0.02; done; rm ~/gate"
"""What a program runs to get to know whether a job goes on: it ends when one has answered."""


def is_open() -> bool:
    """Return whether it is open."""
    return Path.home().joinpath(NAME).exists()


def sleep() -> None:
    """Wait until it is open, and let others run meanwhile."""
    while not is_open():
        cothread.Sleep(0.02)


def block() -> None:
    """Wait until it is open, and hold everything meanwhile."""
    while not is_open():
        time.sleep(0.02)


def answer() -> None:
    """Open it once for each knock, for ever."""
    knock = Path.home().joinpath("knock")
    while True:
        if knock.exists():
            knock.unlink()
            Path.home().joinpath(NAME).touch()
        cothread.Sleep(0.02)
