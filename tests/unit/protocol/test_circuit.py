# SPDX-License-Identifier: Apache-2.0
"""A circuit and its channels, from the first message to the last, in any pieces, good and bad."""

from __future__ import annotations

import itertools
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catools.protocol import commands as c
from catools.protocol.circuit import Circuit, RequestRefused
from catools.protocol.framing import HEADER, FrameReader, frame
from catools.protocol.records import (
    AccessChanged,
    ChannelLost,
    Created,
    CreateFailed,
    Fault,
    Greeted,
    ReadFailed,
    ServerNotice,
    WriteDone,
)

from .server import SETTINGS, connected, created, greeted, sent, version_reply

DOUBLE = struct.pack(">d", 2.5)


def test_first_flight() -> None:
    circuit = Circuit(SETTINGS, 0.0, priority=7)
    circuit.create(1, b"X:1", None)
    messages = sent(circuit)
    assert [message.command for message in messages] == [
        c.VERSION,
        c.CLIENT_NAME,
        c.HOST_NAME,
        c.CREATE_CHAN,
    ]
    assert (messages[0].dtype, messages[0].count) == (7, 13)
    assert messages[1].payload == b"operator" + bytes(8)
    assert messages[3].payload == b"X:1" + bytes(5)
    assert (messages[3].p1, messages[3].p2) == (1, 13)
    assert circuit.take_output() == b""


def test_channel_connects() -> None:
    circuit = greeted()
    channel = circuit.create(5, b"PV", "token")
    (event,) = circuit.receive(created(5, 0, dbr=3, count=4, rights=1), 0.0)
    assert isinstance(event, Created)
    assert event.channels == [channel]
    assert (channel.sid, channel.native_type, channel.native_count) == (0, 3, 4)
    assert channel.readable
    assert not channel.writable


def test_version_is_reported_and_never_waited_for() -> None:
    circuit = Circuit(SETTINGS, 0.0)
    assert circuit.receive(version_reply(11), 0.0) == [Greeted(11)]
    assert circuit.version == 11


def test_every_request_ends_once_when_the_connection_goes() -> None:
    circuit = greeted()
    channel = connected(circuit)
    circuit.read(channel, 6, 0, "read")
    for index in range(3):
        circuit.write(channel, 6, 1, DOUBLE, notify=True, token="put", index=index)
    circuit.subscribe(channel, 6, 0, 1, "feed")
    events = circuit.disconnected("gone")
    assert sorted(
        (type(event).__name__, event.index, event.status)  # type: ignore[union-attr]
        for event in events
    ) == [("ReadFailed", 0, 192), *(("WriteDone", index, 192) for index in range(3))]
    assert circuit.disconnected("again") == []
    assert circuit.receive(frame(c.ECHO), 0.0) == []
    with pytest.raises(RequestRefused):
        circuit.read(channel, 6, 0, None)


def test_clear() -> None:
    circuit = greeted()
    channel = connected(circuit)
    other = connected(circuit, 2, 102)
    circuit.read(channel, 6, 0, "read")
    circuit.read(other, 6, 0, "other")
    sub = circuit.subscribe(channel, 6, 0, 1, "feed")
    put = circuit.write(channel, 6, 1, DOUBLE, notify=True, token="put")
    circuit.take_output()
    events = circuit.clear(channel)
    assert [type(event) for event in events] == [ReadFailed, WriteDone]
    (message,) = sent(circuit)
    assert (message.command, message.p1, message.p2) == (c.CLEAR_CHANNEL, 101, 1)
    late = frame(c.EVENT_ADD, DOUBLE, dtype=6, count=1, p1=1, p2=sub.ident) + frame(
        c.WRITE_NOTIFY, p1=1, p2=put.ident
    )
    assert circuit.receive(late, 0.0) == []
    assert 1 in circuit.channels, "its identifier is not free before the answer"
    circuit.receive(frame(c.CLEAR_CHANNEL, p1=101, p2=1), 0.0)
    assert set(circuit.channels) == {2}
    assert len(circuit.reads) == 1


def test_clear_before_the_channel_is_created() -> None:
    circuit = greeted()
    channel = circuit.create(1, b"PV", None)
    circuit.take_output()
    circuit.clear(channel)
    assert circuit.take_output() == b""
    assert circuit.receive(created(1, 55), 0.0) == []
    (message,) = sent(circuit)
    assert (message.command, message.p1) == (c.CLEAR_CHANNEL, 55)


