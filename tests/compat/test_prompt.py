# SPDX-License-Identifier: Apache-2.0
"""Plain Python's prompt: cothreads run while it waits, and no key is held back."""

import contextlib
import os
import subprocess
import sys
import time

import pytest

from tests.support.terminal import PATIENCE_S, ROOT, Terminal

# Another interpreter with greenlet: since 3.13 the prompt is a different program.
PYTHONS = [sys.executable, os.environ.get("COSHELL_PROMPT_PYTHON", "")]

TICKER = """
import os, cothread

def tick():
    number = 0
    while True:
        cothread.Sleep(0.005)
        number += 1
        with open("ticks.new", "w") as file:
            file.write(str(number))
        os.replace("ticks.new", "ticks")

cothread.Spawn(tick)
"""


@pytest.fixture(params=PYTHONS, ids=["here", "other"])
def python(request):
    """Return an interpreter to try."""
    if not request.param:
        pytest.skip("COSHELL_PROMPT_PYTHON names no other interpreter with greenlet")
    return request.param


@pytest.fixture
def environment(tmp_path):
    """Return what keeps the developer's settings out."""
    (tmp_path / "ticker.py").write_text(TICKER)
    return {
        "PYTHONPATH": str(ROOT),
        "PYTHONSTARTUP": None,
        "PYTHON_HISTORY": str(tmp_path / "history"),
        "PYTHON_BASIC_REPL": None,
        "PYTHON_COLORS": "0",
        "HOME": str(tmp_path),
    }


@pytest.fixture(params=[None, "1"], ids=["prompt", "basic prompt"])
def prompt(python, request, environment, tmp_path):
    """Return a Python prompt with a ticking cothread."""
    env = {**environment, "PYTHON_BASIC_REPL": request.param}
    with contextlib.closing(Terminal([python, "-q"], env=env, cwd=tmp_path)) as terminal:
        terminal.wait_for(">>>")
        terminal.line("import ticker; print('sta' + 'rted')")
        terminal.wait_until(lambda: "started\n>>>" in terminal.text, "the next prompt")
        yield terminal


def ticks(tmp_path):
    try:
        return int((tmp_path / "ticks").read_text())
    except FileNotFoundError:
        return 0


def wait_for_ticks(prompt, tmp_path):
    before = ticks(tmp_path)
    prompt.wait_until(lambda: ticks(tmp_path) > before + 20, "cothreads tick")


def test_cothreads_run_while_the_prompt_waits(prompt, tmp_path):
    wait_for_ticks(prompt, tmp_path)


def test_keys_and_pasted_lines_are_not_held_back(prompt, tmp_path):
    for key in "print('ab' + 'cd')":
        prompt.send(key)
    prompt.key("enter")
    prompt.wait_for("abcd")
    prompt.send("one = 1\rtwo = 2\rprint('sum', one + two)\r")
    prompt.wait_for("sum 3")
    prompt.line(f"print(len('{'x' * 50}'), 'characters')")
    prompt.wait_for("50 characters")
    wait_for_ticks(prompt, tmp_path)


def test_ctrl_c_clears_the_line_and_cothreads_go_on(prompt, tmp_path):
    for number in range(3):
        prompt.send(f"nonsense{number}")
        prompt.wait_for(f"nonsense{number}")
        prompt.key("ctrl-c")
        prompt.wait_until(lambda n=number: prompt.text.count("KeyboardInterrupt") == n + 1, "^C")
        assert "Traceback" not in prompt.text
        wait_for_ticks(prompt, tmp_path)
    prompt.line("print('still ' + 'here')")
    prompt.wait_for("still here")


def test_ctrl_c_interrupts_what_was_typed(prompt, tmp_path):
    prompt.line("import cothread; print('go' + 'ing'); cothread.Sleep(100)")
    prompt.wait_for("going")
    wait_for_ticks(prompt, tmp_path)
    prompt.key("ctrl-c")
    prompt.wait_for("KeyboardInterrupt")
    wait_for_ticks(prompt, tmp_path)


def test_cothreads_run_during_input(prompt, tmp_path):
    prompt.line("answer = input('na' + 'me? ')")
    prompt.wait_for("name?")
    wait_for_ticks(prompt, tmp_path)
    prompt.line("Bob")
    prompt.line("print('hello', answer)")
    prompt.wait_for("hello Bob")


def test_the_prompt_ends(prompt, tmp_path):
    prompt.key("ctrl-d")
    assert prompt.wait_end() == 0


@pytest.mark.parametrize("buffered", [True, False])
def test_input_from_a_pipe(python, environment, tmp_path, buffered):
    env = {name: value for name, value in {**os.environ, **environment}.items() if value}
    if not buffered:
        env["PYTHONUNBUFFERED"] = "1"
    else:
        env.pop("PYTHONUNBUFFERED", None)
    process = subprocess.Popen(
        [python, "-q", "-i"],
        cwd=tmp_path,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        bufsize=1,
    )
    with process:
        process.stdin.write("import ticker\nprint('one')\nprint('two')\n")
        assert [process.stdout.readline() for _ in range(2)] == ["one\n", "two\n"]
        deadline = time.monotonic() + PATIENCE_S
        while ticks(tmp_path) < 20:
            assert time.monotonic() < deadline, "no cothread ran"
            time.sleep(0.01)
        process.stdin.write("print('three')\n")
        assert process.stdout.readline() == "three\n"
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 0
