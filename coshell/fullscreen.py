# SPDX-License-Identifier: Apache-2.0
"""The full screen on a terminal: feeds keys to a `Browser`, shows its lines, fulfils its wishes."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from prompt_toolkit.application import Application
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import FormattedTextControl, Layout, Window

from coshell.panel.browser import Browser, Export, Inspect, Leave, Put, Wish
from coshell.panel.model import Row
from coshell.panel.style import severity_of, status_text, value_texts
from cothread import Spawn
from cothread.clock import monotonic

INTERVAL_S: Final = 0.1
KEYS: Final = {
    "up": "up",
    "down": "down",
    "pageup": "pageup",
    "pagedown": "pagedown",
    "home": "home",
    "end": "end",
    "enter": "enter",
    "escape": "escape",
    "backspace": "backspace",
    "c-h": "backspace",
    "c-c": "leave",
    "c-d": "leave",
}


class FullScreen:
    """Runs a browser until the operator leaves.

    Args:
        browser: what is shown.
        listen: subscribes to changes of its panel; returns what ends that.
        look: says that a picture was made, so that the next change is told.
        put: puts a text into a PV and says what became of it. May suspend.
        inspect: returns lines about a PV. May suspend.
    """

    def __init__(
        self,
        browser: Browser,
        listen: Callable[[Callable[[], None]], Callable[[], object]],
        look: Callable[[], object],
        put: Callable[[str, str], str],
        inspect: Callable[[str], list[str]],
    ) -> None:
        self._browser = browser
        self._listen = listen
        self._look = look
        self._put = put
        self._inspect = inspect
        self._due: asyncio.TimerHandle | None = None
        self._drawn_at = float("-inf")
        self._tasks: list[Spawn[Any]] = []
        control = FormattedTextControl(self._text, focusable=True, show_cursor=False)
        self.app: Application[None] = Application(
            layout=Layout(Window(control, wrap_lines=False, always_hide_cursor=True)),
            key_bindings=self._bindings(),
            full_screen=True,
        )
        # A lone Escape means Escape, at once: there are no key sequences here.
        self.app.ttimeoutlen = 0.05
        self.app.timeoutlen = 0.05

    async def run(self) -> None:
        """Show the screen until the operator leaves; the terminal is as it was afterwards.

        Suspends: until then.
        """
        loop = asyncio.get_running_loop()

        def changed() -> None:
            # Updates come on another cothread: the loop may be waiting in its selector.
            loop.call_soon_threadsafe(self._changed)

        end = self._listen(changed)
        try:
            await self.app.run_async(set_exception_handler=False, handle_sigint=False)
        finally:
            end()
            if self._due is not None:
                self._due.cancel()
            for task in self._tasks:
                task.Cancel()

    # Pictures ------------------------------------------------------------------------------

    def _text(self) -> ANSI:
        self._look()
        now = self._drawn_at = monotonic()
        size = self.app.output.get_size()
        lines = self._browser.lines(size.columns, size.rows, now)
        refresh = self._browser.refresh_s
        if refresh is not None:
            self._draw_in(refresh)
        return ANSI("\n".join(lines))

    def _changed(self) -> None:
        """Draw again, but not sooner than a tenth of a second after the last time."""
        self._draw_in(max(self._drawn_at + INTERVAL_S - monotonic(), 0.0))

    def _draw_in(self, seconds: float) -> None:
        loop = self.app.loop
        if loop is None:
            return
        when = loop.time() + seconds
        if self._due is not None and not self._due.cancelled():
            if self._due.when() <= when and self._due.when() > loop.time():
                return
            self._due.cancel()
        self._due = loop.call_at(when, self._draw)

    def _draw(self) -> None:
        self._due = None
        self.app.invalidate()

    # Keys ----------------------------------------------------------------------------------

    def _bindings(self) -> KeyBindings:
        bindings = KeyBindings()
        for key, name in KEYS.items():
            bindings.add(key, eager=True)(self._handler(name))

        @bindings.add("<any>")
        def _(event: KeyPressEvent) -> None:
            for char in event.data:
                self._pressed(char)

        @bindings.add("<bracketed-paste>")
        def _(event: KeyPressEvent) -> None:
            for char in event.data:
                self._pressed(char)

        return bindings

    def _handler(self, name: str) -> Callable[[KeyPressEvent], None]:
        return lambda _event: self._pressed(name)

    def _pressed(self, name: str) -> None:
        wish = Leave() if name == "leave" else self._browser.key(name, monotonic())
        if wish is not None:
            self._fulfil(wish)
        self.app.invalidate()

    # Wishes --------------------------------------------------------------------------------

    def _fulfil(self, wish: Wish) -> None:
        if isinstance(wish, Leave):
            self.app.exit()
        elif isinstance(wish, Put):
            self._browser.say(f"{wish.name}: put {wish.text} …", monotonic())
            self._later(lambda: self._say(self._put(wish.name, wish.text)))
        elif isinstance(wish, Inspect):
            self._later(lambda: self._detailed(wish.name))
        elif isinstance(wish, Export):
            self._say(export(wish.rows, Path.cwd()))

    def _later(self, action: Callable[[], None]) -> None:
        """Do what may take time beside the screen; a failure becomes a message."""

        def act() -> None:
            try:
                action()
            except Exception as exc:
                self._say(str(exc))

        task = Spawn(act)
        task.name = "full screen"
        self._tasks = [*(one for one in self._tasks if not one), task]

    def _detailed(self, name: str) -> None:
        if name not in self._browser.details:
            self._browser.details = {**self._browser.details, name: self._inspect(name)}
        self.app.invalidate()

    def _say(self, text: str) -> None:
        self._browser.say(text, monotonic())
        self.app.invalidate()


def export(rows: Iterable[Row], directory: Path) -> str:
    """Write rows to a new CSV file and return a sentence about it."""
    moment = datetime.now()
    path = directory / f"panel-{moment:%Y%m%d-%H%M%S}.csv"
    count = 0
    try:
        with path.open("x", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["PV", "value", "text", "units", "severity", "status", "IOC time"])
            for row in rows:
                writer.writerow(_record(row))
                count += 1
    except OSError as exc:
        return f"{path}: {exc.strerror}"
    return f"{count} rows written to {path}"


def _record(row: Row) -> list[Any]:
    value: Any = row.value
    if hasattr(value, "tolist"):
        value = " ".join(str(item) for item in value.reshape(-1).tolist())
    elif isinstance(value, float):
        value = float(value)
    stamp = ""
    if row.timestamp is not None:
        with suppress(OverflowError, ValueError, OSError):
            stamp = datetime.fromtimestamp(row.timestamp).isoformat(timespec="microseconds")
    severity = severity_of(row).word or "no alarm"
    status = status_text(row.status) if row.live else ""
    text = value_texts(row.value, row.metadata)[0]
    return [row.name, value, text, row.metadata.units, severity, status, stamp]
