# SPDX-License-Identifier: Apache-2.0
"""Host names are looked up beside everything else; functions that block run in threads."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

import cothread
from cothread import Event, Sleep, Spawn, cosocket, in_thread
from cothread.resolving import addresses


@pytest.fixture
def slow_names(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Have names answered only once the event is set; numbers are answered at once."""
    answer = threading.Event()
    usual = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kargs: Any) -> Any:
        if not kargs.get("flags", 0) & socket.AI_NUMERICHOST:
            assert answer.wait(30)
            host = "127.0.0.1"
        return usual(host, *args, **kargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return answer


@pytest.fixture
def listener() -> Any:
    with cosocket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server


def test_others_run_during_a_look_up(slow_names: threading.Event, listener: Any) -> None:
    port = listener.getsockname()[1]

    def connect() -> Any:
        with cosocket.create_connection(("slow.example", port), 30) as connection:
            return connection.getpeername()

    connecting = Spawn(connect, raise_on_wait=True)
    Sleep(0.02)
    assert not connecting
    slow_names.set()
    assert connecting.Wait(30) == ("127.0.0.1", port)


def test_connect_takes_names(slow_names: threading.Event, listener: Any) -> None:
    slow_names.set()
    with cosocket.socket() as connection:
        connection.connect(("slow.example", listener.getsockname()[1]))
        assert connection.getpeername() == listener.getsockname()


def test_numbers_need_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Thread, "start", lambda _thread: pytest.fail("a thread"))
    assert addresses("127.0.0.1", 80)[0][4] == ("127.0.0.1", 80)
    assert addresses("127.0.0.2", None)[0][4][0] == "127.0.0.2"


def test_unknown_names_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_args: Any, **_kargs: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    with pytest.raises(socket.gaierror, match="not known"):
        cosocket.create_connection(("nobody.example", 80))
    with pytest.raises(socket.gaierror, match="not known"), cosocket.socket() as connection:
        connection.connect(("nobody.example", 80))


@pytest.mark.parametrize("address", [("127.0.0.1",), ("127.0.0.1", "http"), 7, ("", 0)])
def test_bad_addresses_are_as_the_systems_socket_says(address: Any) -> None:
    def attempt(kind: type[socket.socket]) -> Any:
        with kind(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            try:
                return sock.connect(address)
            except (OSError, TypeError) as exc:
                return type(exc), str(exc).replace("connect_ex()", "connect()")

    assert attempt(cosocket.socket) == attempt(socket.socket)


def test_in_thread_returns_and_raises() -> None:
    threads = {threading.get_ident()}

    def work(value: int) -> int:
        threads.add(threading.get_ident())
        return 10 // value

    assert in_thread(work, 5) == 2
    assert len(threads) == 2
    with pytest.raises(ZeroDivisionError):
        in_thread(work, 0)


def test_in_thread_can_be_cancelled() -> None:
    began, go_on = Event(), threading.Event()

    def work() -> None:
        cothread.Callback(began.Signal)
        assert go_on.wait(30)

    waiting = Spawn(in_thread, work)
    began.Wait(30)
    waiting.Cancel()
    with pytest.raises(cothread.WasCancelled):
        waiting.Wait(30)
    go_on.set()


def test_in_thread_from_a_thread_is_a_plain_call() -> None:
    assert in_thread(lambda: in_thread(threading.get_ident)) != threading.get_ident()
