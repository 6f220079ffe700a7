# SPDX-License-Identifier: Apache-2.0
"""The full screen with keys from a pipe and a screen in memory; no terminal, no socket to EPICS."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable

import pyte
import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

from coshell.fullscreen import FullScreen, export
from coshell.panel.browser import Browser
from coshell.panel.look import Look
from coshell.panel.theme import Theme
from cothread import Sleep, Spawn
from cothread.clock import monotonic
from cothread.loops.asyncio_guest import GuestLoop

from .panel.test_render import ring
from .panel.values import augmented

DEADLINE_S = 20.0
WIDTH, HEIGHT = 90, 24


class Terminal:
    """Runs a full screen on a screen in memory."""

    def __init__(self, panel, put=None, inspect=None):
        self.panel = panel
        self.browser = Browser(panel, Look(), Theme())
        self._put = put or (lambda name, text: f"{name} is {text}")
        self._inspect = inspect or (lambda name: [f"  host       of {name}"])
        self._screen = pyte.Screen(WIDTH, HEIGHT)
        self._stream = pyte.Stream(self._screen)
        self._buffer = io.StringIO()
        self._buffer.fileno = lambda: 1
        self.ended = False

    def __enter__(self):
        self._pipe = create_pipe_input()
        self._input = self._pipe.__enter__()
        self._task = Spawn(self._run, raise_on_wait=True)
        self.wait(lambda: "ring" in self.text, "the first picture")
        return self

    def __exit__(self, *exc):
        if not self._task:
            self._task.Cancel()
            with pytest.raises(BaseException):  # noqa: B017, PT011
                self._task.Wait(DEADLINE_S)
        self._pipe.__exit__(None, None, None)

    def _run(self):
        output = Vt100_Output(self._buffer, lambda: Size(rows=HEIGHT, columns=WIDTH))
        with create_app_session(self._input, output):
            screen = FullScreen(
                self.browser, self.panel.listen, self.panel.look, self._put, self._inspect
            )
            with asyncio.Runner(loop_factory=GuestLoop) as runner:
                runner.run(screen.run())
        self.ended = True

    def keys(self, text):
        self._input.send_text(text)

    @property
    def text(self):
        self._stream.feed(self._buffer.getvalue())
        self._buffer.seek(0)
        self._buffer.truncate()
        return "\n".join(line.rstrip() for line in self._screen.display)

    def wait(self, condition: Callable[[], object], what: str) -> None:
        deadline = monotonic() + DEADLINE_S
        while not condition():
            assert monotonic() < deadline, f"never happened: {what}\n{self.text}"
            Sleep(0.01)


def live_ring():
    """Make the ring of the renderer's tests, with values as old as this minute."""
    panel = ring()
    for row in panel:
        row.arrived = row.lost_at = monotonic()
    panel.newest = monotonic()
    return panel


def test_values_change_while_one_looks():
    panel = live_ring()
    with Terminal(panel) as terminal:
        terminal.wait(lambda: "300.100" in terminal.text, "the value is shown")
        panel.apply_update(panel["SR-DI-DCCT:SIGNAL"], augmented(123.456), monotonic())
        terminal.wait(lambda: "123.456" in terminal.text, "the new value is shown")
        terminal.keys("q")
        terminal.wait(lambda: terminal.ended, "it ends")


def test_keys_reach_the_browser():
    with Terminal(live_ring()) as terminal:
        terminal.keys("/gauge")
        terminal.wait(lambda: "filter: gauge" in terminal.text, "the filter is shown")
        assert "DCCT" not in terminal.text
        terminal.keys("\x1b")
        terminal.wait(lambda: "DCCT" in terminal.text, "the filter is dropped")
        terminal.keys("\x1b[B\x1b[B\r")
        terminal.wait(lambda: "host       of SR-RF:FREQ" in terminal.text, "details come")
        terminal.keys("\x03")
        terminal.wait(lambda: terminal.ended, "Ctrl-C leaves")


def test_a_put_that_takes_its_time_stops_nothing():
    panel = live_ring()
    asked = []

    def put(name, text):
        asked.append((name, text))
        Sleep(0.2)
        return f"{name}  1 → {text}"

    with Terminal(panel, put=put) as terminal:
        terminal.keys("\x1b[Bp42\r")
        terminal.wait(lambda: asked, "the put is asked for")
        panel.apply_update(panel["SR-DI-DCCT:SIGNAL"], augmented(77.0), monotonic())
        terminal.wait(lambda: "77.000" in terminal.text, "values change meanwhile")
        terminal.wait(lambda: "1 → 42" in terminal.text, "the result is told")
        terminal.keys("q")
        terminal.wait(lambda: terminal.ended, "it ends")
    assert asked == [("SR-DI-DCCT:SIGNAL", "42")]


def test_a_put_that_fails_is_told():
    def put(name, text):
        raise ValueError(f"{name}: {text} is no number")

    with Terminal(live_ring(), put=put) as terminal:
        terminal.keys("\x1b[Bpabc\r")
        terminal.wait(lambda: "abc is no number" in terminal.text, "the reason is shown")
        terminal.keys("q")
        terminal.wait(lambda: terminal.ended, "it ends")


def test_leaving_while_a_put_waits_cancels_nothing_but_the_wait():
    ended = []

    def put(name, text):
        try:
            Sleep(60)
        finally:
            ended.append(name)

    with Terminal(live_ring(), put=put) as terminal:
        terminal.keys("\x1b[Bp1\r")
        terminal.wait(lambda: "put 1" in terminal.text, "the put is under way")
        terminal.keys("q")
        terminal.wait(lambda: terminal.ended and ended, "it ends, and so does the wait")


def test_rows_are_exported(tmp_path):
    panel = ring()
    said = export(panel.rows, tmp_path)
    (path,) = tmp_path.iterdir()
    assert said == f"8 rows written to {path}"
    with path.open(encoding="utf-8") as file:
        by_name = {row["PV"]: row for row in csv.DictReader(file)}
    freq = by_name["SR-RF:FREQ"]
    assert float(freq["value"]) == panel["SR-RF:FREQ"].value
    assert [freq[key] for key in ("text", "units", "severity", "status")] == [
        "499.6600",
        "MHz",
        "minor",
        "HIGH",
    ]
    assert freq["IOC time"].startswith("2023-11-1")
    assert by_name["SR-FE:SHUTTER"]["text"] == "Open"
    assert by_name["SR-VA:GAUGE-07"]["severity"] == "disconnected"
    assert len(by_name["SR-DI-BPM-01:WAVE"]["value"].split()) == 500
    assert "No such file" in export([], tmp_path / "nowhere")
