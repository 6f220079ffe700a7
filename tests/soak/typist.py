# SPDX-License-Identifier: Apache-2.0
"""Somebody at a shell who types all kinds of things, some of them not meant seriously."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from random import Random

import psutil

from tests.support.terminal import KEYS, Terminal, coshell

LINES = (
    "%caget {pv}",
    "%camonitor {pv}",
    "%camonitor {pv} {other}",
    "caget('{pv}')",
    "caget(['{pv}', '{other}'], throw=False)",
    "caget('NO:SUCH', timeout=0.2, throw=False)",
    "caput('{pv}', 7, throw=False)",
    "%jobs",
    "1/0",
    "x = sum(range(1000)); x",
    "import asyncio; await asyncio.sleep(0.05)",
    "sleep(0.2)",
    "%no_such_magic",
    "!true",
    "print('text ' * 40)",
)
PRESSES = ("tab", "esc", "up", "down", "ctrl-c", "enter", "backspace", "alt-enter")


class Typist:
    """A shell in a terminal, and a thread that types into it until `close`."""

    def __init__(self, env: dict[str, str], pvs: list[str], home: Path, seed: int) -> None:
        self._random = Random(seed)
        self._pvs = pvs
        self._going = True
        self.typed = 0
        self.trouble: BaseException | None = None
        here = {
            "HOME": str(home),
            "IPYTHONDIR": str(home / "ipython"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_CACHE_HOME": str(home / "cache"),
        }
        # What has scrolled away would be most of what this process holds.
        self.terminal = Terminal(
            coshell("--no-banner"), env={**env, **here}, columns=100, rows=30, history=100
        )
        self.terminal.wait_prompt(1)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def sample(self) -> tuple[int, int, int]:
        """Return resident bytes, descriptors and threads of the shell."""
        process = psutil.Process(self.terminal.process.pid)
        descriptors = len(os.listdir(f"/proc/{process.pid}/fd"))
        return process.memory_info().rss, descriptors, process.num_threads()

    def close(self) -> None:
        """Stop typing, check that the shell still answers, and leave it."""
        self._going = False
        self._thread.join()
        try:
            assert self.trouble is None, self.trouble
            self.answers()
        finally:
            self.terminal.close()

    def answers(self) -> None:
        """Check that a line typed now is run."""
        word = f"{self._random.getrandbits(40):x}"
        self.terminal.key("ctrl-c")
        self.terminal.look(0.5)
        self.terminal.line(f"print('{word[:5]}' + '{word[5:]}')")
        self.terminal.wait_for(word)

    def _run(self) -> None:
        try:
            while self._going:
                self._type()
                self.typed += 1
                if self.typed % 20 == 0:
                    self.answers()
        except BaseException as trouble:
            self.trouble = trouble

    def _type(self) -> None:
        random = self._random
        pv, other = random.choice(self._pvs), random.choice(self._pvs)
        line = random.choice(LINES).format(pv=pv, other=other)
        if random.random() < 0.2:
            line = line[: random.randrange(len(line) + 1)]
            self.terminal.send(line + KEYS[random.choice(PRESSES)])
            self.terminal.look(0.1)
            self.terminal.key("ctrl-c")
        else:
            self.terminal.line(line)
        until = time.monotonic() + random.choice((0.05, 0.2, 0.5))
        while time.monotonic() < until:
            self.terminal.look(0.05)
