# SPDX-License-Identifier: Apache-2.0
"""The demo machine as a process: it serves, it restarts, and it never outlives its parent."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

import cothread
import cothread.coselect
from catools.protocol.framing import datagram_version, search_frame
from catools.protocol.search import search_replies
from coshell.demo import machine as machine_module
from coshell.demo.machine import INSTALL_HINT, DemoMachine, DemoUnavailable

pytest.importorskip("epicscorelibs")

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 30.0


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Wait for a condition; fail naming it when it does not come true in time."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that only waits to be buried does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def accepts(port: int) -> bool:
    """Tell whether something listens on a port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


@pytest.fixture
def machine() -> Iterator[DemoMachine]:
    """Provide a running machine."""
    one = DemoMachine()
    one.start()
    yield one
    one.stop()


def test_runs_and_stops(machine: DemoMachine):
    pid, port = machine.pid, machine.port
    assert pid
    assert machine.running
    assert accepts(port)
    assert "iocRun" in machine.output()
    machine.start()  # running already: nothing happens
    assert machine.pid == pid
    machine.stop()
    assert not machine.running
    assert machine.pid is None
    assert not alive(pid)
    assert not accepts(port)
    assert (machine.names(), machine.output()) == ([], "")
    machine.stop()


def test_the_list_for_completion_is_what_the_machine_serves(machine: DemoMachine):
    lines = (ROOT / "profiles/demo/pvs.txt").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == machine.names()


def test_comes_back_on_the_same_port_after_a_crash(machine: DemoMachine):
    pid, port, environment = machine.pid, machine.port, machine.env
    assert pid
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not machine.running, "the machine is dead")
    assert machine.pid is None
    machine.start()
    assert machine.pid not in (None, pid)
    assert (machine.port, machine.env) == (port, environment)
    assert accepts(port)


def test_two_machines_run_side_by_side(machine: DemoMachine):
    other = DemoMachine("OTHER:")
    other.start()
    try:
        assert other.port != machine.port
        assert accepts(other.port)
        assert [name.replace("OTHER:", "DEMO:") for name in other.names()] == machine.names()
    finally:
        other.stop()
    assert accepts(machine.port)


def test_says_so_when_its_port_was_taken_meanwhile(machine: DemoMachine):
    machine.stop()
    with (
        socket.create_server(("127.0.0.1", machine.port)),
        pytest.raises(DemoUnavailable, match=f"port {machine.port} was taken"),
    ):
        machine.start()
    machine.start()
    assert accepts(machine.port)


def test_a_start_that_fails_shows_the_last_line_of_the_log(monkeypatch, tmp_path):
    broken = tmp_path / "ioc.py"
    broken.write_text("raise SystemExit('no such database')\n")
    monkeypatch.setattr(machine_module, "PROGRAM", broken)
    machine = DemoMachine()
    with pytest.raises(DemoUnavailable, match="ended while starting: no such database"):
        machine.start()
    assert machine.pid is None
    assert machine.output() == ""


PARENT = """
import sys, threading
from coshell.demo.machine import DemoMachine
machine = DemoMachine()
if "thread" in sys.argv:
    starter = threading.Thread(target=machine.start)
    starter.start(); starter.join()
else:
    machine.start()
print(machine.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("way", ["kernel", "thread", "frozen"])
def test_dies_when_its_parent_is_killed(way):
    """By the kernel's signal, by the end of its standard input, and even when it is stopped."""
    if way == "frozen" and sys.platform != "linux":
        pytest.skip("only Linux signals a child whose parent has died")
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, way],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert alive(child)
        if way == "frozen":
            os.kill(child, signal.SIGSTOP)
        parent.kill()
        wait_until(lambda: not alive(child), "the machine ends with its parent")


@pytest.mark.parametrize("prefix", ["DEMO:", "OTHER:"])
def test_runs_alone_in_the_foreground(prefix: str):
    command = [sys.executable, "-m", "coshell.demo"]
    if prefix != "DEMO:":
        command += ["--prefix", prefix]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as program:
        assert program.stdout
        settings = {}
        while (line := program.stdout.readline()).startswith("export "):
            name, _, value = line.removeprefix("export ").strip().partition("=")
            settings[name] = value
        assert "Ctrl-C" in line
        assert accepts(int(settings["EPICS_CA_SERVER_PORT"]))
        client = [sys.executable, "-m", "catools", "caget", "-t", "-w", "10", f"{prefix}ENERGY"]
        seen = {**os.environ, **settings}
        assert subprocess.check_output(client, env=seen, cwd=ROOT, timeout=30) == b"3\n"
        program.send_signal(signal.SIGINT)
        assert program.wait(DEADLINE_S) == 0
    wait_until(lambda: not accepts(int(settings["EPICS_CA_SERVER_PORT"])), "the port is closed")


def test_other_work_goes_on_while_it_comes_up():
    machine = DemoMachine()
    machine.launch()
    try:
        assert machine.running
        assert machine.names() == []
        machine.launch()  # under way already: nothing happens
        machine.wait()
        assert accepts(machine.port)
        assert machine.names()
        machine.wait()
    finally:
        machine.stop()


def test_other_cothreads_run_while_it_comes_up():
    def until_readable(descriptor: int, timeout_s: float) -> bool:
        cothread.coselect.wait_readable(descriptor, timeout_s)
        return True

    turns = 0

    def count() -> None:
        nonlocal turns
        while True:
            cothread.Sleep(0.01)
            turns += 1

    counter = cothread.Spawn(count)
    machine = DemoMachine(until_readable=until_readable)
    machine.start()
    machine.stop()
    counter.Cancel()
    assert turns > 3


def test_another_port_is_tried_when_the_first_is_taken(monkeypatch):
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    first = iter([port])
    choose = machine_module.free_port
    monkeypatch.setattr(machine_module, "free_port", lambda: next(first, 0) or choose())
    machine = DemoMachine()
    with taken:
        machine.start()
    assert machine.port != port
    assert accepts(machine.port)
    machine.stop()


def test_ctrl_c_in_the_terminal_does_not_reach_the_machine(machine: DemoMachine):
    assert machine.pid
    assert os.getpgid(machine.pid) != os.getpgid(0)


def test_without_the_extra_one_line_says_how_to_get_it():
    program = (
        "import sys; sys.modules['epicscorelibs'] = None\n"
        "from coshell.demo.machine import run_in_foreground\n"
        "sys.exit(run_in_foreground())"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert run.returncode == 1
    assert run.stdout == ""
    assert run.stderr == INSTALL_HINT + "\n"


def test_answers_searches_as_soon_as_it_has_started(machine: DemoMachine):
    question = datagram_version(1) + search_frame(7, b"DEMO:CURRENT")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.sendto(question, ("127.0.0.1", machine.port))
        readable, _, _ = select.select([udp], [], [], DEADLINE_S)
        assert readable, "nobody answered"
        ((cids, _, port, _),) = search_replies(udp.recv(1024), "127.0.0.1")
    assert (cids, port) == ((7,), machine.port)
