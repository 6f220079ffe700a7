# SPDX-License-Identifier: Apache-2.0
"""The circuit played against what servers send, in any pieces, good and bad."""

from __future__ import annotations

import itertools
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catools.protocol import commands as c
from catools.protocol.circuit import Circuit, CircuitSettings, RequestRefused
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
    SubscriptionFailed,
    WriteDone,
    WriteRefused,
    WritesDone,
)

from .server import SETTINGS, connected, created, error, greeted, sent, version_reply

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
    assert event.channel is channel
    assert (channel.sid, channel.native_type, channel.native_count) == (0, 3, 4)
    assert channel.readable
    assert not channel.writable


def test_version_is_reported_and_never_waited_for() -> None:
    circuit = Circuit(SETTINGS, 0.0)
    assert circuit.receive(version_reply(11), 0.0) == [Greeted(11)]
    assert circuit.version == 11


def test_read_and_reply() -> None:
    circuit = greeted()
    channel = connected(circuit)
    ident = circuit.read(channel, 6, 0, "token", 3)
    (message,) = sent(circuit)
    assert (message.command, message.dtype, message.count, message.p1, message.p2) == (
        c.READ_NOTIFY,
        6,
        0,
        101,
        ident,
    )
    reply = frame(c.READ_NOTIFY, DOUBLE, dtype=6, count=1, p1=1, p2=ident)
    assert circuit.receive(reply, 0.0) == [("token", 3, 1, DOUBLE)]
    assert circuit.receive(reply, 0.0) == [], "a second answer is a stray"
    assert circuit.strays == 1


def test_failed_reads() -> None:
    circuit = greeted()
    channel = connected(circuit)
    idents = [circuit.read(channel, 6, 0, "token", index) for index in range(4)]
    requests = sent(circuit)
    stream = (
        frame(c.READ_NOTIFY, bytes(8), dtype=6, count=1, p1=152, p2=idents[0])
        + error(72, HEADER.pack(c.READ_NOTIFY, 0, 6, 0, requests[1].p1, idents[1]))
        + frame(c.READ_NOTIFY, DOUBLE, dtype=5, count=1, p1=1, p2=idents[2])
        + frame(c.READ_NOTIFY, dtype=99, count=1, p1=1, p2=idents[3])
    )
    events = circuit.receive(stream, 0.0)
    assert [type(event) for event in events] == [ReadFailed] * 4
    assert [(event.index, event.status) for event in events] == [  # type: ignore[union-attr]
        (0, 152),
        (1, 72),
        (2, 114),
        (3, 114),
    ]
    assert not circuit.reads


def test_read_many_is_read_many_times() -> None:
    one, many = greeted(), greeted()
    channels = [[connected(circuit, cid, 100 + cid) for cid in (1, 2)] for circuit in (one, many)]
    for index in range(6):
        one.read(channels[0][index % 2], 20, index, "token", index)
    wanted = [(channels[1][index % 2], 20, index, index) for index in range(6)]
    assert many.read_many(wanted, "token") == []
    assert one.take_output() == many.take_output()
    assert {k: v[:3] for k, v in one.reads.items()} == {k: v[:3] for k, v in many.reads.items()}


def test_read_many_refuses_one_by_one() -> None:
    circuit = greeted()
    good, secret = connected(circuit, 1), connected(circuit, 2, rights=0)
    ((index, refusal),) = circuit.read_many([(good, 6, 1, 0), (secret, 6, 1, 1)], "token")
    assert (index, refusal.status) == (1, 368)
    assert len(sent(circuit)) == 1


def test_old_server_gets_native_count_instead_of_zero() -> None:
    circuit = greeted(12)
    channel = connected(circuit, count=7)
    circuit.read(channel, 6, 0, None)
    circuit.subscribe(channel, 6, 0, 1, None)
    circuit.read_many([(channel, 6, 0, 0)], None)
    assert [message.count for message in sent(circuit)] == [7, 7, 7]


def test_server_that_has_not_told_its_revision_is_taken_for_old() -> None:
    circuit = Circuit(SETTINGS, 0.0, version_hint=0x7FFD)
    channel = connected(circuit, count=3)
    circuit.read(channel, 6, 0, None)
    assert sent(circuit)[-1].count == 3


