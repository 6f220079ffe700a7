# SPDX-License-Identifier: Apache-2.0
"""Sending and receiving on cooperative sockets: only the cothread that has to wait is suspended."""

import array
import io
import os
import socket as system

import pytest

from cothread import Spawn, Timedout, WasCancelled, Yield, cosocket
from cothread.basesocket import TURNS

BIG = bytes(range(256)) * 20_000


def receive(sock, count):
    data = bytearray()
    while len(data) < count and (more := sock.recv(65536)):
        data += more
    return bytes(data)


def test_receiving_suspends_until_there_is_something(pair, spawn):
    one, other = pair
    task = spawn(one.recv, 10)
    Yield()
    assert not task
    other.send(b"hello")
    assert task.Wait(5) == b"hello"


def test_timeouts_are_those_of_sockets_and_ours(pair):
    one, _ = pair
    one.settimeout(0.01)
    for receive_something in (
        lambda: one.recv(1),
        lambda: one.recv_into(bytearray(1)),
        lambda: one.recvfrom(1),
        lambda: one.recvfrom_into(bytearray(1)),
        lambda: one.recvmsg(1),
        lambda: one.recvmsg_into([bytearray(1)]),
    ):
        with pytest.raises(system.timeout, match=r"^timed out$") as caught:
            receive_something()
        assert isinstance(caught.value, Timedout)


def test_without_blocking_nothing_suspends(pair):
    ran = []
    Spawn(ran.append, 1)
    one, _ = pair
    one.setblocking(False)
    with pytest.raises(BlockingIOError):
        one.recv(1)
    with pytest.raises(BlockingIOError):
        one.sendall(BIG)
    with pytest.raises(BlockingIOError):
        one.send(BIG)
    assert not ran
    Yield()


def test_a_single_operation_may_refuse_to_wait(pair):
    with pytest.raises(BlockingIOError):
        pair[0].recv(1, system.MSG_DONTWAIT)


def test_all_ways_to_receive(pair):
    one, other = pair
    other.sendall(b"abcdefgh")
    buffer = bytearray(2)
    assert one.recv(1) == b"a"
    assert one.recv_into(buffer) == 2
    assert buffer == b"bc"
    assert one.recvfrom(1)[0] == b"d"
    assert one.recvfrom_into(buffer, 1)[0] == 1
    assert buffer == b"ec"
    assert one.recvmsg(1)[0] == b"f"
    assert one.recvmsg_into([buffer])[0] == 2
    assert buffer == b"gh"
    assert one.sendmsg([b"x", b"yz"]) == 3
    assert other.recv(10, system.MSG_PEEK) == b"xyz"
    assert other.recv(10) == b"xyz"


def test_descriptors_travel_with_messages(pair):
    reader, writer = os.pipe()
    rights = (system.SOL_SOCKET, system.SCM_RIGHTS, array.array("i", [reader]))
    pair[0].sendmsg([b"fd"], [rights])
    data, [(_, _, payload)], _, _ = pair[1].recvmsg(10, system.CMSG_SPACE(4))
    assert data == b"fd"
    received = array.array("i", payload)[0]
    os.write(writer, b"x")
    assert os.read(received, 1) == b"x"
    for fd in (reader, writer, received):
        os.close(fd)


@pytest.mark.parametrize("data", [BIG, memoryview(BIG), array.array("d", [1.5] * 200_000), b""])
def test_sendall_waits_for_the_reader(pair, spawn, data):
    one, other = pair
    task = spawn(one.sendall, data)
    expected = bytes(data)
    assert receive(other, len(expected)) == expected
    task.Wait(5)


def test_sendall_has_one_timeout_for_all(pair):
    one, _ = pair
    one.settimeout(0.01)
    with pytest.raises(system.timeout):
        one.sendall(BIG)


def test_sendfile(pair, spawn, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(BIG)
    with path.open("rb") as file:
        task = spawn(pair[0].sendfile, file)
        assert receive(pair[1], len(BIG)) == BIG
        assert task.Wait(5) == len(BIG)
    assert pair[0].sendfile(io.BytesIO(b"abc"), offset=1) == 2
    assert pair[1].recv(10) == b"bc"


def test_makefile(pair, spawn):
    one, other = pair
    with one.makefile("rwb") as mine, other.makefile("r", encoding="utf-8") as its:
        lines = spawn(list, its)
        for number in range(100):
            mine.write(b"line %d\n" % number)
        mine.flush()
        one.shutdown(system.SHUT_WR)
        assert lines.Wait(5) == [f"line {number}\n" for number in range(100)]


def test_datagrams(spawn):
    with (
        cosocket.socket(system.AF_INET, system.SOCK_DGRAM) as server,
        cosocket.socket(system.AF_INET, system.SOCK_DGRAM) as client,
    ):
        server.bind(("127.0.0.1", 0))
        client.bind(("127.0.0.1", 0))
        task = spawn(server.recvfrom, 100)
        client.sendto(b"one", server.getsockname())
        assert task.Wait(5) == (b"one", client.getsockname())
        client.sendto(b"two", 0, server.getsockname())
        assert server.recv(100) == b"two"


def test_a_fast_peer_starves_nobody(pair):
    one, other = pair
    turns = []

    def count():
        while len(turns) < 5:
            turns.append(1)
            Yield()

    task = Spawn(count)
    for _ in range(10 * TURNS):
        one.send(b"x")
        other.recv(1)
    assert len(turns) == 5
    task.Wait(1)


def test_a_cancelled_receiver_loses_no_data(pair, spawn):
    one, other = pair
    task = spawn(one.recv, 1)
    Yield()
    other.send(b"x")
    task.Cancel()
    with pytest.raises(WasCancelled):
        task.Wait(5)
    assert one.recv(1) == b"x"
