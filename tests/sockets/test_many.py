# SPDX-License-Identifier: Apache-2.0
"""Thousands of descriptors, and descriptors in the child of a fork."""

import multiprocessing
import os
import resource
import socket

import pytest

from cothread import Sleep, Spawn, WaitForAll, Yield, cosocket
from cothread.scheduler import scheduler

MANY = 5000


@pytest.fixture
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = MANY + 200
    if hard != resource.RLIM_INFINITY and hard < needed:
        pytest.skip(f"the system allows {hard} descriptors, this needs {needed}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_thousands_of_descriptors_waited_for_at_once(many_descriptors):
    pairs = [cosocket.socketpair() for _ in range(MANY // 2)]
    tasks = [Spawn(one.recv, 10) for one, _ in pairs]
    Yield(None)
    assert scheduler.poller.count == MANY // 2
    for number, (_, other) in enumerate(pairs):
        other.send(b"%d" % number)
    assert WaitForAll(tasks, 60) == [b"%d" % number for number in range(MANY // 2)]
    assert scheduler.poller.count == 0
    for pair in pairs:
        for sock in pair:
            sock.close()


def test_descriptors_above_1023_can_be_selected(many_descriptors):
    from cothread import coselect

    pairs = [cosocket.socketpair() for _ in range(600)]
    one, other = pairs[-1]
    assert one.fileno() > 1023
    other.send(b"x")
    assert coselect.select([one], [], [], 5) == ([one], [], [])
    for pair in pairs:
        for sock in pair:
            sock.close()


def _serve_in_child(listener: cosocket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        Sleep(0.01)
        connection.sendall(connection.recv(100).upper())


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_the_child_of_a_fork_uses_sockets_and_the_parent_too(listener):
    background = Spawn(listener.accept)
    Yield()
    child = multiprocessing.get_context("fork").Process(target=_serve_in_child, args=(listener,))
    background.Cancel()
    child.start()
    with cosocket.create_connection(listener.getsockname(), timeout=10) as client:
        client.sendall(b"hello")
        assert client.recv(100) == b"HELLO"
    child.join(10)
    assert child.exitcode == 0
    child.close()


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_what_the_child_does_leaves_the_parents_waits_alone(pair):
    one, other = pair
    task = Spawn(one.recv, 1)
    Yield()
    pid = os.fork()
    if not pid:
        status = 1
        try:
            # Its scheduler is empty: only this one waits for the descriptor here.
            mine, its = socket.socketpair()
            reader = Spawn(cosocket.socket(_sock=mine).recv, 1)
            its.send(b"c")
            assert reader.Wait(5) == b"c"
            one.close()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0) == (pid, 0)
    assert not task
    other.send(b"p")
    assert task.Wait(5) == b"p"
