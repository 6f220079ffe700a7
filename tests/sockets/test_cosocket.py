# SPDX-License-Identifier: Apache-2.0
"""Sockets that suspend only their own cothread."""

import array
import errno
import io
import os
import socket as system
import threading

import pytest

from cothread import Sleep, Spawn, Timedout, WaitForAll, WasCancelled, Yield, cosocket
from cothread.basesocket import TURNS

BIG = bytes(range(256)) * 20_000


def receive(sock, count):
    data = bytearray()
    while len(data) < count and (more := sock.recv(65536)):
        data += more
    return bytes(data)


# -- what it is


def test_it_is_a_socket():
    with cosocket.socket() as sock:
        assert isinstance(sock, system.socket)
        assert (sock.family, sock.type) == (system.AF_INET, system.SOCK_STREAM)
        assert cosocket.cosocket is cosocket.socket
    assert sock.fileno() == -1


def test_it_takes_over_descriptors_and_sockets():
    one, other = system.socketpair()
    with cosocket.socket(fileno=one.detach()) as mine, cosocket.socket(_sock=other) as its:
        assert mine.family == system.AF_UNIX
        mine.sendall(b"x")
        assert its.recv(1) == b"x"
        assert other.fileno() == -1


def test_the_timeout_starts_as_the_default():
    with cosocket.socket() as sock:
        assert sock.gettimeout() is None
    system.setdefaulttimeout(3)
    try:
        with cosocket.socket() as sock:
            assert sock.gettimeout() == sock.timeout == 3
    finally:
        system.setdefaulttimeout(None)


def test_settings_of_the_timeout():
    with cosocket.socket() as sock:
        assert sock.getblocking()
        sock.setblocking(False)
        assert sock.gettimeout() == 0
        assert not sock.getblocking()
        sock.setblocking(True)
        assert sock.gettimeout() is None
        sock.settimeout(2)
        assert sock.gettimeout() == 2
        assert not os.get_blocking(sock.fileno())
        for bad in (-1, float("nan")):
            with pytest.raises(ValueError):  # noqa: PT011
                sock.settimeout(bad)
        with pytest.raises(TypeError):
            sock.settimeout("1")
        assert sock.gettimeout() == 2


def test_attributes_may_be_set():
    with cosocket.socket() as sock:
        sock.note = "mine"
        assert sock.note == "mine"


def test_detach_gives_an_ordinary_descriptor(pair):
    fd = pair[0].detach()
    assert os.get_blocking(fd)
    os.close(fd)


def test_dup(pair):
    pair[0].settimeout(3)
    with pair[0].dup() as copy:
        assert isinstance(copy, cosocket.socket)
        assert copy.gettimeout() == 3
        copy.sendall(b"x")
    assert pair[1].recv(1) == b"x"


# -- waiting


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


# -- connections


def test_connect_and_accept(listener, spawn):
    task = spawn(listener.accept)
    with cosocket.socket() as client:
        client.settimeout(5)
        client.connect(listener.getsockname())
        connection, address = task.Wait(5)
        with connection:
            assert address == client.getsockname()
            assert isinstance(connection, cosocket.socket)
            assert connection.gettimeout() is None
            connection.sendall(b"welcome")
            assert client.recv(10) == b"welcome"


def test_accept_times_out(listener):
    listener.settimeout(0.01)
    with pytest.raises(system.timeout):
        listener.accept()


def unused_port():
    with system.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_a_refused_connection():
    port = unused_port()
    with cosocket.socket() as sock, pytest.raises(ConnectionRefusedError):
        sock.connect(("127.0.0.1", port))
    with cosocket.socket() as sock:
        assert sock.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED
    with pytest.raises(ConnectionRefusedError):
        cosocket.create_connection(("127.0.0.1", port))


def test_create_connection(listener):
    with cosocket.create_connection(listener.getsockname(), timeout=4) as sock:
        assert isinstance(sock, cosocket.socket)
        assert sock.gettimeout() == 4
    with cosocket.create_connection(
        ("localhost", listener.getsockname()[1]), source_address=("127.0.0.1", 0)
    ) as sock:
        assert sock.gettimeout() is None


def test_create_connection_tells_all_that_went_wrong():
    address = ("127.0.0.1", unused_port())
    with pytest.raises(ExceptionGroup) as caught:
        cosocket.create_connection(address, all_errors=True)
    assert isinstance(caught.value.exceptions[0], ConnectionRefusedError)


def full_local_listener(path):
    """Return a listening local socket whose queue is full, and what fills it."""
    server = cosocket.socket(system.AF_UNIX)
    server.bind(path)
    server.listen(0)
    filling = []
    while True:
        client = cosocket.socket(system.AF_UNIX)
        client.setblocking(False)
        filling.append(client)
        if client.connect_ex(path):
            return server, filling


