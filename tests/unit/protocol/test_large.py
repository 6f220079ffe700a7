# SPDX-License-Identifier: Apache-2.0
"""Messages so large that they are collected in memory of their own."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from catools.protocol import commands as c
from catools.protocol.circuit import Circuit, CircuitSettings
from catools.protocol.framing import HEADER, frame
from catools.protocol.large import KEPT
from catools.protocol.records import SubscriptionFailed

from .server import connected, greeted, version_reply


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("count", [100_000, KEPT // 8])
def test_a_very_large_message_is_filled_in_place(in_place: bool, count: int) -> None:
    circuit = greeted()
    channel = connected(circuit, count=count)
    ident = circuit.read(channel, 6, 0, "read")
    values = struct.pack(f">{count}d", *range(count))
    reply = frame(c.READ_NOTIFY, values, dtype=6, count=count, p1=1, p2=ident)
    stream = memoryview(reply + frame(c.ECHO) + frame(c.READ_NOTIFY, bytes(8)))
    assert circuit.receive(bytes(stream[:1000]), 0.0) == []
    position = 1000
    items: list[object] = []
    while circuit.large is not None:
        room = circuit.large.room
        assert len(room) == len(reply) - position
        part = stream[position : position + 777_777]
        if in_place:
            part = part[: len(room)]
            room[: len(part)] = part
            items += circuit.filled(len(part), 0.0)
        else:
            items += circuit.receive(bytes(part), 0.0)
        position += len(part)
    items += circuit.receive(bytes(stream[position:]), 0.0)
    (item,) = items
    assert isinstance(item, tuple)
    assert (item[2], bytes(item[3])) == (count, values)
    assert not item[3].readonly
    assert circuit.large is None
    assert circuit.strays == 1  # the second reply, which nobody asked for: it was read as well


def test_very_large_messages_of_other_kinds() -> None:
    circuit = greeted()
    channel = connected(circuit, count=100_000)
    sub = circuit.subscribe(channel, 6, 0, 5, "monitor")
    values = struct.pack(">100000d", *range(100_000))
    update = frame(c.EVENT_ADD, values, dtype=6, count=100_000, p1=1, p2=sub.ident)
    (item,) = fed(circuit, update)
    assert isinstance(item, tuple)
    assert (item[:3], bytes(item[3])) == (("monitor", 0, 100_000), values)
    # Several may read it, so none of them may change it.
    assert item[3].readonly
    (failed,) = fed(circuit, frame(c.EVENT_ADD, values, dtype=5, count=1, p1=1, p2=sub.ident))
    assert isinstance(failed, SubscriptionFailed)
    # Nobody's read, an ECHO with a payload, and a command that does not exist.
    for command in (c.READ_NOTIFY, c.ECHO, 28):
        assert fed(circuit, frame(command, values)) == []
    assert circuit.strays == 2
    request = HEADER.pack(c.EVENT_ADD, 16, 6, 0, channel.sid, sub.ident)
    (failed,) = fed(circuit, frame(c.ERROR, request + bytes(200_000), p1=1, p2=72))
    assert (failed.token, failed.status) == ("monitor", 72)


def fed(circuit: Circuit, stream: bytes) -> list[Any]:
    """Return what a circuit makes of a stream that comes in pieces of 10,000 bytes."""
    items: list[Any] = []
    for start in range(0, len(stream), 10_000):
        items += circuit.receive(stream[start : start + 10_000], 0.0)
    return items


def test_memory_is_asked_for_once_and_of_the_right_size() -> None:
    sizes: list[int] = []

    def memory(size: int) -> memoryview:
        sizes.append(size)
        return memoryview(bytearray(size))

    circuit = Circuit(CircuitSettings(memory=memory), 0.0)
    circuit.receive(version_reply(), 0.0)
    ident = circuit.read(connected(circuit, count=100_000), 6, 0, "read")
    reply = frame(c.READ_NOTIFY, bytes(800_000), dtype=6, count=100_000, p1=1, p2=ident)
    (item,) = fed(circuit, reply)
    assert len(item[3]) == 800_000
    assert sizes == [len(reply)]