def test_create_replies_nobody_waits_for() -> None:
    circuit = greeted()
    channel = connected(circuit)
    assert circuit.receive(created(99, 7), 0.0) == []
    (message,) = sent(circuit)
    assert (message.command, message.p1, message.p2) == (c.CLEAR_CHANNEL, 7, 99)
    assert circuit.receive(frame(c.CREATE_CHAN, dtype=1, count=5, p1=1, p2=8), 0.0) == []
    assert (channel.sid, channel.native_type) == (101, 6)


def test_impossible_type_fails_that_channel_only() -> None:
    circuit = greeted()
    bad, good = circuit.create(1, b"BAD", None), circuit.create(2, b"GOOD", None)
    events = circuit.receive(created(1, 10, dbr=77) + created(2, 11), 0.0)
    failed, connected = events
    assert isinstance(failed, CreateFailed)
    assert failed.channel is bad
    assert connected == Created([good])


def test_server_takes_channels_away() -> None:
    circuit = greeted()
    channel = connected(circuit)
    circuit.read(channel, 6, 0, "read")
    events = circuit.receive(frame(c.SERVER_DISCONN, p1=1) * 2, 0.0)
    assert [type(event) for event in events] == [ReadFailed, ChannelLost]
    waiting = circuit.create(2, b"PV", None)
    (failed,) = circuit.receive(frame(c.CREATE_CH_FAIL, p1=2) * 2, 0.0)
    assert isinstance(failed, CreateFailed)
    assert failed.channel is waiting
    assert circuit.receive(frame(c.CREATE_CH_FAIL, p1=77), 0.0) == []


def test_access_rights_at_any_time() -> None:
    circuit = greeted()
    channel = connected(circuit)
    stream = b"".join(frame(c.ACCESS_RIGHTS, p1=1, p2=rights) for rights in (1, 1, 0xFFFFFFFF, 0))
    events = circuit.receive(stream, 0.0)
    assert [type(event) for event in events] == [AccessChanged] * 3
    assert not channel.readable
    assert circuit.receive(frame(c.ACCESS_RIGHTS, p1=55, p2=3), 0.0) == []


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        bytes(8),
        HEADER.pack(0xFFFF, 0, 0, 0, 0, 0) + b"text without NUL",
        HEADER.pack(c.READ_NOTIFY, 0xFFFF, 6, 0, 0, 999),
        HEADER.pack(c.WRITE, 8, 6, 1, 0, 12345) + b"\xff\xfe\0",
    ],
)
def test_errors_about_nothing_of_ours(payload: bytes) -> None:
    (event,) = greeted().receive(frame(c.ERROR, payload, p2=142), 0.0)
    assert isinstance(event, ServerNotice)
    assert event.status == 142


@pytest.mark.parametrize(
    "bad",
    [
        HEADER.pack(c.ECHO, 4, 0, 0, 0, 0) + bytes(4),
        b"HTTP/1.1 400 Bad Request",
        HEADER.pack(c.ECHO, 0xFFFF, 0, 0, 0, 0) + struct.pack(">II", 0xFFFFFFF8, 1),
        HEADER.pack(c.ECHO, 0xFFFF, 0, 0, 0, 0) + struct.pack(">II", 1 << 31, 1),
        HEADER.pack(c.ECHO, 0xFFFF, 0, 0, 0, 0) + struct.pack(">II", 7, 1),
    ],
)
def test_frames_that_end_the_circuit(bad: bytes) -> None:
    circuit = greeted()
    channel = connected(circuit)
    circuit.read(channel, 6, 0, "read")
    events = circuit.receive(frame(c.ECHO) + bad + created(5, 5), 0.0)
    assert [type(event) for event in events] == [ReadFailed, Fault]
    assert circuit.large is None


def test_unknown_commands_are_skipped() -> None:
    circuit = greeted()
    stream = b"".join(frame(command, b"payload") for command in (2, 4, 8, 9, 13, 16, 24, 28, 0xFF))
    assert circuit.receive(stream, 0.0) == []
    assert circuit.strays == 9


def conversation() -> tuple[Circuit, bytes]:
    """Return a circuit with requests outstanding, and a stream that answers all of them."""
    circuit = Circuit(SETTINGS, 0.0)
    stream = version_reply()
    circuit.create(1, b"PV", "channel")
    circuit.create(2, b"PV", "channel")
    circuit.receive(stream + created(1, 7, count=20) + created(2, 8), 0.0)
    one, two = circuit.channels[1], circuit.channels[2]
    sub = circuit.subscribe(one, 20, 0, 5, "feed")
    ident = circuit.read(one, 6, 0, "read")
    put = circuit.write(two, 6, 1, DOUBLE, notify=True, token="put")
    circuit.take_output()
    answer = (
        frame(c.EVENT_ADD, bytes(16) + DOUBLE * 20, dtype=20, count=20, p1=1, p2=sub.ident)
        + frame(c.READ_NOTIFY, DOUBLE * 20, dtype=6, count=20, p1=1, p2=ident)
        + frame(c.WRITE_NOTIFY, dtype=6, count=1, p1=1, p2=put.ident)
        + HEADER.pack(c.EVENT_ADD, 0xFFFF, 20, 0, 1, sub.ident)
        + struct.pack(">II", 24, 1)
        + bytes(24)
        + frame(c.ACCESS_RIGHTS, p1=1, p2=1)
        + frame(c.SERVER_DISCONN, p1=2)
    )
    return circuit, answer


