# SPDX-License-Identifier: Apache-2.0
"""What is written to a terminal that does not read: nobody waits, and nothing is lost."""

from __future__ import annotations

import os
import threading
import tty
from collections.abc import Iterator

import pytest

from coshell.kernel import outflow
from coshell.kernel.outflow import Outflow


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Return both ends of a terminal: who reads it, and who writes to it."""
    ends = os.openpty()
    tty.setraw(ends[1])
    yield ends
    for end in ends:
        os.close(end)


def read(master: int, count: int) -> bytes:
    """Read as many bytes."""
    data = b""
    while len(data) < count:
        data += os.read(master, count - len(data))
    return data


def test_what_is_not_taken_waits_and_nobody_else(terminal):
    master, slave = terminal
    stalls = []
    flow = Outflow(slave, lambda: stalls.append(True))
    data = bytes(range(256)) * 1000
    for start in range(0, len(data), 10_000):
        flow.write(data[start : start + 10_000])
    assert flow.stalled
    assert stalls == [True]
    assert os.get_blocking(slave), "others write to it as they did"
    taken = b""
    while flow.resume():
        taken += os.read(master, 65_536)
    assert not flow.stalled
    assert taken + read(master, len(data) - len(taken)) == data
    flow.close()
    os.write(slave, b"still open")


def test_a_writer_that_goes_on_waits_in_the_end(terminal, monkeypatch):
    master, slave = terminal
    monkeypatch.setattr(outflow, "LIMIT", 1000)
    flow = Outflow(slave, lambda: None)
    data = bytes(range(256)) * 2000
    writer = threading.Thread(target=flow.write, args=(data,))
    writer.start()
    taken = read(master, len(data) - 1000)
    writer.join()
    closing = threading.Thread(target=flow.close)
    closing.start()
    taken += read(master, len(data) - len(taken))
    closing.join()
    assert taken == data


def test_what_is_no_terminal_is_written_to_as_it_is():
    source, sink = os.pipe()
    flow = Outflow(sink, lambda: None)
    flow.write(b"text")
    flow.close()
    assert os.read(source, 100) == b"text"
    os.close(sink)
    os.close(source)


def test_a_terminal_that_is_gone_keeps_nothing(terminal):
    master, slave = terminal
    flow = Outflow(slave, lambda: None)
    flow.write(b"x" * 1_000_000)
    assert flow.stalled
    own = os.dup(master)
    os.close(master)
    os.close(own)
    with pytest.raises(OSError, match="Input/output error"):
        flow.resume()
    assert not flow.stalled
    flow.close()
    # For the fixture.
    os.dup2(slave, master)
