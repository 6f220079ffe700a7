# SPDX-License-Identifier: Apache-2.0
"""TCP, UDP and HTTP servers."""

import contextlib
import http.client
import http.server
import resource
import socketserver
import threading
import urllib.request

import pytest

from cothread import Event, Sleep, Spawn, WaitForAll, Yield, coserver, cosocket
from cothread.cosocket import create_connection

ANYWHERE = ("127.0.0.1", 0)


class Upper(socketserver.StreamRequestHandler):
    """Send every line back in capitals."""

    def handle(self):
        for line in self.rfile:
            self.wfile.write(line.upper())


class UpperDatagram(socketserver.BaseRequestHandler):
    """Send every datagram back in capitals."""

    def handle(self):
        data, sock = self.request
        sock.sendto(data.upper(), self.client_address)


class Page(http.server.BaseHTTPRequestHandler):
    """Serve the path itself."""

    def do_GET(self):
        body = self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        """Keep quiet."""


@pytest.fixture
def serve():
    """Return a function that starts a server."""
    with contextlib.ExitStack() as stack:

        def serve(kind, handler):
            server = stack.enter_context(kind(ANYWHERE, handler))
            task = Spawn(server.serve_forever, raise_on_wait=True)
            stack.callback(task.Wait, 5)
            stack.callback(server.shutdown)
            return server

        yield serve


def ask(address, text):
    with create_connection(address, timeout=5) as sock:
        sock.sendall(text + b"\n")
        return sock.recv(100).rstrip()


def test_a_tcp_server_handles_one_connection_after_the_other(serve):
    server = serve(coserver.TCPServer, Upper)
    assert isinstance(server, socketserver.TCPServer)
    assert isinstance(server.socket, cosocket.socket)
    tasks = [Spawn(ask, server.server_address, b"line %d" % number) for number in range(5)]
    assert WaitForAll(tasks, 10) == [b"LINE %d" % number for number in range(5)]


def test_a_cothreading_server_handles_many_connections_at_once(serve):
    server = serve(coserver.CoThreadingTCPServer, Upper)
    clients = [create_connection(server.server_address, timeout=5) for _ in range(20)]
    for client in reversed(clients):
        client.sendall(b"hello\n")
        assert client.recv(10) == b"HELLO\n"
    for client in clients:
        client.close()


@pytest.mark.parametrize("kind", [coserver.UDPServer, coserver.CoThreadingUDPServer])
def test_udp(serve, kind):
    server = serve(kind, UpperDatagram)
    with cosocket.socket(type=cosocket._system.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(b"hello", server.server_address)
        assert client.recvfrom(100) == (b"HELLO", server.server_address)


@pytest.mark.parametrize("kind", [coserver.HTTPServer, coserver.CoThreadingHTTPServer])
def test_http_by_urllib(serve, kind, hooks_undone):
    server = serve(kind, Page)
    assert isinstance(server, http.server.HTTPServer)
    cosocket.socket_hook()

    def get(number):
        url = f"http://127.0.0.1:{server.server_port}/{number}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read()

    assert WaitForAll([Spawn(get, number) for number in range(5)], 10) == [
        b"/%d" % number for number in range(5)
    ]


def test_http_client_keeps_a_connection(serve, hooks_undone):
    server = serve(coserver.CoThreadingHTTPServer, Page)
    cosocket.socket_hook()
    connection = http.client.HTTPConnection(*server.server_address, timeout=5)
    with contextlib.closing(connection):
        for path in ("/one", "/two"):
            connection.request("GET", path)
            assert connection.getresponse().read() == path.encode()


def test_shutdown_before_serving():
    with coserver.TCPServer(ANYWHERE, Upper) as server:
        server.shutdown()
        server.serve_forever()
        # That used it up: now it serves.
        task = Spawn(server.serve_forever)
        assert ask(server.server_address, b"hello") == b"HELLO"
        assert not task
        server.shutdown()
        assert task


def test_shutdown_waits_for_the_request_under_way():
    entered, leave = Event(), Event()
    done = []

    class Slow(socketserver.BaseRequestHandler):
        def handle(self):
            entered.Signal()
            leave.Wait(5)
            done.append(1)

    with coserver.TCPServer(ANYWHERE, Slow) as server:
        task = Spawn(server.serve_forever)
        with create_connection(server.server_address):
            entered.Wait(5)
            stopping = Spawn(server.shutdown)
            Sleep(0.01)
            assert not stopping
            leave.Signal()
            stopping.Wait(5)
            assert done == [1]
            task.Wait(5)


def test_shutdown_by_a_handler():
    class Last(socketserver.BaseRequestHandler):
        def handle(self):
            self.server.shutdown()
            self.request.sendall(b"bye")

    with coserver.TCPServer(ANYWHERE, Last) as server:
        task = Spawn(server.serve_forever)
        assert ask(server.server_address, b"") == b"bye"
        task.Wait(5)


def test_shutdown_from_another_thread():
    with coserver.TCPServer(ANYWHERE, Upper) as server:
        task = Spawn(server.serve_forever)
        Yield()
        thread = threading.Thread(target=server.shutdown)
        thread.start()
        task.Wait(5)
        thread.join(5)
        assert not thread.is_alive()


def test_cancelling_who_serves_stops_serving():
    with coserver.TCPServer(ANYWHERE, Upper) as server:
        task = Spawn(server.serve_forever)
        Sleep(0.01)
        task.Cancel()
        Sleep(0.01)
        again = Spawn(server.serve_forever)
        assert ask(server.server_address, b"hello") == b"HELLO"
        server.shutdown()
        again.Wait(5)


def test_closing_while_serving_is_an_error():
    server = coserver.TCPServer(ANYWHERE, Upper)
    task = Spawn(server.serve_forever, raise_on_wait=True)
    Sleep(0.01)
    server.server_close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        task.Wait(5)


def test_handle_request():
    timeouts = []

    class Impatient(coserver.TCPServer):
        timeout = 0.01

        def handle_timeout(self):
            timeouts.append(1)

    with Impatient(ANYWHERE, Upper) as server:
        server.handle_request()
        assert timeouts == [1]
        task = Spawn(ask, server.server_address, b"hello")
        Yield()
        server.timeout = 5
        server.handle_request()
        assert task.Wait(5) == b"HELLO"


def test_a_failing_handler_is_told_of_and_the_server_goes_on(serve, capsys):
    class Failing(socketserver.BaseRequestHandler):
        def handle(self):
            raise ValueError("oops")

    server = serve(coserver.CoThreadingTCPServer, Failing)
    for _ in range(2):
        assert ask(server.server_address, b"") == b""
    assert capsys.readouterr().err.count("ValueError: oops") == 2


def test_service_actions_are_called_when_there_are_any():
    called = Event()

    class Active(coserver.TCPServer):
        def service_actions(self):
            called.Signal()

    with Active(ANYWHERE, Upper) as server:
        task = Spawn(server.serve_forever, 0.01)
        called.Wait(5)
        server.shutdown()
        task.Wait(5)


def test_an_address_in_use():
    with coserver.TCPServer(ANYWHERE, Upper) as server, pytest.raises(OSError, match="in use"):
        coserver.TCPServer(server.server_address, Upper)


def test_running_out_of_descriptors_stops_nobody(serve):
    server = serve(coserver.CoThreadingTCPServer, Upper)
    client = cosocket.socket()
    with client:
        client.settimeout(5)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (client.fileno() + 1, hard))
        try:
            client.connect(server.server_address)
            Sleep(0.02)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        client.sendall(b"hello\n")
        assert client.recv(10) == b"HELLO\n"
