# SPDX-License-Identifier: Apache-2.0
"""Closing cooperative sockets: whoever waits for one is told."""

import errno
import threading

import pytest

from cothread import Sleep, Yield, cosocket

# More than the system takes from one who does not read.
BIG = bytes(5_000_000)


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
