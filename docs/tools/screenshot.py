# SPDX-License-Identifier: Apache-2.0
"""Take the picture in the README: a real session on the demo machine, in a real terminal.

`python docs/tools/screenshot.py docs/screen.svg` types SESSION into `coshell --demo` on a
pseudo-terminal, keeps the screen in an emulator and writes what is on it as SVG. Each step waits
for what it names to appear: the picture shows what the program did.
"""

from __future__ import annotations

import io
import itertools
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pyte
from pyte.screens import Char
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

COLUMNS, ROWS = 100, 29
TIMEOUT_S = 60.0

# What is typed, and the pattern that must then be on the screen.
SESSION = (
    ("", r"In \[1\]:"),
    (
        "%camonitor ring: DEMO:CURRENT DEMO:LIFETIME DEMO:RF:FREQ:RBV DEMO:BPM-{01..03}:X",
        r"BPM-03:X +\S*\d",
    ),
    (
        "%camonitor ring: DEMO:GAUGE-{03..05} DEMO:SHUTTER:STATUS DEMO:TUNE:SPECTRUM",
        r"SPECTRUM +\S",
    ),
    ("%caput DEMO:RF:FREQ 499.6655", r"499\.665500"),
    ('orbit = caget([f"DEMO:BPM-{n:02d}:X" for n in range(1, 13)])', r"In \[5\]:"),
    ("Sleep(30)", r"In \[6\]:"),
)
HALF_TYPED = "%caput DEMO:ID:GAP 3"

THEME = TerminalTheme(
    (16, 18, 22),
    (222, 222, 222),
    [
        (16, 18, 22),
        (240, 80, 80),
        (90, 200, 110),
        (240, 210, 60),
        (90, 150, 250),
        (220, 110, 220),
        (80, 200, 220),
        (200, 200, 200),
    ],
    [
        (110, 115, 125),
        (255, 110, 110),
        (120, 230, 140),
        (255, 230, 100),
        (130, 180, 255),
        (240, 150, 240),
        (120, 225, 240),
        (255, 255, 255),
    ],
)


class Terminal:
    """A program on a pseudo-terminal, and the screen it has drawn."""

    def __init__(self, command: str, arguments: list[str], environment: dict[str, str]) -> None:
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self.screen)
        self._program = pexpect.spawn(
            command, arguments, dimensions=(ROWS, COLUMNS), env=environment, timeout=TIMEOUT_S
        )

    def read(self, seconds: float) -> None:
        """Keep the screen up to date for a while."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                self._stream.feed(self._program.read_nonblocking(65536, timeout=left))
            except pexpect.TIMEOUT:
                return
            except pexpect.EOF:
                raise SystemExit(
                    "the shell has ended:\n" + "\n".join(self.screen.display)
                ) from None

    def wait_for(self, pattern: str) -> None:
        """Read until a pattern is on the screen."""
        end = time.monotonic() + TIMEOUT_S
        while not re.search(pattern, "\n".join(self.screen.display)):
            if time.monotonic() > end:
                raise SystemExit(f"no {pattern!r} on:\n" + "\n".join(self.screen.display))
            self.read(0.1)

    def type(self, text: str) -> None:
        """Type as a person would, a little faster."""
        for key in text:
            self._program.send(key)
            self.read(0.01)

    def close(self) -> None:
        """End the program."""
        self._program.kill(signal.SIGTERM)
        self._program.close(force=True)


@contextmanager
def shell() -> Iterator[Terminal]:
    """Run the shell with a home of its own, so that nobody's history or settings show."""
    with tempfile.TemporaryDirectory() as home:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("EPICS_")
        } | {
            "COLORTERM": "truecolor",
            "HOME": home,
            "IPYTHONDIR": f"{home}/ipython",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
        }
        terminal = Terminal(sys.executable, ["-m", "coshell", "--demo"], environment)
        try:
            yield terminal
        finally:
            terminal.close()


def style_of(char: Char) -> Style:
    """Translate the emulator's attributes of a cell."""

    def colour(name: str) -> str | None:
        if name == "default":
            return None
        if re.fullmatch("[0-9a-f]{6}", name):
            return f"#{name}"
        names = {"brown": "yellow", "brightbrown": "bright_yellow"}
        return names.get(name, name.replace("bright", "bright_"))

    return Style(
        color=colour(char.fg),
        bgcolor=colour(char.bg),
        bold=char.bold,
        italic=char.italics,
        underline=char.underscore,
        strike=char.strikethrough,
        reverse=char.reverse,
    )


def picture(screen: pyte.Screen) -> str:
    """Draw the screen as SVG, without fetching a font from anywhere."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), color_system="truecolor")
    for row in range(ROWS):
        line = Text()
        cells = [screen.buffer[row][column] for column in range(COLUMNS)]
        if row == screen.cursor.y:
            cells[screen.cursor.x] = cells[screen.cursor.x]._replace(reverse=True)
        # Word by word: each is placed by itself, whatever font the reader's browser has.
        for (style, _), run in itertools.groupby(cells, lambda c: (style_of(c), c.data == " ")):
            line.append("".join(cell.data for cell in run), style)
        console.print(line, no_wrap=True, overflow="ignore", crop=False)
    svg = console.export_svg(title="coshell --demo", theme=THEME, unique_id="coshell")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


def main(target: str) -> None:
    """Run the session and write the picture."""
    with shell() as terminal:
        for text, pattern in SESSION:
            if text:
                terminal.type(text + "\r")
            terminal.wait_for(pattern)
        terminal.type(HALF_TYPED)
        terminal.read(1.0)
        Path(target).write_text(picture(terminal.screen))
        print("\n".join(terminal.screen.display))


if __name__ == "__main__":
    main(*sys.argv[1:])