def test_old_server_gets_no_extended_header() -> None:
    circuit = greeted(8)
    channel = connected(circuit, count=100_000)
    with pytest.raises(RequestRefused) as refused:
        circuit.write(channel, 6, 3000, bytes(24000), notify=False, token=None)
    assert refused.value.status == 72
    with pytest.raises(RequestRefused):
        circuit.read(channel, 6, 0, None)
    assert sent(circuit) == []


def test_updates_come_out_as_tuples() -> None:
    circuit = greeted()
    channel = connected(circuit)
    sub = circuit.subscribe(channel, 6, 0, 5, "feed")
    (message,) = sent(circuit)
    assert message.payload == struct.pack(">fffHH", 0, 0, 0, 5, 0)
    update = frame(c.EVENT_ADD, DOUBLE, dtype=6, count=1, p1=1, p2=sub.ident)
    assert circuit.receive(update * 3, 0.0) == [("feed", 0, 1, DOUBLE)] * 3


def test_cancel_is_acknowledged_by_local_state_not_by_bytes() -> None:
    circuit = greeted()
    channel = connected(circuit, sid=1, count=10)
    live = circuit.subscribe(channel, 6, 0, 1, "live")
    gone = circuit.subscribe(channel, 6, 0, 1, "gone")
    circuit.unsubscribe(gone)
    circuit.unsubscribe(gone)
    assert [message.command for message in sent(circuit)] == [1, 1, c.EVENT_CANCEL]

    def empty(ident: int) -> bytes:
        # SID 1 makes an empty array's status and an acknowledgement's SID the same.
        return frame(c.EVENT_ADD, dtype=6, count=0, p1=1, p2=ident)

    late = frame(c.EVENT_ADD, DOUBLE, dtype=6, count=1, p1=1, p2=gone.ident)
    assert circuit.receive(empty(live.ident), 0.0) == [("live", 0, 0, b"")]
    assert circuit.receive(late, 0.0) == []
    assert gone.ident in circuit.cancelling
    assert circuit.receive(empty(gone.ident), 0.0) == []
    assert not circuit.cancelling
    assert circuit.receive(empty(live.ident) + late, 0.0) == [("live", 0, 0, b"")]


def test_failed_and_malformed_updates() -> None:
    circuit = greeted()
    channel = connected(circuit)
    sub = circuit.subscribe(channel, 20, 0, 5, "feed")
    stream = (
        frame(c.EVENT_ADD, bytes(24), dtype=20, count=1, p1=368, p2=sub.ident)
        + frame(c.EVENT_ADD, bytes(8), dtype=20, count=1, p1=1, p2=sub.ident)
        + frame(c.EVENT_ADD, bytes(24), dtype=6, count=1, p1=1, p2=sub.ident)
        + error(72, HEADER.pack(c.EVENT_ADD, 16, 20, 0, channel.sid, sub.ident))
    )
    events = circuit.receive(stream, 0.0)
    assert [type(event) for event in events] == [SubscriptionFailed] * 4
    assert sub.ident in circuit.subscriptions, "it may still deliver later"


def test_count_beyond_the_payload_is_cut() -> None:
    circuit = greeted()
    channel = connected(circuit, count=9)
    sub = circuit.subscribe(channel, 6, 0, 1, "feed")
    ident = circuit.read(channel, 5, 0, "read")
    stream = frame(c.EVENT_ADD, DOUBLE * 2, dtype=6, count=0xFFFFFFFF, p1=1, p2=sub.ident) + frame(
        c.READ_NOTIFY, bytes(16), dtype=5, count=1000, p1=1, p2=ident
    )
    assert circuit.receive(stream, 0.0) == [
        ("feed", 0, 2, DOUBLE * 2),
        ("read", 0, 4, bytes(16)),
    ]


def test_short_single_string_is_completed() -> None:
    circuit = greeted()
    channel = connected(circuit, dbr=0)
    ident = circuit.read(channel, 0, 0, "read")
    reply = frame(c.READ_NOTIFY, b"hello\0", dtype=0, count=1, p1=1, p2=ident)
    assert circuit.receive(reply, 0.0) == [("read", 0, 1, b"hello".ljust(40, b"\0"))]


