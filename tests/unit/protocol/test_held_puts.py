# SPDX-License-Identifier: Apache-2.0
"""Puts that wait for room, because a server loses completions beyond those it has places for."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from catools.protocol import commands as c
from catools.protocol.framing import Frame, frame
from catools.protocol.records import CircuitChannel, DeadlineSet, Item, Put, WriteDone, WritesDone
from catools.protocol.state import GOOD_ROOM, SLOW_AFTER_S
from catools.protocol.state import MOST_OUTSTANDING as MOST
from tests.unit.protocol.server import created, greeted, sent

DOUBLE = 6
ALL = 2 * MOST + 300


class Server:
    """A circuit with many channels, and what has come of its puts to the server.

    Attributes:
        written: the number of each put that has been sent, with or without completion.
        most: how many completions have been outstanding at a time.
        ended: number and status of each put that has ended.
    """

    def __init__(self) -> None:
        self.circuit = greeted()
        self.channels: list[CircuitChannel] = []
        for number in range(ALL):
            self.channels.append(self.circuit.create(number, b"PV", None))
            self.circuit.receive(created(number, number), 0.0)
        self.circuit.take_output()
        self.now = 0.0
        self.puts: list[Put] = []
        self.written: list[int] = []
        self.notifying: list[Frame] = []
        self.echoes = 0
        self.most = 0
        self.ended: list[tuple[int, int]] = []

    def put(self, channel: int, *, notify: bool = True) -> Put:
        """Write the number of the put to a channel."""
        index = len(self.puts)
        put = self.circuit.write(
            self.channels[channel], DOUBLE, 1, value(index), notify=notify, token=1, index=index
        )
        self.puts.append(put)
        return put

    def put_to_all(self) -> None:
        """Write to each channel, one by one."""
        for number in range(ALL):
            self.put(number)

    def put_list(self) -> None:
        """Write to each channel, in pieces of a list."""
        for start in range(0, ALL, 512):
            piece = range(start, min(ALL, start + 512))
            wanted = [(self.channels[n], DOUBLE, 1, value(n), n) for n in piece]
            puts, refused = self.circuit.write_many(wanted, notify=True, token=1)
            assert not refused
            self.puts += puts

    def take(self) -> None:
        """Take what the circuit has sent."""
        for message in sent(self.circuit):
            if message.command == c.ECHO:
                self.echoes += 1
                continue
            self.written.append(int(struct.unpack(">d", message.payload)[0]))
            if message.command == c.WRITE_NOTIFY:
                self.notifying.append(message)
        self.most = max(self.most, len(self.notifying))

    def complete(self, count: int, first: int = 0) -> None:
        """Say that some puts have been processed."""
        done = self.notifying[first : first + count]
        del self.notifying[first : first + count]
        replies = [frame(c.WRITE_NOTIFY, dtype=DOUBLE, count=1, p1=1, p2=one.p2) for one in done]
        self.heard(self.circuit.receive(b"".join(replies), self.now))

    def answer(self) -> list[Item]:
        """Answer an ECHO."""
        self.take()
        assert self.echoes > 0
        self.echoes -= 1
        return self.circuit.receive(frame(c.ECHO), self.now)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self.heard(self.circuit.tick(self.now))
        self.take()

    def heard(self, items: list[Item]) -> None:
        for item in items:
            if isinstance(item, WritesDone):
                self.ended += [(index, 1) for index in item.indexes]
            elif isinstance(item, WriteDone):
                self.ended.append((item.index, item.status))


def value(number: int) -> bytes:
    return struct.pack(">d", number)


@pytest.fixture
def server() -> Server:
    return Server()


def full(server: Server) -> None:
    """Have as many puts under way as may be."""
    for number in range(MOST):
        server.put(number)
    server.take()


@pytest.mark.parametrize("way", [Server.put_to_all, Server.put_list])
@pytest.mark.parametrize("at_a_time", [7, 400])
def test_no_more_are_under_way_than_a_server_has_places_for(
    server: Server, way: Callable[[Server], None], at_a_time: int
) -> None:
    way(server)
    server.take()
    while server.notifying:
        server.complete(at_a_time)
        server.take()
    assert server.written == list(range(ALL))
    assert server.most == MOST
    assert server.ended == [(number, 1) for number in range(ALL)]
    assert not server.circuit.busy
    assert server.circuit.queued_size == 0


def test_what_is_written_behind_held_puts_does_not_overtake_them(server: Server) -> None:
    full(server)
    same, other = MOST + 1, MOST + 2
    server.put(same)
    server.put(same, notify=False)
    server.put(other, notify=False)
    server.put(same)
    server.take()
    assert server.written == list(range(MOST))
    server.complete(MOST)
    server.take()
    assert server.written == list(range(MOST + 3)), "the last waits for the first of its channel"
    server.complete(1)
    server.take()
    assert server.written == list(range(MOST + 4))


def test_a_plain_put_does_not_wait_while_nothing_is_held(server: Server) -> None:
    full(server)
    server.put(3, notify=False)
    server.take()
    assert server.written == list(range(MOST + 1))
    assert server.echoes == 0


def test_slow_records_keep_others_waiting_for_a_moment_only(server: Server) -> None:
    server.put_to_all()
    assert server.answer() == [DeadlineSet()]
    assert server.circuit.deadline == SLOW_AFTER_S
    server.wait(SLOW_AFTER_S / 2)
    assert len(server.written) == MOST
    server.wait(SLOW_AFTER_S / 2)
    assert len(server.written) == MOST + GOOD_ROOM
    while server.echoes:
        server.answer()
        server.wait(SLOW_AFTER_S)
    assert server.written == list(range(ALL))
    assert server.circuit.deadline > server.now + 1


def test_slow_records_do_not_count(server: Server) -> None:
    full(server)
    server.put(MOST)
    server.answer()
    server.wait(SLOW_AFTER_S)
    for number in range(MOST + 1, MOST + GOOD_ROOM + 2):
        server.put(number)
    server.take()
    assert len(server.notifying) == MOST + GOOD_ROOM
    server.complete(GOOD_ROOM)
    server.take()
    assert len(server.notifying) == MOST, "the end of slow ones makes no room"
    server.complete(GOOD_ROOM)
    server.take()
    assert len(server.notifying) == MOST - GOOD_ROOM + 2


def test_a_frozen_server_gets_no_more(server: Server) -> None:
    server.put_to_all()
    for _ in range(20):
        server.wait(SLOW_AFTER_S)
    assert len(server.written) == MOST


def test_a_server_that_goes_on_is_asked_again_before_its_records_are_thought_slow(
    server: Server,
) -> None:
    server.put_to_all()
    server.answer()
    server.complete(MOST // 2)
    server.wait(SLOW_AFTER_S)
    assert (len(server.written), server.echoes) == (MOST * 3 // 2, 1)
    server.wait(SLOW_AFTER_S)
    assert len(server.written) == MOST * 3 // 2
    server.answer()
    server.wait(SLOW_AFTER_S)
    assert len(server.written) == MOST * 3 // 2 + GOOD_ROOM


def test_a_held_put_can_be_withdrawn(server: Server) -> None:
    full(server)
    puts = [server.put(MOST + number) for number in range(3)]
    assert server.circuit.withdraw(puts[1])
    assert not server.circuit.withdraw(puts[1])
    server.complete(MOST)
    server.take()
    assert server.written == [*range(MOST + 1), MOST + 2], "in order, without it"
    assert not server.circuit.withdraw(puts[0])
    assert server.circuit.queued_size == 0


def test_nothing_is_thought_slow_when_nothing_is_held_any_more(server: Server) -> None:
    full(server)
    put = server.put(MOST)
    server.answer()
    assert server.circuit.withdraw(put)
    server.wait(SLOW_AFTER_S)
    assert server.circuit.room == 0
    assert server.circuit.deadline > server.now + 1


def test_held_puts_of_a_channel_that_is_closed_end(server: Server) -> None:
    full(server)
    server.put(MOST)
    server.put(MOST + 1)
    server.heard([*server.circuit.clear(server.channels[MOST])])
    server.circuit.take_output()
    server.complete(MOST)
    server.take()
    assert server.written == [*range(MOST), MOST + 1]
    assert [end for end in server.ended if end[1] != 1] == [(MOST, 192)]


def test_held_puts_end_with_their_circuit(server: Server) -> None:
    server.put_to_all()
    server.heard([*server.circuit.disconnected("gone")])
    assert sorted(server.ended) == [(number, 192) for number in range(ALL)]
    assert server.circuit.queued_size == 0
    assert not server.circuit.withdraw(server.puts[-1])
    assert server.circuit.tick(server.now + SLOW_AFTER_S) == []


def test_held_puts_are_refused_once_the_client_is_read_only(server: Server) -> None:
    full(server)
    server.put(MOST)
    server.circuit.settings.read_only = True
    try:
        server.complete(MOST)
        server.take()
    finally:
        server.circuit.settings.read_only = False
    assert server.written == list(range(MOST))
    assert server.ended[-1] == (MOST, 376)


def test_what_waits_at_the_end_is_written_without_completion(server: Server) -> None:
    full(server)
    server.put(0)
    server.put(MOST)
    server.put(1, notify=False)
    server.circuit.write_the_rest()
    server.take()
    assert server.written == list(range(MOST + 3))
    assert len(server.notifying) == MOST
