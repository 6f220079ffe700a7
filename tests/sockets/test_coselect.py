# SPDX-License-Identifier: Apache-2.0
"""Waiting for descriptors."""

import contextlib
import fcntl
import os
import select
import socket
import threading

import pytest

import cothread
from cothread import Sleep, Spawn, Timedout, WaitForAll, WasCancelled, Yield, coselect
from cothread.coselect import (
    POLLERR,
    POLLEXTRA,
    POLLHUP,
    POLLIN,
    POLLNVAL,
    POLLOUT,
    POLLPRI,
    SelectError,
    poll_block,
    poll_list,
    wait_readable,
    wait_writable,
)
from cothread.scheduler import scheduler


@pytest.fixture
def pipe():
    reader, writer = os.pipe()
    yield reader, writer
    for fd in (reader, writer):
        with contextlib.suppress(OSError):
            os.close(fd)


@pytest.fixture
def bad_fd():
    """Return a descriptor that is not open, nor will be soon."""
    fd = fcntl.fcntl(0, fcntl.F_DUPFD, 200)
    os.close(fd)
    return fd


def test_constants_are_those_of_the_system():
    for name in dir(select):
        if name.startswith("POLL"):
            assert getattr(coselect, name) == getattr(select, name)
            assert getattr(cothread, name) == getattr(select, name)
    assert POLLEXTRA == POLLERR | POLLHUP | POLLNVAL


# -- poll_list


def test_poll_list_returns_what_happened(pipe):
    reader, writer = pipe
    os.write(writer, b"x")
    assert dict(poll_list([(reader, POLLIN), (writer, POLLOUT)])) == {
        reader: POLLIN,
        writer: POLLOUT,
    }
    assert dict(poll_list([(reader, POLLIN)], 0)) == {reader: POLLIN}


def test_poll_list_is_empty_at_the_timeout(pipe):
    assert not poll_list([(pipe[0], POLLIN)], 0.01)
    assert not poll_list([(pipe[0], POLLIN)], 0)
    assert not poll_list([], 0.01)


def test_poll_list_suspends_even_when_ready(pipe):
    os.write(pipe[1], b"x")
    ran = []
    Spawn(ran.append, 1)
    poll_list([(pipe[0], POLLIN)])
    assert ran


def test_masks_of_the_same_descriptor_are_joined():
    one, other = socket.socketpair()
    with one, other:
        other.send(b"x")
        events = poll_list([(one, POLLIN), (one.fileno(), POLLOUT)])
        assert dict(events) == {one.fileno(): POLLIN | POLLOUT}


def test_a_bad_descriptor_is_named_at_once(bad_fd, pipe):
    assert dict(poll_list([(bad_fd, POLLIN)])) == {bad_fd: POLLNVAL}
    assert dict(poll_list([(pipe[0], POLLIN), (bad_fd, POLLIN)])) == {bad_fd: POLLNVAL}
    with socket.socket() as sock:
        pass
    assert dict(poll_list([(sock, POLLIN)])) == {-1: POLLNVAL}
    with pytest.raises(OSError, match="Bad file descriptor"):
        wait_readable(bad_fd)
    with pytest.raises(OSError, match="is closed"):
        wait_writable(sock)


def test_a_hang_up_is_always_reported(pipe):
    os.close(pipe[1])
    assert dict(poll_list([(pipe[0], POLLIN)])) == {pipe[0]: POLLHUP}
    assert dict(poll_list([(pipe[0], 0)])) == {pipe[0]: POLLHUP}


def test_plain_files_are_always_ready(tmp_path):
    with (tmp_path / "file").open("wb") as file:
        assert dict(poll_list([(file, POLLIN | POLLOUT)])) == {file.fileno(): POLLIN | POLLOUT}
        wait_readable(file)
        wait_writable(file)


def test_each_event_is_for_one_waiter(pipe):
    reader, writer = pipe
    got = []

    def read(name):
        wait_readable(reader)
        # Would block the process if another had been woken for the same byte.
        got.append((name, os.read(reader, 1)))

    tasks = [Spawn(read, name) for name in "abc"]
    Yield()
    os.write(writer, b"x")
    tasks[0].Wait(5)
    Sleep(0.01)
    assert got == [("a", b"x")]
    os.write(writer, b"yz")
    WaitForAll(tasks, 5)
    assert got == [("a", b"x"), ("b", b"y"), ("c", b"z")]


def test_reader_and_writer_of_one_socket_are_woken_apart():
    one, other = socket.socketpair()
    with one, other:
        one.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                one.send(bytes(65536))
        reader, writer = Spawn(wait_readable, one), Spawn(wait_writable, one)
        Yield()
        other.send(b"x")
        reader.Wait(5)
        assert not writer
        other.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                other.recv(65536)
        writer.Wait(5)


def test_a_waiter_that_was_cancelled_takes_no_event(pipe):
    reader, writer = pipe
    first, second = Spawn(wait_readable, reader), Spawn(wait_readable, reader)
    Yield()
    os.write(writer, b"x")
    first.Cancel()
    second.Wait(5)
    with pytest.raises(WasCancelled):
        first.Wait(5)


