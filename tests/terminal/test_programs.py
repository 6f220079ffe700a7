# SPDX-License-Identifier: Apache-2.0
"""Other programs at the terminal, and questions to the operator."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import psutil
import pytest

from tests.support.gate import KNOCK
from tests.support.terminal import Terminal

ANSWER = "from cothread import Spawn; from tests.support import gate; job = Spawn(gate.answer)"
COUNT = "n = []; job = Spawn(lambda: [(Sleep(0.01), n.append(i)) for i in range(10**6)])"


def test_a_command_gets_a_plain_terminal_and_jobs_go_on(shell):
    shell.line(ANSWER)
    shell.wait_prompt(3)
    shell.line(f"!stty -a | tr ';' '\\n'; {KNOCK}; echo typed: $(head -1)")
    shell.wait_for("icanon", "echo")
    shell.line("some words")
    shell.wait_for("typed: some words")
    shell.wait_prompt(4)
    shell.line("_exit_code")
    shell.wait_for("Out[4]: 0")


def test_ctrl_c_ends_the_command_and_not_the_shell(shell):
    shell.line("!echo be''gun; exec sleep 1000")
    shell.wait_for("begun")
    shell.key("ctrl-c")
    shell.wait_prompt(3)
    shell.line("_exit_code")
    shell.wait_for("Out[3]: -2")


@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_ctrl_c_for_a_command_is_not_seen_by_the_prompt(start, term):
    shell = start("--no-banner", env={"TERM": term})
    shell.wait_prompt(1)
    for number in range(1, 6):
        shell.line(f"!echo be''gun {number}; exec sleep 1000")
        shell.wait_match(f"^begun {number}$")
        shell.key("ctrl-c")
        shell.wait_prompt(number + 1)
    shell.line("6 * 7")
    shell.wait_for("Out[6]: 42")
    assert "KeyboardInterrupt" not in shell.text


def test_a_sigint_from_outside_is_for_the_command_as_the_key_is(shell):
    script = (
        "trap 'echo cau''ght {0}' INT; (echo be''gun {0}; exec sleep 9); sleep 1; echo do''ne {0}"
    )
    presses = (lambda: shell.key("ctrl-c"), lambda: os.kill(shell.process.pid, signal.SIGINT))
    for number, press in enumerate(presses, 3):
        shell.line(f"!{script.format(number)}")
        shell.wait_match(f"^begun {number}$")
        press()
        shell.wait_match(f"^done {number}$")
        shell.wait_prompt(number)
        assert len(re.findall(f"caught {number}$", shell.text, re.MULTILINE)) == 1
    shell.line("!echo a''gain; exec sleep 1000")
    shell.wait_match("^again$")
    os.kill(shell.process.pid, signal.SIGINT)
    shell.wait_prompt(5)
    shell.line("_exit_code")
    shell.wait_for("Out[5]: -2")
    assert "KeyboardInterrupt" not in shell.text


def test_the_output_of_a_command(shell):
    shell.line(ANSWER)
    shell.wait_prompt(3)
    shell.line(f"y = 1; x = !{KNOCK}; echo one; echo two >&2")
    shell.wait_prompt(4)
    shell.line(f"x = !{KNOCK}; echo one; echo two >&2")
    shell.wait_prompt(5)
    shell.line("x")
    shell.wait_for("Out[5]: ['one', 'two']")


def test_a_long_text_is_paged(shell):
    shell.line("%pinfo str")
    shell.wait_for("Docstring")
    shell.key("ctrl-c")
    shell.line("from IPython.core.page import page")
    shell.wait_for("In [4]:")
    shell.line("page('\\n'.join(f'text {i}' for i in range(500)))")
    shell.wait_for("text 3")
    assert "In [5]" not in shell.text
    shell.send("G")
    shell.wait_for("text 499")
    shell.send("q")
    shell.wait_prompt(5)
    shell.line("%coshell")
    shell.wait_for("Read, write", "exit or Ctrl-D leaves", "In [6]:")
    shell.key("ctrl-l")
    shell.line("coshell?")
    shell.wait_for("Read, write", "exit or Ctrl-D leaves", "In [7]:")
    shell.line("%camonitor -h")
    shell.wait_for("usage: %camonitor")
    shell.send("G")
    shell.wait_for("'all' closes every one")
    assert "In [8]" not in shell.text
    shell.send("q")
    shell.wait_prompt(8)


def test_the_quit_key_is_for_the_command(shell):
    shell.line("!ulimit -c 0; echo re''ady; exec sleep 1000")
    shell.wait_match("^ready$")
    shell.key("ctrl-\\")
    shell.wait_prompt(3)
    shell.line("_exit_code")
    shell.wait_for("Out[3]: -3")
    assert "does not end the session" not in shell.text


def test_a_pager_and_a_shell_that_are_not_there(start):
    shell = start("--no-banner", env={"PAGER": "/no/such/pager", "SHELL": "/no/such/shell"})
    shell.wait_prompt(1)
    shell.line("%camonitor -h")
    shell.wait_for("'all' closes every one")
    shell.wait_prompt(2)
    shell.line("!echo one and $((1 + 1))")
    shell.wait_for("one and 2")
    shell.line("x = !echo three")
    shell.wait_prompt(4)
    shell.line("x")
    shell.wait_for("Out[4]: ['three']")


def test_an_editor_gets_the_terminal_and_jobs_go_on(start, tmp_path):
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nread -p 'Text: ' text\necho \"$text\" > $1\n")
    editor.chmod(0o755)
    shell = start("--no-banner", env={"EDITOR": str(editor)})
    shell.wait_prompt(1)
    shell.line(ANSWER)
    shell.wait_prompt(2)
    shell.line("%edit")
    shell.wait_for("Text:")
    shell.line("print('edi''ted', 6 * 7)")
    shell.wait_for("edited 42")
    shell.wait_prompt(3)
    editor.write_text(f"#!/bin/sh\n{KNOCK}; exit 3\n")
    shell.line("%edit")
    shell.wait_for("ended with status 3")
    shell.wait_prompt(4)


def test_input_lets_jobs_run_and_can_be_edited(shell):
    shell.line(COUNT)
    shell.wait_prompt(3)
    shell.line("m = len(n); answer = input('Your name: '); print(len(n) > m, answer)")
    shell.wait_for("Your name:")
    shell.send("Adx")
    shell.wait_for("Your name: Adx")
    shell.key("backspace", "ctrl-z")
    shell.line("a")
    shell.wait_for("True Ada")
    shell.wait_prompt(4)


def test_input_can_be_interrupted_and_ended(shell):
    shell.line("input('Name: ')")
    shell.wait_for("Name:")
    shell.key("ctrl-c")
    shell.wait_for("KeyboardInterrupt")
    shell.wait_prompt(3)
    shell.line("input('Name: ')")
    shell.wait_match(r"(?s)In \[3\].*Name:")
    shell.key("ctrl-d")
    shell.wait_for("EOFError")
    shell.wait_prompt(4)


def test_input_in_an_await_cell_and_in_a_job(shell):
    shell.line("import asyncio; await asyncio.sleep(0.01); answer = input('Name: ')")
    shell.wait_match("^Name:")
    shell.line("Ada")
    shell.wait_prompt(3)
    shell.line("answer")
    shell.wait_for("Out[3]: 'Ada'")
    shell.line("job = Spawn(input)")
    shell.wait_for("%fg 1 first")
    shell.send("typed")
    shell.wait_for("In [5]: typed")


def run_cell(shell: Terminal, *lines: str) -> None:
    """Type a cell of several lines and run it."""
    for line in lines:
        shell.line(line)
    shell.key("enter", "enter")


def test_a_script_cell_lets_jobs_go_on(shell):
    shell.line(ANSWER)
    shell.wait_prompt(3)
    run_cell(shell, "%%bash", f"echo one; {KNOCK}; echo tw''o >&2")
    shell.wait_match("(?s)^one$.*^two$")
    shell.wait_prompt(4)
    run_cell(shell, "%%script --out a --err b sh", "echo one; echo two >&2; seq 100000")
    shell.wait_prompt(5)
    shell.line("a[:4], b, len(a.split())")
    shell.wait_for(r"Out[5]: ('one\n', 'two\n', 100001)")


def test_a_script_cell_tells_how_its_program_ended(shell):
    run_cell(shell, "%%sh", "exit 3")
    shell.wait_for("CalledProcessError", "non-zero exit status 3")
    shell.wait_prompt(3)
    run_cell(shell, "%%sh --no-raise-error", "exit 4")
    shell.wait_prompt(4)
    assert "status 4" not in shell.text
    run_cell(shell, "%%script no-such-program", "1")
    shell.wait_for("Couldn't find program: 'no-such-program'")


@pytest.mark.parametrize(
    ("trapped", "word"), [("", "interrupted"), ("INT", "terminated"), ("INT TERM", "killed")]
)
def test_ctrl_c_ends_the_program_of_a_script_cell(shell, trapped, word):
    run_cell(shell, "%%bash", f"trap '' {trapped or 'USR1'}; echo be''gun $$; exec sleep 1000")
    pid = int(shell.wait_match(r"^begun (\d+)$")[1])
    shell.key("ctrl-c")
    shell.wait_for(f"Process was {word}.", "CalledProcessError")
    shell.wait_prompt(3)
    assert not psutil.pid_exists(pid)


def test_a_script_cell_in_a_job(shell):
    run_cell(shell, "%%spawn --name script", "%%bash", "sleep 0.3; echo 'in' a job")
    shell.wait_prompt(3)
    shell.send("typed")
    shell.wait_for("[1] in a job", "In [3]: typed")


@pytest.mark.parametrize(
    ("cell", "answer"), [("!head -1 | tr a-z A-Z", "SOME WORDS"), ("input().upper()", "SOME WORDS")]
)
def test_keys_typed_ahead_reach_what_the_cell_runs(shell, cell, answer):
    if cell.startswith("!") and not may_type_back():
        pytest.skip("this kernel lets nobody put keys back")
    shell.send(f"{cell}\rsome words\r6 * 7\r")
    shell.wait_for(answer, "Out[3]: 42")


def may_type_back() -> bool:
    """Return whether the system lets a program put keys back into its terminal."""
    switch = Path("/proc/sys/dev/tty/legacy_tiocsti")
    return not switch.exists() or switch.read_text().strip() == "1"


def test_a_command_in_a_job_leaves_the_prompt_alone(shell):
    run_cell(shell, "%%spawn", "!echo be''gun $$; sleep 1; echo two >&2; echo three; sleep 1000")
    shell.wait_prompt(3)
    shell.send("typed")
    pid = int(shell.wait_match(r"^\[1\] begun (\d+)$")[1])
    shell.wait_for("[1] two", "[1] three", "In [3]: typed")
    shell.key("ctrl-c")
    shell.wait_gone("typed")
    shell.line("Sleep(1000)")
    shell.wait_match(r"(?s)In \[3\]: Sleep\(1000\).*1 job$")
    shell.key("ctrl-c")
    shell.wait_prompt(4)
    assert psutil.pid_exists(pid)
    shell.line("%kill 1")
    shell.wait_prompt(5)
    assert not psutil.pid_exists(pid)


def test_what_a_program_of_a_cell_complains_of_stands_in_its_place(shell):
    shell.line("import subprocess; subprocess.run('echo o''ne; echo t''wo >&2', shell=True)")
    shell.wait_match("(?s)^one$.^two$.^Out")
    shell.wait_prompt(3)
    shell.line("!echo o''ne; echo t''wo >&2; echo th''ree")
    shell.wait_match("(?s)^one$.^two$.^three$")
    assert "[stderr]" not in shell.text
