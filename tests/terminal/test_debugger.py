# SPDX-License-Identifier: Apache-2.0
"""The debugger: stepping, Ctrl-C, jobs that go on behind it and jobs that are debugged."""

from __future__ import annotations

import sys

import pytest

from tests.support.terminal import Terminal

COUNT = "n = []; job = Spawn(lambda: [(Sleep(0.01), n.append(i)) for i in range(10**6)])"
PROGRAM = """
from cothread import Sleep

def double(x):
    return 2 * x

def work(x):
    breakpoint()
    a = double(x)
    Sleep(0.05)
    b = a + 1
    return b

def wait():
    breakpoint()
    print("going", "on")
    Sleep(1000)

from threading import Thread

def halve(x):
    breakpoint()
    a = x // 2
    print("half:", a)

def thread(x):
    Thread(target=halve, args=(x,), name=f"halver {x}").start()
"""
GATED = """
from threading import Barrier, Thread
from cothread import Event

event = Event()
barrier = Barrier(2)

def wait(for_what):
    print("1 waits")
    for_what()

def work(x, for_what=event.Wait):
    breakpoint()
    wait(for_what)
    print("1 went on")

def thread(x):
    Thread(target=work, args=(x, barrier.wait)).start()
"""


@pytest.fixture
def debugged(start, tmp_path) -> Terminal:
    """Return a shell with a job that counts, at prompt 4, and the module `program`."""
    (tmp_path / "program.py").write_text(PROGRAM)
    shell = start("--no-banner", rows=40, env={"PYTHONPATH": str(tmp_path)})
    shell.wait_prompt(1)
    shell.line("import program; from cothread import Spawn, Sleep")
    shell.wait_prompt(2)
    shell.line(COUNT)
    shell.wait_prompt(3)
    return shell


STOPS_AT_THE_CALL = sys.version_info >= (3, 13)
"""Whether `breakpoint()` stops before it returns, and not at the line after it."""


def reach(shell: Terminal) -> None:
    """Wait until the debugger stands at the line after `breakpoint()`."""
    shell.wait_match(r"^ipdb>$")
    if STOPS_AT_THE_CALL:
        answer(shell, "n", ">")


def answer(shell: Terminal, command: str, *shown: str) -> None:
    """Give the debugger a command on an empty screen and look for what it shows."""
    shell.key("ctrl-l")
    shell.wait_match(r"\Aipdb>$")
    shell.line(command)
    shell.wait_for(*shown)
    shell.wait_match(r"^ipdb>$")


def test_jobs_go_on_while_the_debugger_waits(shell):
    shell.line(COUNT)
    shell.wait_prompt(3)
    shell.line("exec('def f(x):\\n return 1 / x')")
    shell.wait_prompt(4)
    shell.line("f(0)")
    shell.wait_for("ZeroDivisionError")
    shell.wait_prompt(5)
    shell.line("%debug")
    shell.wait_match("^ipdb>$")
    shell.line("m = len(n)")
    shell.wait_match(r"^ipdb> m = len\(n\)\nipdb>$")
    shell.send("half")
    shell.key("ctrl-c")
    shell.line("Sleep(0.1), 'went on', len(n) > m, x")
    shell.wait_for("'went on', True, 0)")
    shell.line("q")
    shell.wait_prompt(6)
    shell.line("bool(job)")
    shell.wait_for("Out[6]: False")


def test_stepping_keeps_to_the_program(debugged):
    shell = debugged
    shell.line("program.work(5)")
    reach(shell)
    answer(shell, "s", "--Call--", "----> 4 def double(x):")
    answer(shell, "w", "<module>", "9     a = double(x)", "----> 4 def double(x):")
    answer(shell, "r", "--Return--", "----> 5     return 2 * x")
    answer(shell, "n", "---> 10     Sleep(0.05)")
    answer(shell, "p a", "10")
    # Neither the wait nor the jobs that run meanwhile are stepped through.
    answer(shell, "s", "---> 11     b = a + 1")
    answer(shell, "n", "---> 12     return b")
    answer(shell, "n", "--Return--", "---> 12     return b")
    answer(shell, "n", "Out[3]: 11", "--Return--", "----> 1 program.work(5)")
    shell.line("n")
    shell.wait_prompt(4)
    shell.line("import sys; sys.gettrace(), bool(job)")
    shell.wait_for("Out[4]: (None, False)")


def test_ctrl_c_in_the_debugger_and_after_it(debugged):
    shell = debugged
    shell.line("program.wait()")
    shell.wait_match(r"^ipdb>$")
    shell.send("half a line")
    shell.wait_for("ipdb> half a line")
    shell.key("ctrl-c")
    shell.wait_gone("half")
    shell.wait_match(r"^ipdb>$")
    # Typed just after Enter, it is for the command.
    shell.send("c\r\x03")
    shell.wait_for("--KeyboardInterrupt--")
    shell.wait_match(r"^ipdb>$")
    shell.line("c")
    shell.wait_match("^going on$")
    shell.key("ctrl-c")
    shell.wait_for("\nKeyboardInterrupt")
    shell.wait_prompt(4)
    shell.line("Sleep(1000)")
    shell.wait_match(r"^ 1 job$")
    shell.key("ctrl-c")
    shell.wait_prompt(5)
    shell.line("program.wait()")
    shell.wait_match(r"^ipdb>$")
    shell.line("q")
    shell.wait_prompt(6)
    shell.line("bool(job)")
    shell.wait_for("Out[6]: False")