def test_write_notify_is_serialised_per_channel() -> None:
    circuit = greeted()
    one, two = connected(circuit, 1, 11), connected(circuit, 2, 22)

    def put(channel: Any, index: int, notify: bool) -> Any:
        return circuit.write(channel, 6, 1, DOUBLE, notify=notify, token="put", index=index)

    puts = [put(one, 0, True), put(one, 1, True), put(one, 2, False), put(two, 3, True)]
    assert [(m.command, m.p1) for m in sent(circuit)] == [(19, 11), (19, 22)]
    done = frame(c.WRITE_NOTIFY, dtype=6, count=1, p1=1, p2=puts[0].ident)
    assert circuit.receive(done, 0.0) == [WriteDone("put", 0, 1)]
    assert [m.command for m in sent(circuit)] == [19], "the plain write waits behind it"
    assert circuit.withdraw(puts[2])
    assert not circuit.withdraw(puts[1])
    circuit.receive(frame(c.WRITE_NOTIFY, p1=160, p2=puts[1].ident), 0.0)
    assert sent(circuit) == []


def test_plain_write_behind_a_lone_write_notify_goes_at_once() -> None:
    circuit = greeted()
    channel = connected(circuit)
    circuit.write(channel, 6, 1, DOUBLE, notify=True, token=None)
    circuit.write(channel, 6, 1, DOUBLE, notify=False, token=None)
    assert [message.command for message in sent(circuit)] == [19, 4]


def test_refused_plain_write_is_blamed_on_the_right_one() -> None:
    circuit = greeted()
    channel = connected(circuit)
    puts = [
        circuit.write(channel, 6, 1, DOUBLE, notify=False, token="put", index=index)
        for index in range(3)
    ]
    messages = sent(circuit)
    assert len({message.p2 for message in messages}) == 3
    request = HEADER.pack(c.WRITE, 8, 6, 1, channel.sid, puts[1].ident)
    (event,) = circuit.receive(error(160, request, b"PV refused"), 0.0)
    assert event == WriteRefused(channel, "put", 1, 160, "PV refused")


def test_only_so_many_writes_are_remembered() -> None:
    circuit = greeted()
    channel = connected(circuit)
    for _ in range(10_000):
        circuit.write(channel, 6, 1, DOUBLE, notify=False, token=None)
    assert len(circuit.recent_writes) == 8192


def test_local_refusals_send_nothing() -> None:
    circuit = greeted()
    creating = circuit.create(9, b"PV", None)
    circuit.take_output()
    channel = connected(circuit, rights=1)
    secret = connected(circuit, 2, rights=0)
    cases: list[tuple[int, Any]] = [
        (192, lambda: circuit.read(creating, 6, 0, None)),
        (192, lambda: circuit.subscribe(creating, 6, 0, 1, None)),
        (192, lambda: circuit.write(creating, 6, 1, DOUBLE, notify=True, token=None)),
        (368, lambda: circuit.read(secret, 6, 0, None)),
        (376, lambda: circuit.write(channel, 6, 1, DOUBLE, notify=True, token=None)),
        (330, lambda: circuit.subscribe(channel, 6, 0, 0, None)),
        (330, lambda: circuit.subscribe(channel, 6, 0, 256, None)),
        (114, lambda: circuit.subscribe(channel, 39, 0, 1, None)),
    ]
    for status, request in cases:
        with pytest.raises(RequestRefused) as refused:
            request()
        assert refused.value.status == status
    writable = connected(circuit, 3)
    with pytest.raises(RequestRefused) as refused:
        circuit.write(writable, 20, 1, DOUBLE, notify=True, token=None)
    assert refused.value.status == 114
    assert circuit.take_output() == b""


def test_read_only_is_enforced_even_for_queued_puts() -> None:
    settings = CircuitSettings()
    circuit = Circuit(settings, 0.0)
    circuit.receive(version_reply(), 0.0)
    channel = connected(circuit)
    first = circuit.write(channel, 6, 1, DOUBLE, notify=True, token="put", index=0)
    circuit.write(channel, 6, 1, DOUBLE, notify=True, token="put", index=1)
    circuit.take_output()
    settings.read_only = True
    with pytest.raises(RequestRefused, match="read-only"):
        circuit.write(channel, 6, 1, DOUBLE, notify=False, token=None)
    events = circuit.receive(frame(c.WRITE_NOTIFY, p1=1, p2=first.ident), 0.0)
    assert events == [
        WriteDone("put", 0, 1),
        WriteDone("put", 1, 376, "this client is read-only"),
    ]
    assert circuit.take_output() == b""


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
    assert [type(event) for event in events] == [CreateFailed, Created]
    assert [event.channel for event in events] == [bad, good]  # type: ignore[union-attr]


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
    assert not circuit.room()


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


