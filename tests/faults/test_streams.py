# SPDX-License-Identifier: Apache-2.0
"""What arrives on a circuit is cut, garbled, doubled, late, or not Channel Access at all."""

from __future__ import annotations

import struct
from typing import Any

import pytest

import catools
import cothread
from catools import ca_nothing, caget, camonitor, caput, connect
from catools.protocol import commands as c
from catools.protocol.framing import HEADER, Frame, frame
from catools.testing import Connection, Pv, Server
from tests.support.waiting import wait_until

REPLY_SIZE = 24


def link() -> Any:
    """Return the client's only circuit."""
    (only,) = catools.default_client().links.values()
    return only


def test_well_behaved_server(server: Server) -> None:
    assert caget(["PV", "LONG", "TEXT"]) == [1.5, 7, "text"]
    caput("PV", 3, wait=True)
    assert caget("PV") == 3
    seen: list[Any] = []
    monitor = camonitor("PV", seen.append)
    wait_until(lambda: seen, "the initial value")
    server["PV"].post([4])
    wait_until(lambda: seen[-1] == 4, "the update")
    monitor.close()
    wait_until(lambda: not link().circuit.cancelling, "the acknowledgement")


@pytest.mark.parametrize("version", [4, 8, 9, 11, 12, 13])
@pytest.mark.parametrize("speaks_first", [True, False])
def test_every_revision(server: Server, version: int, speaks_first: bool) -> None:
    server.version = version
    server.speaks_first = speaks_first
    assert list(caget("WAVE"))[:3] == [1, 2, 3]
    seen: list[Any] = []
    monitor = camonitor("WAVE", seen.append)
    wait_until(lambda: seen, "the initial value")
    counts = {
        message.count
        for message in server.connection.received
        if message.command in (c.READ_NOTIFY, c.EVENT_ADD)
    }
    assert counts <= ({10} if version < 13 else {0, 10})
    monitor.close()


def test_one_byte_at_a_time(server: Server) -> None:
    def slowly(connection: Connection, message: Frame) -> None:
        reply = frame(c.READ_NOTIFY, struct.pack(">d", 8.5), dtype=6, count=1, p1=1, p2=message.p2)
        for byte in reply:
            connection.send(bytes([byte]))
            cothread.Sleep(0.001)

    server.on(c.READ_NOTIFY, slowly)
    assert caget("PV") == 8.5


@pytest.mark.parametrize("end", ["close", "reset", "half_close"])
@pytest.mark.parametrize("cut", [0, 1, 8, 15, 16, 17, 23])
def test_connection_ends_within_a_reply(server: Server, cut: int, end: str) -> None:
    connect("PV")

    def cut_off(connection: Connection, message: Frame) -> None:
        reply = frame(c.READ_NOTIFY, bytes(8), dtype=6, count=1, p1=1, p2=message.p2)
        connection.send(reply[:cut])
        cothread.Yield()
        getattr(connection, end)()

    server.on(c.READ_NOTIFY, cut_off)
    with pytest.raises(ca_nothing) as raised:
        caget("PV")
    assert (raised.value.name, raised.value.errorcode) == ("PV", 192)
    server.on(c.READ_NOTIFY, None)
    assert caget("PV") == 1.5


@pytest.mark.parametrize(
    "garbage",
    [
        HEADER.pack(c.ECHO, 4, 0, 0, 0, 0) + bytes(4),
        HEADER.pack(c.READ_NOTIFY, 0xFFFF, 6, 1, 1, 1) + struct.pack(">II", 0xFFFFFFF8, 1),
        HEADER.pack(c.READ_NOTIFY, 0xFFFF, 6, 1, 1, 1) + struct.pack(">II", 1 << 31, 1),
        b"HTTP/1.1 400 Bad Request\r\n\r\n" * 20,
        b"\xff" * 100,
    ],
)
def test_garbage_costs_one_circuit_and_no_other(server: Server, see: Any, garbage: bytes) -> None:
    with Server({"ELSEWHERE": Pv([9.0])}) as elsewhere:
        see(server, elsewhere)
        assert caget(["PV", "ELSEWHERE"]) == [1.5, 9.0]
        server.connection.send(garbage)
        wait_until(lambda: server.accepted == 2, "a new circuit")
        assert caget(["PV", "ELSEWHERE"]) == [1.5, 9.0]
        assert elsewhere.accepted == 1


