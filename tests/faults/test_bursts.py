# SPDX-License-Identifier: Apache-2.0
"""Many puts with completion: an IOC loses completions that its callback thread does not take."""

from collections import deque
from collections.abc import Callable, Iterator

import pytest

from catools import caput, connect
from catools.protocol import commands as c
from catools.protocol.framing import frame
from catools.testing import Pv, Server
from cothread import Sleep, Spawn

NAMES = [f"PV:{number}" for number in range(2600)]
ROOM = 2000
"""Completions that an EPICS IOC queues by default."""


class Callbacks:
    """Completes puts of a server from a queue, as the callback thread of an IOC does.

    Attributes:
        most: how many have stood in the queue.
        started: how many puts have come.
    """

    def __init__(self, server: Server) -> None:
        self.queue: deque[Callable[[], None]] = deque()
        self.most = self.started = 0
        server.on(c.WRITE_NOTIFY, self._take)

    def _take(self, connection, message) -> None:
        self.started += 1
        reply = frame(c.WRITE_NOTIFY, dtype=message.dtype, count=message.count, p1=1, p2=message.p2)
        self.queue.append(lambda: connection.send(reply))
        self.most = max(self.most, len(self.queue))

    def run(self) -> None:
        """Complete some now and then."""
        while True:
            for _ in range(min(50, len(self.queue))):
                self.queue.popleft()()
            Sleep(0.001)


@pytest.fixture
def server(see: Callable[..., None]) -> Iterator[Server]:
    with Server({name: Pv([1.0]) for name in NAMES}) as server:
        see(server)
        yield server


@pytest.mark.parametrize("connected", [True, False])
@pytest.mark.parametrize("value", [2.5, 2, "2.5"])
def test_they_never_fill_the_queue_of_an_ioc(server: Server, value: object, connected: bool):
    if connected:
        connect(NAMES, timeout=20)
    callbacks = Callbacks(server)
    thread = Spawn(callbacks.run)
    results = caput(NAMES, value, wait=True, timeout=20, repeat_value=True)
    thread.Cancel()
    assert all(result.ok for result in results)
    assert callbacks.started == len(NAMES)
    assert callbacks.most <= ROOM / 2


def test_slow_records_do_not_keep_others_from_being_written(server: Server):
    connect(NAMES, timeout=20)
    callbacks = Callbacks(server)
    ends = []
    caput(NAMES, 2.5, callback=ends.append, repeat_value=True, timeout=20)
    deadline = 2000
    while callbacks.started < len(NAMES) and deadline:
        deadline -= 1
        Sleep(0.005)
    assert callbacks.started == len(callbacks.queue) == len(NAMES)
    assert ends == []
    thread = Spawn(callbacks.run)
    while len(ends) < len(NAMES) and deadline:
        deadline -= 1
        Sleep(0.005)
    thread.Cancel()
    assert sorted(end.name for end in ends) == sorted(NAMES)
    assert all(end.ok for end in ends)