def test_connecting_waits_for_a_full_queue(tmp_path, spawn):
    path = str(tmp_path / "socket")
    server, filling = full_local_listener(path)
    late = cosocket.socket(system.AF_UNIX)
    late.settimeout(0.03)
    with pytest.raises(system.timeout):
        late.connect(path)
    assert late.connect_ex(path) == errno.EAGAIN
    late.settimeout(5)
    task = spawn(late.connect, path)
    accepted = [server.accept()[0]]
    task.Wait(5)
    for sock in (server, late, *filling, *accepted):
        sock.close()


def test_connecting_to_one_who_does_not_answer_times_out(listener, spawn):
    # The queue of a listener is full when nobody accepts; then nothing is answered at all.
    listener.listen(0)
    filling = []
    try:
        while True:
            sock = cosocket.socket()
            filling.append(sock)
            sock.settimeout(0.05)
            sock.connect(listener.getsockname())
    except TimeoutError:
        pass
    with cosocket.socket() as sock:
        sock.settimeout(0.01)
        assert sock.connect_ex(listener.getsockname()) == errno.EAGAIN
    for sock in filling:
        sock.close()


# -- closing


@pytest.mark.parametrize("wait", [lambda sock: sock.recv(1), lambda sock: sock.sendall(BIG)])
def test_closing_wakes_whoever_waits_for_it(pair, spawn, wait):
    task = spawn(wait, pair[0])
    Sleep(0.01)
    pair[0].close()
    with pytest.raises(OSError, match="Bad file descriptor") as caught:
        task.Wait(5)
    assert caught.value.errno == errno.EBADF


def test_closing_a_listener_wakes_accept(listener, spawn):
    tasks = [spawn(listener.accept) for _ in range(2)]
    Yield()
    listener.close()
    for task in tasks:
        with pytest.raises(OSError, match="Bad file descriptor"):
            task.Wait(5)


def test_closing_from_another_thread_wakes_too(pair, spawn):
    task = spawn(pair[0].recv, 1)
    Sleep(0.01)
    thread = threading.Thread(target=pair[0].close)
    thread.start()
    with pytest.raises(OSError, match="Bad file descriptor"):
        task.Wait(5)
    thread.join()
    assert pair[0].fileno() == -1


def test_closing_with_a_file_open_closes_later(pair):
    file = pair[0].makefile("rb")
    pair[0].close()
    pair[1].send(b"x")
    assert file.read(1) == b"x"
    file.close()
    assert pair[0].fileno() == -1


def test_the_other_end_closing_is_the_end_of_the_stream(pair, spawn):
    task = spawn(pair[0].recv, 1)
    Yield()
    pair[1].close()
    assert task.Wait(5) == b""
    with pytest.raises(BrokenPipeError):
        pair[0].send(b"x")


def test_a_closed_socket_is_a_named_error_at_once(pair):
    pair[0].close()
    for use in (
        lambda sock: sock.recv(1),
        lambda sock: sock.send(b"x"),
        lambda sock: sock.accept(),
    ):
        with pytest.raises(OSError, match="Bad file descriptor"):
            use(pair[0])


def test_a_forgotten_socket_is_warned_of():
    with pytest.warns(ResourceWarning, match="unclosed"):
        cosocket.socket().fileno()


# -- threads and hooks


def test_in_a_thread_it_blocks_the_thread(pair):
    got = []
    thread = threading.Thread(target=lambda: got.append(pair[0].recv(5)))
    thread.start()
    Sleep(0.01)
    pair[1].send(b"hello")
    thread.join()
    assert got == [b"hello"]
    pair[0].settimeout(0.01)

    def time_out():
        try:
            pair[0].recv(5)
        except TimeoutError as exc:
            got.append(str(exc))

    thread = threading.Thread(target=time_out)
    thread.start()
    thread.join()
    assert got[1:] == ["timed out"]


def test_socket_hook_makes_the_standard_library_cooperative(hooks_undone, spawn):
    cosocket.socket_hook()
    one, other = system.socketpair()
    with one, other, system.create_server(("127.0.0.1", 0)) as server:
        assert isinstance(one, cosocket.socket)
        task = spawn(server.accept)
        with system.create_connection(server.getsockname()) as client:
            connection, _ = task.Wait(5)
            with connection:
                assert isinstance(client, cosocket.socket)
                assert isinstance(connection, cosocket.socket)


def test_many_cothreads_on_one_socket(pair):
    one, other = pair
    tasks = [Spawn(one.recv, 1) for _ in range(20)]
    Yield()
    other.sendall(bytes(range(20)))
    assert sorted(WaitForAll(tasks, 5)) == [bytes([number]) for number in range(20)]