def test_unknown_and_misplaced_commands_are_skipped(server: Server) -> None:
    caget("PV")
    for command in (2, 4, 5, 7, 8, 9, 13, 14, 16, 17, 20, 24, 25, 28, 100, 255):
        server.connection.send(frame(command, b"whatever", dtype=1, count=1, p1=5, p2=6))
    assert caget("PV") == 1.5
    assert server.accepted == 1
    assert catools.default_client().statistics().strays >= 14


def test_replies_that_belong_to_nobody(server: Server) -> None:
    caget("PV")
    for ident in (0, 999, 0xFFFFFFFF):
        server.connection.send(
            frame(c.READ_NOTIFY, bytes(8), dtype=6, count=1, p1=1, p2=ident)
            + frame(c.WRITE_NOTIFY, p1=1, p2=ident)
            + frame(c.EVENT_ADD, bytes(8), dtype=6, count=1, p1=1, p2=ident)
            + frame(c.EVENT_ADD, dtype=6, p1=1, p2=ident)
            + frame(c.SERVER_DISCONN, p1=ident)
            + frame(c.CREATE_CH_FAIL, p1=ident)
            + frame(c.ACCESS_RIGHTS, p1=ident, p2=3)
            + frame(c.CLEAR_CHANNEL, p1=ident, p2=ident)
        )
    assert caget("PV") == 1.5
    assert server.accepted == 1


def test_channel_nobody_asked_for_is_given_back(server: Server) -> None:
    caget("PV")
    server.connection.send(frame(c.CREATE_CHAN, dtype=6, count=1, p1=4711, p2=815))
    wait_until(lambda: server.connection.count(c.CLEAR_CHANNEL), "the channel is given back")
    (message,) = [m for m in server.connection.received if m.command == c.CLEAR_CHANNEL]
    assert (message.p1, message.p2) == (815, 4711)


def test_doubled_replies(server: Server) -> None:
    def twice(connection: Connection, message: Frame) -> None:
        reply = frame(c.READ_NOTIFY, bytes(8), dtype=6, count=1, p1=1, p2=message.p2)
        connection.send(reply * 2)

    server.on(c.READ_NOTIFY, twice)
    assert [caget("PV") for _ in range(5)] == [0.0] * 5


def test_late_reply_goes_nowhere(server: Server) -> None:
    connect("PV")
    held: list[Frame] = []
    server.on(c.READ_NOTIFY, lambda _, message: held.append(message))
    with pytest.raises(ca_nothing, match="has not replied"):
        caget("PV", timeout=0.05)
    server.on(c.READ_NOTIFY, None)
    server.connection.send(
        frame(c.READ_NOTIFY, struct.pack(">d", -1.0), dtype=6, count=1, p1=1, p2=held[0].p2)
    )
    assert caget("PV") == 1.5
    assert not link().circuit.reads


@pytest.mark.parametrize(
    ("dtype", "count", "payload"),
    [
        (6, 0xFFFF, bytes(8)),
        (6, 1000, bytes(80)),
        (5, 1, bytes(8)),
        (77, 1, bytes(8)),
        (20, 1, bytes(8)),
        (6, 1, b""),
    ],
)
def test_data_that_does_not_fit_its_header(
    server: Server, dtype: int, count: int, payload: bytes
) -> None:
    def answer(connection: Connection, message: Frame) -> None:
        connection.send(
            frame(c.READ_NOTIFY, payload, dtype=dtype, count=count, p1=1, p2=message.p2)
        )

    server.on(c.READ_NOTIFY, answer)
    result = caget("PV", throw=False)
    assert result.ok or result.name == "PV"
    server.on(c.READ_NOTIFY, None)
    assert caget("PV") == 1.5
    assert server.accepted == 1


