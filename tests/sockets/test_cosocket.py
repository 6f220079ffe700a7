# SPDX-License-Identifier: Apache-2.0
"""Cooperative sockets: what they are to Python, to other threads and to the standard library."""

import os
import socket as system
import threading

import pytest

from cothread import Sleep, Spawn, WaitForAll, Yield, cosocket


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
