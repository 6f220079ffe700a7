# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C, Ctrl-D and Ctrl-\\: whom they reach, and whom they must not."""

from __future__ import annotations

import os
import re
import signal

import pytest

from tests.support.terminal import Terminal


def begin(shell: Terminal, cell: str, number: int) -> None:
    """Run a cell that says when it has begun."""
    shell.line(f"print('be' + 'gun'); {cell}")
    shell.wait_for("begun")
    assert f"In [{number}]" not in shell.text


def test_at_the_prompt_it_clears_the_line(shell):
    shell.send("half a line")
    shell.wait_for("In [2]: half a line")
    shell.key("ctrl-c")
    shell.wait_gone("half")
    shell.line("1 + 1")
    shell.wait_for("Out[2]: 2")


def test_a_signal_from_outside_is_like_the_key(shell):
    shell.send("half a line")
    shell.wait_for("In [2]: half a line")
    os.kill(shell.process.pid, signal.SIGINT)
    shell.wait_gone("half")
    shell.line("1 + 1")
    shell.wait_for("Out[2]: 2")


def test_in_a_cell_it_interrupts_the_foreground_only(shell):
    shell.line("n = []; job = Spawn(lambda: [(Sleep(0.01), n.append(i)) for i in range(10**6)])")
    number = 3
    for cell in (
        "Sleep(1000)",
        "Event().Wait()",
        "Spawn(Sleep, 1000).Wait()",
        "import asyncio; await asyncio.sleep(1000)",
        "exec('while True: pass')",
        "import time; time.sleep(1000)",
    ):
        shell.wait_prompt(number)
        shell.line("%clear")
        shell.wait_prompt(number + 1)
        begin(shell, cell, number + 2)
        shell.key("ctrl-c")
        shell.wait_for("KeyboardInterrupt")
        shell.wait_prompt(number + 2)
        shell.line("m = len(n); Sleep(0.2); bool(job), len(n) > m")
        shell.wait_for(f"Out[{number + 2}]: (False, True)")
        assert "%why" not in shell.text
        number += 3


def test_in_the_librarys_own_code_it_reaches_a_cell_that_never_suspends_later(shell):
    """What would be raised at the next suspension is raised by the watchdog where there is none."""
    shell.line("from cothread.interrupts import request_interrupt")
    shell.wait_prompt(3)
    shell.line("request_interrupt(); exec('while True: pass')")
    shell.wait_for("KeyboardInterrupt")
    shell.wait_prompt(4)


@pytest.mark.parametrize("waits", ["Sleep(1000)", "__import__('time').sleep(1000)"])
def test_just_after_enter_it_interrupts_the_cell_that_begins(shell, waits):
    number = 2
    for delay_s in (None, 0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05):
        cell = f"{waits}; print('to the', 'end')"
        if delay_s is None:
            shell.send(f"{cell}\r\x03")
        else:
            shell.line(cell)
            shell.look(delay_s)
            shell.key("ctrl-c")
        number += 1
        shell.wait_prompt(number)
    history = "\n".join(shell.history)
    assert history.count("KeyboardInterrupt") == 8
    assert "to the end" not in history


def test_what_is_typed_after_it_is_kept_for_the_next_prompt(shell):
    shell.send("Sleep(1000)\rdropped\x036 * 7\r")
    shell.wait_for("KeyboardInterrupt", "Out[3]: 42")
    assert "dropped" not in "\n".join(shell.history)


def test_what_was_typed_before_it_with_the_cell_is_let_go(shell):
    """The prompt reads the keys after Enter along with it, and keeps them for the next prompt."""
    shell.send("print('be' + 'gun'); Sleep(1000)\rhalf a line")
    shell.wait_for("begun")
    shell.key("ctrl-c")
    shell.wait_prompt(3)
    shell.line("1 + 1")
    shell.wait_for("Out[3]: 2")


def test_typed_before_a_job_is_known_to_hold_everything_it_breaks_it(shell, open_gate, tmp_path):
    begun = tmp_path / "begun"
    shell.line(f'exec(\'def spin():\\n gate.sleep(); open("{begun}", "x")\\n while True: pass\')')
    shell.wait_prompt(3)
    shell.line("good = Spawn(Sleep, 1000); bad = Spawn(spin)")
    shell.wait_prompt(4)
    open_gate()
    shell.wait_until(begun.exists, "the job holds everything")
    shell.send("half\x03bool(good), bool(bad)\r")
    shell.wait_for("✗ job 2 (spin): KeyboardInterrupt", "Out[4]: (False, True)")


def test_twice_at_once_is_once(shell):
    begin(shell, "Sleep(1000)", 3)
    os.kill(shell.process.pid, signal.SIGINT)
    os.kill(shell.process.pid, signal.SIGINT)
    shell.wait_for("KeyboardInterrupt")
    shell.wait_prompt(3)
    shell.line("'still', 'here'")
    shell.wait_for("Out[3]: ('still', 'here')")


