# SPDX-License-Identifier: Apache-2.0
"""A gate in the shell's home directory: cells and jobs wait there until their test opens it.

So they do not go on while a test on a busy machine has not yet done what is to come before.
"""

from __future__ import annotations

import time
from pathlib import Path

import cothread

NAME = "gate"


def is_open() -> bool:
    """Return whether the test has opened it."""
    return Path.home().joinpath(NAME).exists()


def sleep() -> None:
    """Wait until it is open, and let others run meanwhile."""
    while not is_open():
        cothread.Sleep(0.02)


def block() -> None:
    """Wait until it is open, and hold everything meanwhile."""
    while not is_open():
        time.sleep(0.02)