def shape(items: list[Any]) -> list[Any]:
    return [
        (*item[:3], bytes(item[3])) if isinstance(item, tuple) else type(item) for item in items
    ]


def in_pieces(cuts: list[int]) -> list[Any]:
    """Return what the conversation gives when its stream arrives cut at some places."""
    circuit, stream = conversation()
    places = [0, *sorted(cut % len(stream) for cut in cuts), len(stream)]
    items: list[Any] = []
    for start, end in itertools.pairwise(places):
        items += circuit.receive(stream[start:end], 0.0)
    return shape(items)


@given(st.lists(st.integers(0, 10_000), max_size=20))
def test_any_chunking_gives_the_same_results(cuts: list[int]) -> None:
    assert in_pieces(cuts) == in_pieces([])


def test_one_byte_at_a_time() -> None:
    assert len(in_pieces([])) == 6
    assert in_pieces(list(range(10_000))) == in_pieces([])


@given(st.binary(max_size=400))
def test_any_bytes_give_results_or_a_fault(data: bytes) -> None:
    circuit, _ = conversation()
    for item in circuit.receive(data, 0.0):
        assert not isinstance(item, Fault) or item.reason
    FrameReader().feed(circuit.take_output())


@given(st.data())
def test_damaged_streams_end_every_request_at_most_once(data: st.DataObject) -> None:
    circuit, stream = conversation()
    damaged = bytearray(stream)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    items = [*circuit.receive(bytes(damaged), 0.0), *circuit.disconnected("gone")]
    reads = [i for i in items if isinstance(i, ReadFailed) or (type(i) is tuple and i[0] == "read")]
    puts = [item for item in items if isinstance(item, WriteDone)]
    assert len(reads) == 1
    assert len(puts) == 1


def test_keep_alive() -> None:
    circuit = greeted(now=100.0)
    assert circuit.deadline == 130.0
    assert circuit.tick(129.0) == []
    assert circuit.take_output() == b""
    assert circuit.tick(130.0) == []
    assert [message.command for message in sent(circuit)] == [c.ECHO]
    assert circuit.deadline == 135.0
    circuit.receive(frame(c.ECHO), 131.0)
    assert circuit.deadline == 161.0


def test_silent_server_is_given_up() -> None:
    circuit = greeted(now=0.0)
    channel = connected(circuit)
    circuit.read(channel, 6, 0, "read")
    circuit.tick(30.0)
    events = circuit.tick(35.0)
    assert [type(event) for event in events] == [ReadFailed, Fault]
    assert "silent" in events[-1].reason  # type: ignore[union-attr]
    assert circuit.tick(99.0) == []


def test_any_data_postpones_the_verdict() -> None:
    circuit = greeted(now=0.0)
    circuit.tick(30.0)
    circuit.receive(frame(c.ACCESS_RIGHTS, p1=9, p2=9), 34.0)
    assert circuit.tick(35.0) == []
    assert circuit.deadline == 39.0


def test_server_that_never_says_anything_is_probed_early() -> None:
    circuit = Circuit(SETTINGS, 0.0)
    assert circuit.deadline == 5.0
    circuit.tick(5.0)
    assert [type(event) for event in circuit.tick(10.0)] == [Fault]


def test_old_server_is_asked_with_read_sync() -> None:
    circuit = greeted(2)
    circuit.probe(1.0)
    assert [message.command for message in sent(circuit)] == [c.READ_SYNC]


def test_identifiers_wrap_and_skip_those_in_use() -> None:
    circuit = greeted()
    channel = connected(circuit)
    held = circuit.subscribe(channel, 6, 0, 1, "feed")
    assert held.ident == 1
    circuit.ids.following = 0xFFFFFFFF
    idents = [circuit.read(channel, 6, 0, None) for _ in range(3)]
    assert idents == [0xFFFFFFFF, 2, 3]
    circuit.ids.following = 0xFFFFFFFF - 1
    circuit.read_many([(channel, 6, 0, index) for index in range(4)], None)
    assert len(circuit.reads) == 7
