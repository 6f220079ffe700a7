# SPDX-License-Identifier: Apache-2.0
"""TLS over cooperative sockets, by the standard library."""

import os
import socket as system
import ssl
from pathlib import Path

import pytest

from cothread import Sleep, Yield, cosocket
from cothread.tls import TLSSocket

KEY_AND_CERTIFICATE = Path(__file__).with_name("localhost.pem")
BIG = os.urandom(1_000_000)


@pytest.fixture(scope="module")
def server_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(KEY_AND_CERTIFICATE)
    return context


@pytest.fixture(scope="module")
def client_context():
    return ssl.create_default_context(cafile=KEY_AND_CERTIFICATE)


@pytest.fixture
def tls_pair(pair, spawn, server_context, client_context):
    """Return both ends of a TLS connection: neither handshake can end without the other."""
    task = spawn(server_context.wrap_socket, pair[0], server_side=True)
    client = client_context.wrap_socket(pair[1], server_hostname="localhost")
    with task.Wait(5) as server, client:
        yield server, client


def test_both_ends_in_one_thread(tls_pair, spawn):
    server, client = tls_pair
    assert isinstance(client, ssl.SSLSocket)
    assert isinstance(client, cosocket.socket)
    assert client.version().startswith("TLS")
    client.sendall(b"hello")
    assert server.recv(10) == b"hello"
    task = spawn(client.sendall, BIG)
    received = bytearray()
    while len(received) < len(BIG):
        received += server.recv(65536)
    assert received == BIG
    task.Wait(5)


def test_receiving_suspends(tls_pair, spawn):
    server, client = tls_pair
    task = spawn(client.recv, 10)
    Yield()
    assert not task
    server.sendall(b"hello")
    assert task.Wait(5) == b"hello"


def test_timeouts(tls_pair):
    _, client = tls_pair
    client.settimeout(0.01)
    with pytest.raises(system.timeout):
        client.recv(1)
    client.setblocking(False)
    with pytest.raises(ssl.SSLWantReadError):
        client.recv(1)


def test_files(tls_pair):
    server, client = tls_pair
    with client.makefile("rwb") as mine, server.makefile("rwb") as its:
        mine.write(b"a line\n")
        mine.flush()
        assert its.readline() == b"a line\n"


def test_sendfile(tls_pair, tmp_path):
    server, client = tls_pair
    (tmp_path / "file").write_bytes(b"content")
    with (tmp_path / "file").open("rb") as file:
        assert client.sendfile(file) == 7
    assert server.recv(10) == b"content"


def test_unwrap(tls_pair, spawn):
    server, client = tls_pair
    task = spawn(server.unwrap)
    with client.unwrap() as plain, task.Wait(5) as other:
        plain.sendall(b"in the clear")
        assert other.recv(20) == b"in the clear"


def test_closing_wakes_whoever_waits(tls_pair, spawn):
    _, client = tls_pair
    task = spawn(client.recv, 1)
    Sleep(0.01)
    client.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        task.Wait(5)


def test_connect_and_accept_through_tls(listener, spawn, server_context, client_context):
    def serve():
        with server_context.wrap_socket(listener, server_side=True) as secure:
            connection, _ = secure.accept()
            with connection:
                connection.sendall(connection.recv(10).upper())

    address = listener.getsockname()
    task = spawn(serve)
    with client_context.wrap_socket(cosocket.socket(), server_hostname="localhost") as client:
        client.settimeout(5)
        client.connect(address)
        client.sendall(b"hello")
        assert client.recv(10) == b"HELLO"
    task.Wait(5)


def test_a_peer_that_does_not_answer_times_out(pair, client_context):
    pair[1].settimeout(0.01)
    with pytest.raises(system.timeout):
        client_context.wrap_socket(pair[1], server_hostname="localhost")


def test_the_wrong_name_is_refused(pair, spawn, server_context, client_context):
    task = spawn(server_context.wrap_socket, pair[0], server_side=True)
    with pytest.raises(ssl.SSLCertVerificationError):
        client_context.wrap_socket(pair[1], server_hostname="elsewhere")
    with pytest.raises(ssl.SSLError):
        task.Wait(5)


def test_other_sockets_are_wrapped_as_ever(client_context):
    one, other = system.socketpair()
    with (
        other,
        client_context.wrap_socket(
            one, server_hostname="localhost", do_handshake_on_connect=False
        ) as plain,
    ):
        assert type(plain) is ssl.SSLSocket
        assert not isinstance(plain, TLSSocket)
