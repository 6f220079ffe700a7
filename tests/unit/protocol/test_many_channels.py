# SPDX-License-Identifier: Apache-2.0
"""Thousands of channels on one circuit: created in a row, closed in a row."""

from __future__ import annotations

from typing import Any

import pytest

from catools.protocol import commands as c
from catools.protocol.circuit import Circuit
from catools.protocol.framing import frame
from catools.protocol.records import Created, ReadFailed

from .server import connected, created, greeted, sent

ODD = {
    "an unknown channel": created(99, 9),
    "an unknown type": created(4, 9, dbr=7),
    "twice the same": created(2, 9),
    "an array": created(4, 9, dbr=4, count=4000),
    "a very long array": frame(c.ACCESS_RIGHTS, p1=4, p2=1)
    + frame(c.CREATE_CHAN, dtype=6, count=70_000, p1=4, p2=9),
    "rights of another channel": frame(c.ACCESS_RIGHTS, p1=5, p2=1)
    + frame(c.CREATE_CHAN, dtype=6, count=1, p1=4, p2=9),
    "no rights": frame(c.CREATE_CHAN, dtype=6, count=1, p1=4, p2=9),
    "changed rights": frame(c.ACCESS_RIGHTS, p1=1, p2=1),
    "rights it does not have": created(4, 9, rights=0xFF),
    "payloads": frame(c.ACCESS_RIGHTS, bytes(8), p1=4, p2=1)
    + frame(c.CREATE_CHAN, bytes(8), dtype=6, count=1, p1=4, p2=9),
    "a failure": frame(c.CREATE_CH_FAIL, p1=4),
    "an echo": frame(c.ECHO),
}


@pytest.mark.parametrize("version", [1, 13])
@pytest.mark.parametrize("odd", ODD)
def test_channels_created_in_a_row_are_what_they_are_one_by_one(odd: str, version: int) -> None:
    stream = b"".join(created(cid, 100 + cid) for cid in (1, 2, 3))
    stream += ODD[odd] + b"".join(created(cid, 100 + cid, dbr=2, rights=1) for cid in (5, 6))
    seen: list[Any] = []
    for size in (len(stream), 16):
        circuit = greeted(version)
        channels = [circuit.create(cid, b"PV", None) for cid in range(1, 8)]
        circuit.take_output()
        items: list[Any] = []
        for start in range(0, len(stream), size):
            items += circuit.receive(stream[start : start + size], 0.0)
        described = [
            (each.state, each.sid, each.native_type, each.native_count, each.access)
            for each in channels
        ]
        events = [
            (type(item), channel.cid)
            for item in items
            for channel in (item.channels if isinstance(item, Created) else [item.channel])
        ]
        seen.append((events, described, circuit.strays, circuit.take_output()))
    assert seen[0] == seen[1]
    assert len(seen[0][0]) >= 5


def test_closing_a_channel_ends_its_own_reads() -> None:
    circuit = greeted()
    channels = [connected(circuit, cid, cid) for cid in range(1, 5)]
    wanted = [(channel, 6, 0, index) for index, channel in enumerate(channels * 3)]
    circuit.read_many(wanted, "early")
    assert ended(circuit, channels[1]) == [1, 5, 9]
    answer = frame(c.READ_NOTIFY, bytes(8), dtype=6, count=1, p1=1, p2=1)
    assert len(circuit.receive(answer, 0.0)) == 1
    circuit.read(channels[2], 6, 0, "late", 12)
    assert ended(circuit, channels[0]) == [4, 8]
    assert ended(circuit, channels[2]) == [2, 6, 10, 12]
    assert ended(circuit, channels[2]) == []
    assert [message.command for message in sent(circuit)].count(c.CLEAR_CHANNEL) == 3
    late = [item for item in circuit.disconnected("gone") if isinstance(item, ReadFailed)]
    assert [item.index for item in late] == [3, 7, 11]


def ended(circuit: Circuit, channel: Any) -> list[int]:
    """Close a channel and return the indexes of the reads that this has ended."""
    return [item.index for item in circuit.clear(channel) if isinstance(item, ReadFailed)]
