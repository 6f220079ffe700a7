# SPDX-License-Identifier: Apache-2.0
"""Connecting and accepting on cooperative sockets."""

import errno
import socket as system

import pytest

from cothread import cosocket


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