def test_a_breakpoint_in_a_job_waits_for_the_operator(debugged):
    shell = debugged
    shell.line("%spawn program.work(7)")
    shell.wait_for("job 2 (program.work(7)): breakpoint(); %fg 2 goes there")
    shell.wait_prompt(4)
    shell.line("%fg 2")
    reach(shell)
    answer(shell, "n", "---> 10     Sleep(0.05)")
    answer(shell, "p a", "14")
    shell.line("c")
    shell.wait_for("Out[4]: 15")
    shell.line("%spawn program.work(8)")
    shell.wait_for("job 3 (program.work(8)): breakpoint(); %fg 3 goes there")
    shell.line("%kill 3")
    shell.wait_prompt(7)
    shell.line("bool(job)")
    shell.wait_for("Out[7]: False")


def test_a_breakpoint_in_a_thread(debugged):
    shell = debugged
    shell.line("program.thread(14)")
    shell.wait_for("job 2 (thread halver 14): breakpoint(); %fg 2 goes there")
    shell.line("%fg 2")
    reach(shell)
    answer(shell, "p x", "14")
    shell.key("ctrl-c")
    answer(shell, "n", 'print("half:", a)')
    answer(shell, "n", "half: 7", "--Return--")
    shell.line("n")
    shell.wait_prompt(5)
    shell.line("program.thread(16)")
    shell.wait_for("job 3 (thread halver 16): breakpoint(); %fg 3 goes there")
    shell.line("%kill 3")
    shell.wait_match("^half: 8$")
    shell.line("program.thread(18)")
    shell.wait_for("%fg 4 goes there")
    shell.line("%fg 4")
    shell.wait_match(r"^ipdb>$")
    shell.line("q")
    shell.wait_for("✗ thread halver 18: BdbQuit · %why 1")
    shell.wait_prompt(9)
    shell.line("bool(job)")
    shell.wait_for("Out[9]: False")
    shell.line("program.thread(20)")
    shell.wait_for("%fg 5 goes there")
    shell.line("exit")
    shell.wait_for("2 jobs running. Do you really want to exit")
    shell.line("y")
    assert shell.wait_end() == 0
    assert "half: 10" in shell.text
    assert "Traceback" not in "".join(shell.history)


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("%spawn gated.work(7)", "gated.event.Signal()"),
        ("gated.thread(7)", "gated.barrier.wait()"),
    ],
)
def test_a_debugger_that_was_left_asks_to_be_returned_to(start, tmp_path, begin, end):
    (tmp_path / "gated.py").write_text(GATED)
    shell = start("--no-banner", rows=40, env={"PYTHONPATH": str(tmp_path)})
    shell.wait_prompt(1)
    shell.line("import gated")
    shell.wait_prompt(2)
    shell.line(begin)
    shell.wait_for("breakpoint(); %fg 1 goes there")
    shell.line("%fg 1")
    reach(shell)
    shell.line("n")
    shell.wait_match("^1 waits$")
    shell.key("ctrl-z")
    shell.wait_for("goes on in the background")
    shell.key("ctrl-l")
    shell.line(end)
    shell.wait_for("; %fg 1 goes there")
    shell.line("%fg 1")
    shell.wait_match("^ipdb>$")
    answer(shell, "p x * 6", "42")
    shell.line("c")
    shell.wait_match("^1 went on$")


def test_the_environment_may_name_another_debugger(start):
    shell = start("--no-banner", env={"PYTHONBREAKPOINT": "builtins.print"})
    shell.wait_prompt(1)
    shell.line("breakpoint('no', 'debugger')")
    shell.wait_match("^no debugger$")
    shell.wait_prompt(2)


def test_without_a_place_for_its_history(start, home):
    home["HOME"] = "/proc"
    shell = start("--no-banner", env={"IPYTHONDIR": home["IPYTHONDIR"]})
    shell.wait_prompt(1)
    shell.line("breakpoint()")
    shell.wait_match(r"^ipdb>$")
    shell.line("q")
    shell.wait_prompt(2)


def test_on_a_terminal_that_cannot_be_painted_on(start, tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    shell = start("--no-banner", env={"PYTHONPATH": str(tmp_path), "TERM": "dumb"}, rows=40)
    shell.wait_prompt(1)
    shell.line("import program; program.thread(14)")
    shell.wait_for("thread halver 14: breakpoint() is passed over on this terminal", "half: 7")
    shell.line("program.work(5)")
    steps = [("n", "Sleep(0.05)"), ("s", "b = a + 1"), ("p a", "\n10\n")]
    for command, shown in [("n", "a = double(x)")] * STOPS_AT_THE_CALL + steps:
        shell.wait_match(r"^ipdb>\s*\Z")
        shell.line(command)
        shell.wait_for(shown)
    shell.wait_match(r"^ipdb>\s*\Z")
    shell.line("c")
    shell.wait_for("Out[2]: 11")
