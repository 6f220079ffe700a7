# SPDX-License-Identifier: Apache-2.0
"""Reads, updates and writes on a circuit: what is sent, and what the answers make of it."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from catools.protocol import commands as c
from catools.protocol.circuit import Circuit, CircuitSettings, RequestRefused
from catools.protocol.framing import HEADER, FrameReader, frame
from catools.protocol.records import (
    ReadFailed,
    SubscriptionFailed,
    WriteDone,
    WriteRefused,
    WritesDone,
)

from .server import SETTINGS, connected, error, greeted, sent, version_reply

DOUBLE = struct.pack(">d", 2.5)


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
