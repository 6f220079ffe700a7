# SPDX-License-Identifier: Apache-2.0
"""A SIGINT from outside while another program has the terminal.

The key Ctrl-C reaches every program of the terminal, and what it means is theirs to say: nobody
passes it on, because two of them are often more than one.  `kill -INT` reaches this program alone.
A signal does not tell which it was.  So a small program waits beside the other: if it has got
nothing, the key was not pressed, and what the key does is done in its place.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from cothread import Spawn, Timedout

from .programs import wait_for

__all__ = ["passing_on"]

WITNESS: Final = ("/bin/sh", "-c", "read -r _")
"""It ends with this program as well: its standard input does."""
KEY_S: Final = 0.1
"""How soon it has ended when the key was pressed."""


@contextmanager
def passing_on(terminal: int) -> Iterator[Callable[[], object]]:
    """Have a SIGINT passed on to the programs of a terminal in the `with` block.

    Only until the key is pressed for the first time: then nobody can tell any more. And only if
    this program was started alone: whoever shares its process group is not ours to interrupt.

    Yields:
        What is to be called for each that this program gets.
    """
    if os.getpgrp() != os.getpid():
        yield _nothing
        return
    with subprocess.Popen(WITNESS, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as witness:

        def judge() -> None:
            try:
                wait_for(witness, KEY_S)
            except Timedout:
                with suppress(OSError):  # the terminal is gone
                    os.killpg(os.tcgetpgrp(terminal), signal.SIGINT)

        def heard() -> None:
            Spawn(judge).name = "interrupt from outside"

        try:
            yield heard
        finally:
            witness.kill()


def _nothing() -> None: ...
