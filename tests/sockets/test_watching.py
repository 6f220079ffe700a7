# SPDX-License-Identifier: Apache-2.0
"""Having a function called whenever a descriptor is readable."""

import socket
import time
from itertools import pairwise

import pytest

import cothread
from cothread import CothreadError, Event, Sleep, Spawn, Yield, hooks
from cothread.coselect import POLLNVAL, Watching, closing, poll_list, wait_writable
from cothread.scheduler import scheduler

READABLE = cothread.POLLIN


class Inlet:
    """Reads what arrives at one end of a pair of sockets."""

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair()
        self.near.setblocking(False)
        self.read: list[bytes] = []
        self.arrived: Event[None] = Event()
        self.watching = Watching(self.near, self.take, "the inlet")

    def take(self) -> None:
        self.read.append(self.near.recv(1))
        self.arrived.Signal()

    def close(self) -> None:
        if self.near.fileno() >= 0:
            closing(self.near)
        self.near.close()
        self.far.close()


@pytest.fixture
def inlet():
    inlet = Inlet()
    yield inlet
    inlet.close()


@pytest.fixture
def told():
    reports = []
    previous = hooks.set_report(lambda where, exc, _task: reports.append((where, exc)))
    yield reports
    hooks.set_report(previous)


@pytest.fixture
def now():
    """Stop the scheduler's clock; whoever likes moves it on."""
    moment = [time.monotonic()]
    scheduler.use_clock(lambda: moment[0])
    yield moment
    scheduler.use_clock(time.monotonic)


def test_it_is_called_until_everything_is_read(inlet):
    inlet.far.send(b"abc")
    while len(inlet.read) < 3:
        inlet.arrived.Wait(5)
    inlet.far.send(b"d")
    inlet.arrived.Wait(5)
    assert inlet.read == [b"a", b"b", b"c", b"d"]


def test_it_is_called_while_others_are_always_ready(inlet):
    inlet.far.send(b"a")
    deadline = time.monotonic() + 5
    while not inlet.read and time.monotonic() < deadline:
        Yield()
    assert inlet.read == [b"a"]


def test_a_pause(inlet):
    inlet.watching.pause()
    inlet.watching.pause()
    inlet.far.send(b"a")
    assert dict(poll_list([(inlet.near, READABLE)], 5)) == {inlet.near.fileno(): READABLE}
    Yield()
    assert inlet.read == []
    inlet.watching.resume()
    inlet.watching.resume()
    inlet.arrived.Wait(5)
    assert inlet.read == [b"a"]


def test_it_is_told_of_the_end(inlet):
    inlet.far.close()
    inlet.arrived.Wait(5)
    assert inlet.read[0] == b""


def test_others_may_wait_for_the_same_descriptor(inlet):
    """A writer is woken, and does not keep the watch from going on."""
    while True:
        try:
            inlet.near.send(bytes(65536))
        except BlockingIOError:
            break
    writer = Spawn(wait_writable, inlet.near, 5)
    Yield()
    inlet.far.send(b"a")
    inlet.arrived.Wait(5)
    assert not writer
    inlet.far.setblocking(False)
    while not writer:
        Yield()
        try:
            inlet.far.recv(65536)
        except BlockingIOError:
            Sleep(0)
    writer.Wait()
    inlet.far.send(b"b")
    while len(inlet.read) < 2:
        inlet.arrived.Wait(5)
    assert inlet.read == [b"a", b"b"]


def test_closing_ends_it_and_tells_those_who_wait(inlet):
    waiting = Spawn(poll_list, [(inlet.near, READABLE)], 5)
    Yield()
    fd = inlet.near.fileno()
    closing(inlet.near)
    inlet.near.close()
    ((_, events),) = waiting.Wait(5)
    assert events == POLLNVAL
    assert not scheduler.poller.watches(fd)
    # The same number, for something else.
    reader, other = socket.socketpair()
    try:
        other.send(b"x")
        assert dict(poll_list([(reader, READABLE)], 5)) == {reader.fileno(): READABLE}
    finally:
        reader.close()
        other.close()
    assert inlet.read == []


def test_what_it_raises_is_reported_and_it_goes_on(inlet, told):
    take, wrong = inlet.watching._watch.action, ValueError("wrong")

    def fail():
        take()
        raise wrong

    inlet.watching._watch.action = fail
    inlet.far.send(b"ab")
    while len(inlet.read) < 2:
        inlet.arrived.Wait(5)
    assert told == [("the inlet raised an exception", wrong)] * 2


def test_it_may_not_suspend(inlet, told):
    def suspend():
        inlet.take()
        Sleep(1)

    inlet.watching._watch.action = suspend
    inlet.far.send(b"a")
    inlet.arrived.Wait(5)
    ((_, error),) = told
    assert isinstance(error, CothreadError)
    assert "Spawn" in str(error)


def test_one_that_raises_to_the_main_program(inlet):
    """KeyboardInterrupt in the middle reaches the main program, and the watch goes on."""

    def interrupt():
        inlet.take()
        inlet.watching._watch.action = inlet.take
        raise KeyboardInterrupt

    inlet.watching._watch.action = interrupt
    inlet.far.send(b"ab")
    with pytest.raises(KeyboardInterrupt):
        Sleep(5)
    while len(inlet.read) < 2:
        inlet.arrived.Wait(5)
    assert inlet.read == [b"a", b"b"]


def test_it_leaves_others_as_much_time_as_it_takes(inlet, now):
    calls = []

    def slow():
        calls.append(now[0])
        now[0] += 1.0

    inlet.watching._watch.action = slow
    inlet.far.send(b"a")
    Yield()
    for _ in range(40):
        now[0] += 0.25
        Yield()
    inlet.watching.pause()
    assert len(calls) > 1
    assert all(later - earlier == 2.0 for earlier, later in pairwise(calls))


def test_what_held_everything_up_is_named(inlet, now):
    def slow():
        inlet.take()
        now[0] += 7.0

    inlet.watching._watch.action = slow
    stalls = []
    previous = hooks.set_stall_hook(stalls.append)
    try:
        inlet.far.send(b"a")
        inlet.arrived.Wait(5)
    finally:
        hooks.set_stall_hook(previous)
    (stall,) = stalls
    assert (stall.name, stall.held_s) == ("the inlet", 7.0)


def test_a_bad_descriptor_is_refused():
    with pytest.raises(OSError, match="Bad file descriptor"):
        Watching(1000, list, "nothing")
