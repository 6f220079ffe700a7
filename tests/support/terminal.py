# SPDX-License-Identifier: Apache-2.0
"""A program in a pseudo terminal, and the screen that its operator would see.

Tests type keys and look at the grid; they wait for a condition with a deadline, never for a time.
While they wait, what the program draws passes as a film, one picture after the other: what was on
the screen for a moment only has been seen also by a test that got no processor meanwhile.
"""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyte

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0
PICTURE = re.compile(rb".{1,1024}?(?:\x1b\[\?25h|\n|\Z)|.{1024}", re.S)
"""What is drawn between two looks: up to where the cursor is shown again, or a line ends."""

KEYS = {
    "enter": "\r",
    "tab": "\t",
    "esc": "\x1b",
    "backspace": "\x7f",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "alt-enter": "\x1b\r",
    "ctrl-c": "\x03",
    "ctrl-d": "\x04",
    "ctrl-l": "\x0c",
    "ctrl-r": "\x12",
    "ctrl-z": "\x1a",
    "ctrl-\\": "\x1c",
}


class _Screen(pyte.Screen):
    """An emulated screen that keeps what scrolls away, and answers what programs ask a terminal."""

    def __init__(self, columns: int, rows: int, history: int) -> None:
        self.above: deque[str] = deque(maxlen=history)
        self.answers = ""
        self.answers_position = True
        super().__init__(columns, rows)

    def resize(self, lines: int | None = None, columns: int | None = None) -> None:
        """Keep the cursor at its line, as terminals do.

        What is below it goes first, then what is above; more rows bring that back.
        """
        lines = lines or self.lines
        scrolled = max(self.cursor.y - lines + 1, 0)
        back = min(max(lines - self.lines, 0), len(self.above))
        rows = [self.buffer[y] for y in range(scrolled, self.lines)]
        returned = [self.above.pop() for _ in range(back)]
        self.above.extend(self.row(y) for y in range(scrolled))
        self.buffer.clear()
        self.buffer.update(enumerate(rows[:lines], back))
        for y, text in enumerate(reversed(returned)):
            blank = self.default_char
            self.buffer[y].update((x, blank._replace(data=char)) for x, char in enumerate(text))
        self.cursor.y += back - scrolled
        self.lines = lines
        super().resize(lines, columns)
        self.set_margins()
        self.ensure_hbounds()

    def report_device_attributes(self, mode: int = 0, **_: bool) -> None:
        """Say nothing: newer programs take the answer of so old a terminal for keys."""

    def report_device_status(self, mode: int = 0, private: bool = False) -> None:
        """Answer where the cursor is; private questions, such as after the theme, are nobody's."""
        if not private:
            super().report_device_status(mode)

    def write_process_input(self, data: str) -> None:
        if self.answers_position or not data.endswith("R"):
            self.answers += data

    def row(self, y: int) -> str:
        """Return the text of a row, without blanks at its end."""
        cells = self.buffer[y]
        return "".join(cells[x].data for x in range(self.columns)).rstrip()

    def index(self) -> None:
        top, bottom = self.margins or (0, self.lines - 1)
        if self.cursor.y == bottom:
            self.above.append(self.row(top))
        super().index()

    def reset(self) -> None:
        super().reset()
        self.above.clear()

    def erase_in_display(self, how: int = 0, *args: Any, **kwargs: Any) -> None:
        super().erase_in_display(how, *args, **kwargs)
        if how == 3:
            self.above.clear()


