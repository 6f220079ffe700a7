# SPDX-License-Identifier: Apache-2.0
"""Many puts with completion: an IOC loses completions that its callback thread does not take."""

from collections import deque
from collections.abc import Callable, Iterator

import pytest

from catools import ca_nothing, caput, close_client, connect, put_hooks
from catools.protocol import commands as c
from catools.protocol.framing import frame
from catools.testing import Pv, Server
from coshell.put import Desk, PutInterrupted
from cothread import Sleep, Spawn
from tests.support.waiting import wait_until

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


def by_cothreads() -> list[ca_nothing]:
    """Write each PV from a cothread of its own."""
    tasks = [Spawn(caput, name, 2.5, wait=True, timeout=60) for name in NAMES]
    return [task.Wait() for task in tasks]


def by_callbacks() -> list[ca_nothing]:
    """Write one PV after the other, and be called back for each."""
    ends: list[ca_nothing] = []
    for name in NAMES:
        caput(name, 2.5, callback=ends.append, timeout=60)
    wait_until(lambda: len(ends) == len(NAMES), "all callbacks", 60)
    return ends


@pytest.mark.parametrize("way", [by_cothreads, by_callbacks])
def test_puts_one_by_one_never_fill_it_either(server: Server, way: Callable[[], list[ca_nothing]]):
    connect(NAMES, timeout=60)
    callbacks = Callbacks(server)
    thread = Spawn(callbacks.run)
    results = way()
    thread.Cancel()
    assert [result.name for result in results] == NAMES
    assert all(result.ok for result in results)
    assert callbacks.started == len(NAMES)
    assert callbacks.most <= ROOM / 2


@pytest.mark.parametrize("connected", [True, False])
@pytest.mark.parametrize("value", [2.5, 2, "2.5"])
def test_they_never_fill_the_queue_of_an_ioc(server: Server, value: object, connected: bool):
    if connected:
        connect(NAMES, timeout=60)
    callbacks = Callbacks(server)
    thread = Spawn(callbacks.run)
    results = caput(NAMES, value, wait=True, timeout=60, repeat_value=True)
    thread.Cancel()
    assert all(result.ok for result in results)
    assert callbacks.started == len(NAMES)
    assert callbacks.most <= ROOM / 2


def test_slow_records_do_not_keep_others_from_being_written(server: Server):
    connect(NAMES, timeout=60)
    callbacks = Callbacks(server)
    ends = []
    caput(NAMES, 2.5, callback=ends.append, repeat_value=True, timeout=60)
    wait_until(lambda: callbacks.started == len(NAMES), "all puts have begun")
    assert callbacks.started == len(callbacks.queue) == len(NAMES)
    assert ends == []
    thread = Spawn(callbacks.run)
    wait_until(lambda: len(ends) == len(NAMES), "all callbacks", 60)
    thread.Cancel()
    assert sorted(end.name for end in ends) == sorted(NAMES)
    assert all(end.ok for end in ends)


@pytest.fixture
def full(server: Server) -> Iterator[Server]:
    """A server that takes no more: each of its PVs but the last has been written."""
    connect(NAMES, timeout=60)
    server.on(c.ECHO, lambda *_: None)
    Callbacks(server)
    caput(NAMES[:-1], 2.5, repeat_value=True, callback=lambda _: None)
    return server


def test_a_held_put_that_is_interrupted_is_not_sent(full: Server):
    attempts = []
    put_hooks.add(before=attempts.extend)
    try:
        task = Spawn(caput, NAMES[-1], 7.5, wait=True, raise_on_wait=True)
        wait_until(lambda: attempts and attempts[0].sent, "the put has been handed over")
        task.raise_in(InterruptedError())
        with pytest.raises(InterruptedError) as interrupted:
            task.Wait(5)
    finally:
        put_hooks.remove(before=attempts.extend)
    assert not attempts[0].sent
    assert "interrupted, not sent" in str(attempts[0].error)
    assert interrupted.value.__notes__ == ["1 of 1 puts had not been sent"]


def test_the_shell_says_that_a_held_put_was_not_sent(full: Server):
    desk = Desk()
    ended = []

    def put():
        try:
            desk.put(NAMES[-1], 7.5)
        except PutInterrupted as exc:
            ended.append(str(exc))

    task = Spawn(put)
    wait_until(lambda: desk.waiting, "the put has been handed over")
    task.raise_in(KeyboardInterrupt())
    wait_until(lambda: ended, "the put is interrupted")
    said = "interrupted before anything was sent; nothing was written"
    assert ended == [f"{NAMES[-1]}: {said}"]


def test_a_held_put_that_is_too_late_is_not_sent(full: Server):
    with pytest.raises(ca_nothing, match="earlier puts have not completed, and this one was not"):
        caput(NAMES[-1], 7.5, wait=True, timeout=0.05)


def test_a_held_put_ends_with_its_circuit(full: Server):
    task = Spawn(caput, NAMES[-1], 7.5, wait=True, throw=False)
    Sleep(0.01)
    full.connection.close()
    assert task.Wait(10).errorcode == 192


def test_held_puts_are_written_when_the_client_closes(full: Server):
    written = []
    full.on(c.WRITE, lambda _, message: written.append(message.p1))
    caput(NAMES[-1], 7.5)
    close_client()
    wait_until(lambda: len(written) == len(NAMES) - 1000, "all others have been written")
    assert written == list(range(1000, len(NAMES)))