def test_cleanup_code_of_the_cell_runs(shell):
    shell.line(
        'exec(\'def f():\\n try: print("be" + "gun"); Sleep(1000)\\n\''
        ' \' finally: Sleep(0.1); print("cleaned", "up")\')'
    )
    shell.wait_prompt(3)
    shell.line("f()")
    shell.wait_for("begun")
    shell.key("ctrl-c")
    shell.wait_for("cleaned up", "KeyboardInterrupt")
    shell.wait_prompt(4)


def test_the_quit_key_and_signal_do_not_end_the_session(shell, open_gate):
    shell.key("ctrl-\\")
    shell.line("1 + 1")
    shell.wait_for("Out[2]: 2")
    begin(shell, "gate.sleep()", 4)
    shell.key("ctrl-\\")
    open_gate()
    shell.wait_prompt(4)
    os.kill(shell.process.pid, signal.SIGQUIT)
    shell.line("2 + 2")
    shell.wait_for("Out[4]: 4")


def test_leaving_asks_and_may_be_declined(shell):
    shell.line("job = Spawn(Sleep, 1000)")
    shell.wait_prompt(3)
    shell.key("ctrl-d")
    shell.wait_for("1 job running. Do you really want to exit")
    shell.line("n")
    shell.wait_prompt(3)
    shell.line("bool(job)")
    shell.wait_for("Out[3]: False")
    shell.line("exit")
    shell.wait_match(r"(?s)In \[4\]: exit.*1 job running. Do you really want to exit")
    shell.line("n")
    shell.wait_prompt(5)
    shell.key("ctrl-d")
    shell.wait_match(r"(?s)In \[5\]:.*1 job running. Do you really want to exit")
    shell.line("y")
    assert shell.wait_end() == 0


def test_jobs_clean_up_before_their_names_are_gone(shell):
    shell.line("exec('def f():\\n try: Sleep(1000)\\n finally: print(words)')")
    shell.line("words = 'cleaned' + ' up'; Spawn(f); n = []")
    shell.line("job = Spawn(lambda: [(Sleep(0.001), n.append(i)) for i in range(10**6)])")
    shell.wait_for("2 jobs")
    shell.key("ctrl-d")
    shell.wait_for("2 jobs running. Do you really want to exit")
    shell.line("y")
    assert shell.wait_end() == 0
    assert "cleaned up" in shell.text
    assert "Error" not in shell.text


def test_the_terminal_is_given_back_as_it_was(start):
    shell = start("--no-banner")
    shell.wait_prompt(1)
    assert shell.modes() != shell.first_modes
    shell.line("exit")
    assert shell.wait_end() == 0
    assert shell.modes() == shell.first_modes


def test_a_job_that_never_yields_is_named_and_broken(shell, open_gate):
    shell.line("exec('def spin():\\n gate.sleep()\\n while True: pass')")
    shell.wait_prompt(3)
    shell.line("good = Spawn(Sleep, 1000); bad = Spawn(spin)")
    shell.wait_prompt(4)
    open_gate()
    shell.wait_for("PAUSED", "job 2 (spin) has not yielded for")
    shell.key("ctrl-c")
    shell.wait_for("✗ job 2 (spin): KeyboardInterrupt")
    shell.wait_gone("PAUSED")
    shell.line("bool(good), bool(bad)")
    shell.wait_for("Out[4]: (False, True)")
    shell.send("x")
    shell.key("ctrl-c")
    shell.wait_match(r"^In \[5\]:$")


def test_keys_typed_before_a_ctrl_c_that_breaks_a_job_are_let_go(shell, open_gate):
    shell.line("exec('def spin():\\n gate.sleep()\\n while True: pass')")
    shell.wait_prompt(3)
    shell.line("bad = Spawn(spin)")
    shell.wait_prompt(4)
    open_gate()
    shell.wait_for("PAUSED", "job 1 (spin) has not yielded for")
    shell.send("caput(")
    # The watchdog has read them when it has looked twice again.
    told = set()

    def later() -> bool:
        told.update(re.findall(r"has not yielded for (\S+)", shell.text))
        return len(told) > 2

    shell.wait_until(later, "the watchdog looks again")
    shell.key("ctrl-c")
    shell.wait_for("✗ job 1 (spin): KeyboardInterrupt")
    shell.wait_gone("PAUSED")
    shell.wait_match(r"^In \[4\]:$")
    shell.line("bool(bad)")
    shell.wait_for("Out[4]: True")


def test_a_cell_that_blocks_is_told_once(shell, open_gate):
    shell.line("job = Spawn(Sleep, 1000); import time; time.sleep(1.5)")
    shell.wait_match(r"That cell held everything for \d+\.\d s")
    shell.wait_for("time.sleep() does not", "Yield()")
    shell.wait_prompt(3)
    shell.line("gate.block()")
    shell.wait_for("PAUSED")
    open_gate()
    shell.wait_prompt(4)
    # What would be told is on the screen before another cell has run.
    shell.line("Sleep(0.1); 6 * 7")
    shell.wait_for("Out[4]: 42")
    assert "".join(shell.history).count("That cell held everything") == 1