class Terminal:
    """A program and its terminal.

    Args:
        command: what to run.
        env: added to the environment; None takes a name away.
        position_reports: whether the terminal says where its cursor is when asked.
        history: how many lines that have scrolled away are kept.
    """

    def __init__(
        self,
        command: Sequence[str],
        columns: int = 80,
        rows: int = 24,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        position_reports: bool = True,
        history: int = 20_000,
        **popen: Any,
    ) -> None:
        self._screen = _Screen(columns, rows, history)
        self._screen.answers_position = position_reports
        self._stream = pyte.ByteStream(self._screen)
        self._film: deque[bytes] = deque()
        self._stands_still = False
        self.master, slave = os.openpty()
        self._set_size(columns, rows)
        self.first_modes: list[Any] = termios.tcgetattr(slave)
        self.received = 0
        environment: dict[str, str] = {**os.environ, "TERM": "xterm-256color"}
        for name, value in (env or {}).items():
            if value is None:
                environment.pop(name, None)
            else:
                environment[name] = value
        descriptors = {"stdin": slave, "stdout": slave, "stderr": slave, **popen}
        self.process = subprocess.Popen(
            command,
            **descriptors,
            env=environment,
            cwd=cwd or ROOT,
            start_new_session=True,
            preexec_fn=lambda: _log_in(slave),
        )
        self._slave = slave

    # -- the operator's hands

    def send(self, text: str) -> None:
        """Type raw characters."""
        data = text.encode()
        while data:
            # The program may be waiting for us to read before it reads.
            self.look()
            if select.select([], [self.master], [], 0.05)[1]:
                data = data[os.write(self.master, data[:512]) :]

    def key(self, *names: str) -> None:
        """Press keys by name."""
        for name in names:
            self.send(KEYS[name])

    def line(self, text: str) -> None:
        """Type a line and Enter."""
        self.send(text)
        self.key("enter")

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the window."""
        # What it has drawn for the old size is to be seen in that.
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        self.look()
        self._screen.resize(rows, columns)
        self._set_size(columns, rows)
        self.process.send_signal(signal.SIGCONT)
        os.killpg(os.getpgid(self.process.pid), signal.SIGWINCH)

    # -- the operator's eyes

    def look(self, timeout: float = 0.0) -> bool:
        """Take in all that the program has drawn; False when nothing came in time."""
        if self._stands_still:
            return False
        seen = False
        while self._read(0.0 if seen or self._film else timeout) or self._film:
            seen = True
            while self._film:
                self._show(self._film.popleft())
        return seen

    def _look_on(self, timeout: float) -> bool:
        """Take in one more picture; False when none came in time."""
        if not self._film and not self._read(timeout):
            return False
        self._show(self._film.popleft())
        return True

    def _read(self, timeout: float) -> bool:
        """Append what the program has drawn to the film; False when nothing came in time."""
        if not select.select([self.master], [], [], timeout)[0]:
            return False
        try:
            data = os.read(self.master, 65_536)
        except OSError:
            return False
        self.received += len(data)
        self._film.extend(PICTURE.findall(data))
        return bool(data)

    def _show(self, picture: bytes) -> None:
        self._stream.feed(picture)
        if self._screen.answers:
            answers, self._screen.answers = self._screen.answers, ""
            os.write(self.master, answers.encode())

    @property
    def lines(self) -> list[str]:
        """The rows of the screen, without blanks at their ends."""
        self.look()
        return [self._screen.row(y) for y in range(self._screen.lines)]

    @property
    def text(self) -> str:
        """The screen as text."""
        return "\n".join(self.lines)

    @property
    def history(self) -> list[str]:
        """Everything that was shown: what scrolled off the top, then the screen."""
        self.look()
        return [*self._screen.above, *self.lines]

    @property
    def colours(self) -> set[str]:
        """The colours on the screen, foreground and background."""
        self.look()
        rows = self._screen.buffer.values()
        return {colour for row in rows for cell in row.values() for colour in (cell.fg, cell.bg)}

    @property
    def cursor(self) -> tuple[int, int]:
        """Where the cursor stands: (column, row), from 0."""
        self.look()
        return self._screen.cursor.x, self._screen.cursor.y

    def row(self, text: str) -> int:
        """Return the number of the first row with `text`.

        Raises:
            AssertionError: there is none.
        """
        for number, line in enumerate(self.lines):
            if text in line:
                return number
        raise AssertionError(f"{text!r} is not on the screen:\n{self.framed()}")

    def wait_until(self, condition: Callable[[], bool], what: str, patience: float = PATIENCE_S):
        """Look until a condition holds.

        Raises:
            AssertionError: it does not in time; the message shows the screen.
        """
        deadline = time.monotonic() + patience
        while not self._holds(condition):
            ended = self.process.poll() is not None
            late = time.monotonic() > deadline
            # What has been drawn is looked at first, but one who draws for ever is not waited for.
            if self._look_on(0.1) and time.monotonic() < deadline + patience:
                continue
            if ended:
                raise AssertionError(
                    f"the program ended ({self.process.returncode}) before {what}:\n{self.framed()}"
                )
            if late:
                raise AssertionError(f"not within {patience} s: {what}\n{self.framed()}")

    def _holds(self, condition: Callable[[], bool]) -> bool:
        """Return whether a condition holds for this picture, be there others already or not."""
        self._stands_still = True
        try:
            return condition()
        finally:
            self._stands_still = False

    def wait_for(self, *texts: str, patience: float = PATIENCE_S) -> None:
        """Look until all of `texts` are on the screen."""
        for text in texts:
            self.wait_until(lambda text=text: text in self.text, f"{text!r} is shown", patience)

    def wait_match(self, pattern: str, patience: float = PATIENCE_S) -> re.Match[str]:
        """Look until the screen matches a regular expression."""
        found: list[re.Match[str]] = []

        def matches() -> bool:
            found[:] = re.finditer(pattern, self.text, re.M)
            return bool(found)

        self.wait_until(matches, f"/{pattern}/", patience)
        return found[0]

    def wait_gone(self, text: str, patience: float = PATIENCE_S) -> None:
        """Look until `text` is no longer on the screen."""
        self.wait_until(lambda: text not in self.text, f"{text!r} is gone", patience)

    def wait_prompt(self, number: int, patience: float = PATIENCE_S) -> None:
        """Look until IPython asks for cell `number`."""
        self.wait_until(
            lambda: any(line.startswith(f"In [{number}]:") for line in self.lines),
            f"prompt {number}",
            patience,
        )

    def wait_end(self, patience: float = PATIENCE_S) -> int:
        """Look until the program has ended; return its exit status."""
        deadline = time.monotonic() + patience
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"the program has not ended:\n{self.framed()}"
            self.look(0.1)
        self.look()
        return self.process.returncode

    def framed(self) -> str:
        """Return the screen with a frame, for messages."""
        width = self._screen.columns
        edge = "+" + "-" * width + "+"
        return "\n".join([edge, *(f"|{line:{width}}|" for line in self.lines), edge])

    def modes(self) -> list[Any]:
        """Return the terminal's line discipline."""
        return termios.tcgetattr(self._slave)

    def close(self) -> None:
        """End the program, if it still runs, and its terminal."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGHUP)
            try:
                self.process.wait(5.0)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        os.close(self._slave)
        os.close(self.master)

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _log_in(slave: int) -> None:
    """Make this process the first of a terminal, which nobody has told to ignore its keys."""
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def coshell(*arguments: str) -> list[str]:
    """Return the command that starts the shell of this checkout."""
    return [sys.executable, "-m", "coshell", *arguments]