@pytest.mark.parametrize("status", [0, 48, 152, 368, 4711 << 3])
@pytest.mark.parametrize("payload", [b"", bytes(8)])
def test_failed_read_of_any_status(server: Server, status: int, payload: bytes) -> None:
    def refuse(connection: Connection, message: Frame) -> None:
        connection.send(frame(c.READ_NOTIFY, payload, dtype=6, count=1, p1=status, p2=message.p2))

    server.on(c.READ_NOTIFY, refuse)
    with pytest.raises(ca_nothing) as raised:
        caget("PV")
    assert (raised.value.name, raised.value.errorcode) == ("PV", status)


def test_refused_read_by_error_message(server: Server) -> None:
    def refuse(connection: Connection, message: Frame) -> None:
        request = HEADER.pack(c.READ_NOTIFY, 0, message.dtype, 0, message.p1, message.p2)
        connection.send(frame(c.ERROR, request + b"too large\x1b[31m\0", p2=72))

    server.on(c.READ_NOTIFY, refuse)
    with pytest.raises(ca_nothing, match="too large") as raised:
        caget("PV")
    assert raised.value.errorcode == 72


def test_errors_about_nothing_do_no_harm(server: Server) -> None:
    caget("PV")
    for payload in (b"", b"short", HEADER.pack(0xFFFF, 0xFFFF, 0, 0, 0, 0), bytes(400)):
        server.connection.send(frame(c.ERROR, payload, p1=0xFFFFFFFF, p2=6))
    assert caget("PV") == 1.5


@pytest.mark.parametrize(
    "raw",
    [b"x" * 40, b"ok\0" + b"\xff" * 37, b"\xb5\xff\xfe\0", b"\x1b[31mred\x1b[0m\0", b""],
)
def test_strings_of_any_bytes(server: Server, raw: bytes) -> None:
    def answer(connection: Connection, message: Frame) -> None:
        connection.send(frame(c.READ_NOTIFY, raw, dtype=0, count=1, p1=1, p2=message.p2))

    server.on(c.READ_NOTIFY, answer)
    result = caget("TEXT", throw=False)
    if result.ok:
        assert "\0" not in result
        assert len(result) <= 40


def test_channel_with_impossible_description(server: Server) -> None:
    def describe(connection: Connection, message: Frame) -> Any:
        if message.payload.startswith(b"PV\0"):
            connection.send(frame(c.CREATE_CHAN, dtype=99, count=1, p1=message.p1, p2=50))
            return None
        return True

    server.on(c.CREATE_CHAN, describe)
    assert caget("OTHER") == 2.5
    with pytest.raises(ca_nothing, match="unknown data type 99"):
        caget("PV", timeout=1)
    assert caget("OTHER") == 2.5


def test_server_takes_one_channel_away(server: Server) -> None:
    seen: list[Any] = []
    monitor = camonitor("PV", seen.append, notify_disconnect=True)
    assert caget("OTHER") == 2.5
    wait_until(lambda: seen, "the initial value")
    cid = catools.default_client().channels["PV"].cid
    server.connection.send(frame(c.SERVER_DISCONN, p1=cid) * 2)
    wait_until(lambda: len(seen) == 3, "the notice and the new initial value")
    assert [value.ok for value in seen] == [True, False, True]
    assert server.accepted == 1
    monitor.close()


def test_zero_is_a_valid_identifier(server: Server) -> None:
    caget("PV")
    assert list(server.connection.channels) == [0]
    caput("PV", 5, wait=True)
    assert caget("PV") == 5


def test_another_servers_answer_about_the_same_name(server: Server, see: Any) -> None:
    with Server({"PV": Pv([99.0])}) as second:
        see(server, second)
        value = caget("PV")
        first = server if value == 1.5 else second
        other = second if first is server else server
        assert first.accepted == 1
        first.close()
        wait_until(
            lambda: catools.default_client().channels["PV"].server != f"127.0.0.1:{first.port}",
            "the loss is noticed",
        )
        assert caget("PV") == (99.0 if first is server else 1.5)
        assert other.accepted == 1