def test_nothing_is_left_registered(pipe):
    for _ in range(3):
        poll_list([(pipe[0], POLLIN), (pipe[1], POLLIN)], 0.001)
    task = Spawn(poll_list, [(pipe[0], POLLIN)])
    Yield()
    task.Cancel()
    Yield()
    assert scheduler.poller.count == 0


def test_a_descriptor_closed_and_used_again(pipe):
    for _ in range(3):
        one, other = os.pipe()
        os.write(other, b"x")
        assert dict(poll_list([(one, POLLIN)], 5)) == {one: POLLIN}
        os.close(one)
        os.close(other)


def test_closing_what_is_waited_for_wakes_with_an_error(pipe):
    task = Spawn(wait_readable, pipe[0], raise_on_wait=True)
    Yield()
    scheduler.poller.closed(pipe[0])
    os.close(pipe[0])
    with pytest.raises(OSError, match="Bad file descriptor"):
        task.Wait(5)


def test_wait_readable_times_out(pipe):
    with pytest.raises(Timedout, match=f"descriptor {pipe[0]}"):
        wait_readable(pipe[0], 0.01)


def test_poll_block_holds_up_everybody(pipe):
    ran = []
    Spawn(ran.append, 1)
    assert poll_block([(pipe[0], POLLIN)], 0.01) == []
    os.write(pipe[1], b"x")
    assert poll_block([(pipe[0], POLLIN)]) == [(pipe[0], POLLIN)]
    assert not ran
    Yield()


def test_a_foreign_thread_may_not_wait_cooperatively(pipe):
    caught = []

    def wait():
        try:
            poll_list([(pipe[0], POLLIN)], 1)
        except cothread.WrongThread as exc:
            caught.append(exc)

    thread = threading.Thread(target=wait)
    thread.start()
    thread.join()
    assert "from another thread" in str(caught[0])


# -- select


def test_select_returns_what_was_given(pipe):
    reader, writer = pipe
    with open(reader, "rb", closefd=False) as file:
        assert coselect.select([file], [writer], [file], 5) == ([], [writer], [])
        os.write(writer, b"x")
        assert coselect.select([file, reader], [writer], []) == ([file, reader], [writer], [])
        assert coselect.select([file], [], []) == ([file], [], [])


def test_select_times_out(pipe):
    assert coselect.select([pipe[0]], [], [], 0.01) == ([], [], [])
    assert coselect.select([], [], [], 0.01) == ([], [], [])


def test_select_of_urgent_data():
    with socket.create_server(("127.0.0.1", 0)) as server:
        one = socket.create_connection(server.getsockname())
        other, _ = server.accept()
        with one, other:
            one.send(b"!", socket.MSG_OOB)
            assert coselect.select([], [], [other], 5) == ([], [], [other])


def test_select_raises_what_failed(pipe, bad_fd):
    os.close(pipe[1])
    with pytest.raises(SelectError, match="Select error: File descriptor disconnected") as caught:
        coselect.select([pipe[0]], [], [], 5)
    assert caught.value.flags == POLLHUP
    assert caught.value.descriptors == (pipe[0],)
    with pytest.raises(SelectError, match="Select error: Invalid descriptor") as caught:
        coselect.select([bad_fd], [], [])
    assert caught.value.flags == POLLNVAL


def test_select_error_joins_the_reasons():
    text = "Select error: Error on file descriptor, File descriptor disconnected"
    assert str(SelectError(POLLERR | POLLHUP)) == text


# -- poll


def test_poll_object(pipe):
    reader, writer = pipe
    poll = coselect.poll()
    poll.register(reader)
    assert poll.poll(10) == []
    os.write(writer, b"x")
    assert poll.poll() == [(reader, POLLIN)]
    assert poll.poll(-1) == [(reader, POLLIN)]
    poll.modify(reader, POLLPRI)
    assert poll.poll(10) == []
    poll.register(writer, POLLOUT)
    assert poll.poll(1000) == [(writer, POLLOUT)]
    poll.unregister(writer)
    with pytest.raises(KeyError):
        poll.unregister(writer)
    with pytest.raises(FileNotFoundError):
        poll.modify(writer, POLLIN)


def test_select_hook(pipe, hooks_undone):
    reader, writer = pipe
    coselect.select_hook()
    ran = []
    Spawn(ran.append, 1)
    assert select.select([reader], [writer], [], 5) == ([], [writer], [])
    poll = select.poll()
    poll.register(reader, POLLIN)
    assert poll.poll(1) == []
    assert ran == [1]


def test_hooked_functions_block_ordinary_threads_only(pipe, hooks_undone):
    coselect.select_hook()
    got = []

    def wait():
        got.append(select.select([pipe[0]], [], [], 10))
        poll = select.poll()
        poll.register(pipe[0], POLLIN)
        got.append(poll.poll(10000))

    thread = threading.Thread(target=wait)
    thread.start()
    Sleep(0.01)
    os.write(pipe[1], b"x")
    thread.join()
    assert got == [([pipe[0]], [], []), [(pipe[0], POLLIN)]]