@pytest.mark.parametrize("notify", [True, False])
def test_many_puts_at_once_are_what_they_are_one_by_one(notify: bool) -> None:
    together, apart = greeted(), greeted()
    payloads = [DOUBLE, DOUBLE, DOUBLE * 3, b"\0\7", DOUBLE, DOUBLE]
    picked = [0, 1, 0, 2, 3, 1]
    kinds = [6, 6, 6, 1, 6, 20]
    wire: list[bytes] = []
    refusals: list[list[int]] = []
    for circuit in (together, apart):
        channels = [connected(circuit, number + 1, number) for number in range(4)]
        circuit.receive(frame(c.ACCESS_RIGHTS, p1=4, p2=1), 0.0)
        circuit.take_output()
        items = [
            (channels[pick], kind, len(payload) // 8 or 1, payload, index)
            for index, (pick, kind, payload) in enumerate(zip(picked, kinds, payloads, strict=True))
        ]
        if circuit is together:
            puts, refused = circuit.write_many(items, notify=notify, token="put")
            refusals.append([index for index, _ in refused])
            assert [put.index for put in puts] == [0, 1, 2, 3]
        else:
            refusals.append([])
            for channel, dbr, count, payload, index in items:
                try:
                    circuit.write(
                        channel, dbr, count, payload, notify=notify, token="put", index=index
                    )
                except RequestRefused:
                    refusals[-1].append(index)
        wire.append(_without_identifiers(circuit.take_output()))
        for ident in list(circuit.puts):
            circuit.receive(frame(c.WRITE_NOTIFY, p1=1, p2=ident), 0.0)
        wire[-1] += _without_identifiers(circuit.take_output())
    assert wire[0] == wire[1]
    assert wire[0]
    assert refusals[0] == refusals[1] == [4, 5]


def _without_identifiers(data: bytes) -> bytes:
    reader = FrameReader()
    return b"".join(
        frame(m.command, m.payload, dtype=m.dtype, count=m.count, p1=m.p1)
        for m in reader.feed(data)
    )


def _one_by_one(items: list[Any]) -> list[Any]:
    """Return results with each put by itself."""
    result: list[Any] = []
    for item in items:
        if isinstance(item, WritesDone):
            result += [WriteDone(item.token, index, 1) for index in item.indexes]
        else:
            result.append(item)
    return result


def test_completions_for_several_callers() -> None:
    circuit = greeted()
    tokens = "aabbbab"
    puts = [
        circuit.write(connected(circuit, n + 1, n), 6, 1, DOUBLE, notify=True, token=token, index=n)
        for n, token in enumerate(tokens)
    ]
    replies = [frame(c.WRITE_NOTIFY, dtype=6, count=1, p1=1, p2=put.ident) for put in puts]
    items = circuit.receive(b"".join(replies), 0.0)
    assert len(items) == 5
    assert [(item.token, item.index) for item in _one_by_one(items)] == [
        (token, index) for index, token in enumerate(tokens)
    ]


@pytest.mark.parametrize("statuses", [[1, 1, 1], [1, 160, 1, 1], [160, 160, 160]])
def test_completions_in_a_row(statuses: list[int]) -> None:
    circuit = greeted()
    channels = [connected(circuit, number + 1, number) for number in range(len(statuses))]
    puts, _ = circuit.write_many(
        [(channel, 6, 1, DOUBLE, index) for index, channel in enumerate(channels)],
        notify=True,
        token="put",
    )
    later = circuit.write(channels[1], 6, 1, DOUBLE, notify=True, token="put", index=9)
    assert not later.sent
    replies = b"".join(
        frame(c.WRITE_NOTIFY, dtype=6, count=1, p1=status, p2=put.ident)
        for status, put in zip(statuses, puts, strict=True)
    )
    circuit.take_output()
    assert _one_by_one(circuit.receive(replies + replies, 0.0)) == [
        WriteDone("put", index, status) for index, status in enumerate(statuses)
    ]
    assert circuit.strays == len(statuses)
    assert later.sent
    assert circuit.receive(frame(c.WRITE_NOTIFY, p1=1, p2=later.ident), 0.0) == [
        WriteDone("put", 9, 1)
    ]
    assert not circuit.busy
    assert circuit.queued_size == 0
