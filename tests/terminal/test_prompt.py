# SPDX-License-Identifier: Apache-2.0
"""The prompt: typing, background output, exceptions, and the dock under the line."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.terminal import Terminal

Start = Callable[..., Terminal]


def define_ticker(shell: Terminal) -> None:
    """Give the shell a function that prints twenty lines a second."""
    shell.line("exec(\"def tick(n=40):\\n for i in range(n):\\n  Sleep(0.05); print('tick', i)\")")
    shell.wait_prompt(3)


def test_a_cell_runs(shell):
    shell.line("6 * 7")
    shell.wait_for("Out[2]: 42")
    shell.wait_prompt(3)


def test_background_output_appears_above_the_typed_line(shell):
    define_ticker(shell)
    shell.line("job = Spawn(tick, 20)")
    shell.wait_prompt(4)
    shell.send("half a li")
    shell.wait_for("[1] tick 19")
    shell.send("ne")
    shell.wait_for("In [4]: half a line")
    lines = shell.history
    ticks = [line for line in lines if "tick" in line and line.startswith("[1]")]
    assert ticks == [f"[1] tick {i}" for i in range(20)]
    assert shell.row("[1] tick 19") < shell.row("In [4]: half a line")
    assert shell.cursor == (len("In [4]: half a line"), shell.row("In [4]:"))


def test_an_exception_in_the_background_is_one_numbered_line(shell):
    shell.line("job = Spawn(lambda: (Sleep(0.2), 1 / 0))")
    shell.wait_prompt(3)
    shell.send("typed")
    shell.wait_for("ZeroDivisionError: division by zero", "%why 1")
    shell.wait_for("In [3]: typed")
    assert "Traceback" not in shell.text
    shell.key("ctrl-c")
    shell.wait_gone("typed")
    shell.line("%why 1")
    shell.wait_for("Traceback (most recent call last)", "ZeroDivisionError")
    shell.line("alarm = Timer(0.05, lambda: 1 / 0)")
    shell.wait_for("✗ timer <lambda>: ZeroDivisionError: division by zero · %why 2")


def test_cothreads_run_while_the_prompt_is_idle(shell):
    shell.line("job = Spawn(lambda: [Sleep(0.01) for i in range(50)] and print('all', 'fifty'))")
    shell.wait_for("[1] all fifty", "In [3]:")


def test_background_output_during_a_cell_stands_above_its_own(shell):
    define_ticker(shell)
    shell.line("job = Spawn(tick, 10); print('begun', end=''); job.Wait(); print(' and done')")
    shell.wait_for("begun and done")
    shell.wait_prompt(4)
    assert shell.row("[1] tick 9") < shell.row("begun and done")


def test_the_status_line_shows_the_jobs_while_a_cell_sleeps(shell, open_gate):
    shell.line("job = Spawn(Sleep, 1000); gate.sleep()")
    shell.wait_for("1 job")
    assert "In [3]" not in shell.text
    assert shell.row("1 job") == 23
    open_gate()
    shell.wait_prompt(3)


def test_type_ahead_reaches_the_next_prompt(shell, open_gate):
    shell.line("print('be' + 'gun'); gate.sleep()")
    shell.wait_for("begun")
    shell.send("1234 + 1")
    open_gate()
    shell.wait_for("In [3]: 1234 + 1")
    shell.key("enter")
    shell.wait_for("Out[3]: 1235")
    assert sum("1234" in line for line in shell.history) == 1


def test_await_cells_run_beside_cothreads(shell):
    shell.line("n = []; job = Spawn(lambda: [(Sleep(0.01), n.append(i)) for i in range(1000)])")
    shell.wait_prompt(3)
    shell.line("import asyncio")
    shell.wait_prompt(4)
    shell.line("while len(n) < 10: await asyncio.sleep(0.05)")
    shell.key("enter")
    shell.wait_prompt(5)
    shell.line("len(n) >= 10")
    shell.wait_for("Out[5]: True")


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (40, 10), (20, 4)])
def test_the_prompt_stays_on_small_screens(start: Start, columns, rows):
    shell = start("--no-banner", columns=columns, rows=rows)
    shell.wait_prompt(1)
    shell.line("d = get_ipython().dock")
    shell.line("class P: title='p'; render=lambda s,w,h,n:[f'row {i}'[:w] for i in range(50)][:h]")
    shell.wait_match(r"^In \[\d\]:$")
    shell.line("d.add(P())")
    shell.wait_for("row 0")
    shell.send("abc")
    shell.wait_match(r"^In \[\d\]: abc$")


def test_the_dock_yields_to_the_completion_menu(shell):
    shell.line("class P: title='p'; render=lambda s,w,h,n:[f'row {i}' for i in range(50)][:h]")
    shell.wait_prompt(3)
    shell.line("get_ipython().dock.add(P())")
    shell.wait_for("row 10")
    shell.send("Sp")
    shell.key("tab")
    shell.wait_for("In [4]: Spawn")
    # The first ends the completion, the second clears the line.
    shell.key("ctrl-c", "ctrl-c")
    shell.send("import c")
    shell.key("tab")
    shell.wait_for("calendar", "row 15")
    assert shell.row("In [4]") < shell.row("calendar")
    shell.key("esc", "ctrl-c")
    shell.wait_gone("calendar")
    shell.wait_for("row 0")


@pytest.mark.parametrize("line", ["%caget NO:Z", "caget('NO:Z", "%camonitor NO:*"])
def test_tab_offers_no_python_where_a_pv_is_typed(shell, line):
    """Python's ZeroDivisionError is not what `NO:Z` begins."""
    shell.send(line)
    shell.key("tab")
    shell.send("@")
    shell.wait_match(rf"^In \[2\]: {re.escape(line)}@$")
    assert "Error" not in shell.text


def test_tab_offers_what_a_magic_takes_and_says_what_it_means(shell):
    shell.line("job = Spawn(Sleep, 1000)")
    shell.wait_prompt(3)
    shell.send("%camonitor --")
    shell.key("tab")
    shell.wait_match(r"^ +--log +a line above the prompt for every change")
    assert "Error" not in shell.text
    shell.key("ctrl-c", "ctrl-c")
    shell.wait_gone("--log")
    shell.send("%kill ")
    shell.key("tab")
    # One is no choice.
    shell.wait_match(r"^In \[3\]: %kill 1$")
    shell.key("enter")
    shell.wait_gone("1 job")


def test_bytes_that_are_no_characters_harm_neither_the_cell_nor_the_history(start, home):
    shell = start("--no-banner")
    shell.wait_prompt(1)
    shell.send("'a")
    shell.look()
    os.write(shell.master, b"\xe9")
    shell.send("b', 'later'")
    shell.key("enter")
    shell.wait_for("Out[1]: ('a\ufffdb', 'later')")
    shell.line("6 * 7")
    shell.wait_for("Out[2]: 42")
    shell.key("ctrl-d", "enter")
    assert shell.wait_end() == 0
    assert "History will not be written" not in "".join(shell.history)


def test_what_is_typed_while_the_first_cell_starts_is_not_echoed(start, home, tmp_path):
    profile = Path(home["IPYTHONDIR"]) / "profile_default" / "startup"
    profile.mkdir(parents=True)
    in_cell = tmp_path / "in cell"
    (profile / "slow.py").write_text(
        "import time\n"
        "from pathlib import Path\n"
        f"in_cell = Path({str(in_cell)!r})\n"
        "def step(shell=get_ipython()):\n"
        "    time.sleep(0.1)\n"
        "    if shell.console.screen is None and not in_cell.exists():\n"
        "        in_cell.touch()\n"
        "        time.sleep(1)\n"
        "for _ in range(10): get_ipython().start_later(step)\n"
    )
    shell = start("--no-banner")
    shell.wait_prompt(1)
    shell.line("6 * 7")
    shell.wait_until(in_cell.exists, "the cell waits for the end of the start")
    shell.send("typed")
    shell.wait_for("In [2]: typed")
    assert sum("typed" in line for line in shell.history) == 1


def test_a_protected_name_is_rebound_but_not_in_silence(shell):
    shell.line("caget = 3")
    shell.wait_prompt(3)
    shell.wait_until(
        lambda: "`del caget` brings it back" in " ".join(shell.text.split()), "a warning"
    )
    shell.line("caget = 4; Sleep(0.1)")
    shell.wait_prompt(4)
    shell.line("caget")
    shell.wait_for("Out[4]: 4")
    assert sum("was coshell's" in line for line in shell.history) == 1
    shell.line("del caget, cainfo")
    shell.wait_prompt(6)
    shell.line("caget.__name__, cainfo.__name__")
    shell.wait_for("Out[6]: ('caget', 'cainfo')")
    shell.line("from time import sleep")
    shell.wait_for("sleep was coshell's")


def test_a_password_is_not_shown(shell):
    shell.line("import getpass; word = getpass.getpass('Secret: ')")
    shell.wait_match(r"^Secret: *$")
    shell.line("sesame")
    shell.wait_prompt(3)
    assert "sesame" not in "\n".join(shell.history)
    shell.line("word[::-1]")
    shell.wait_for("Out[3]: 'emases'")


def test_toolkits_other_than_qt_are_refused_in_one_line(shell):
    shell.line("%gui tk")
    shell.wait_match(r"^✗ coshell runs Qt beside the prompt, not tk; try %gui qt · %why 1$")
    assert "Traceback" not in shell.text
    assert "root" not in shell.text


def test_messages_are_broken_between_words(shell):
    shell.resize(40, 24)
    shell.line("raise ValueError('one two three four five six seven eight')")
    shell.wait_match(r"(?s)^✗ ValueError: one two three four five$.^  six seven eight · %why 1$")
    shell.line("print('x' * 39, 'printed')")
    shell.wait_match(r"(?s)^x{39}$.^printed$")


def test_an_error_in_a_cell_is_a_numbered_line_and_its_place(shell):
    shell.line("exec('def f(x):\\n return 1 / x')")
    shell.wait_prompt(3)
    shell.line("f(0)")
    shell.wait_for("✗ ZeroDivisionError: division by zero · %why 1", "In [3]:1  f(0)")
    shell.line("%caget")
    shell.wait_for("✗ %caget: the following arguments are required: PV", "· %why 2")
    assert "Traceback" not in shell.text
    shell.line("%why 77")
    shell.wait_for("There is no failure 77; those kept are 1 to 2.")
    shell.line("%load_ext no_such")
    shell.wait_for("✗ ModuleNotFoundError: No module named 'no_such' · %why 3")
    shell.wait_prompt(7)
    assert "importlib" not in shell.text
    shell.line("%why 1")
    shell.wait_for("In [3]\n", "Traceback (most recent call last)", "ZeroDivisionError")


def test_of_errors_that_were_shown_a_line_is_kept(shell):
    shell.line("1 / 0")
    shell.wait_prompt(3)
    shell.line("[kept['traceback'] for kept in get_ipython().history_manager.exceptions.values()]")
    shell.wait_for("Out[3]: [['ZeroDivisionError: division by zero']]")


def test_a_mistyped_magic_suggests_the_one_that_is_meant(shell):
    shell.line("%camonitr X")
    shell.wait_for("✗ there is no magic %camonitr; did you mean %camonitor? · %why 1")
    shell.line("%xyzzy")
    shell.wait_for("✗ Line magic function `%xyzzy` not found. · %why 2")
    shell.line("%spawn 1 +")
    shell.wait_for("✗ %spawn: invalid syntax: 1 + · %why 3")
    assert "File" not in shell.text


def test_the_frames_of_libraries_are_left_to_why(shell):
    shell.line("caget('NO:SUCH', timeot=1)")
    shell.wait_for("✗ TypeError", "In [2]:1  caget('NO:SUCH', timeot=1)")
    shell.wait_prompt(3)
    assert "forward.py" not in shell.text
    shell.line("%why")
    shell.wait_for("forward.py", "TypeError")


def test_how_much_is_shown_of_an_error_can_be_chosen(shell):
    shell.line("%config CoShell.tracebacks = 'line'")
    shell.wait_prompt(3)
    shell.line("1 / 0")
    shell.wait_for("division by zero · %why 1")
    shell.wait_prompt(4)
    assert "In [3]:1" not in shell.text
    shell.line("%config CoShell.tracebacks = 'full'")
    shell.wait_prompt(5)
    shell.line("1 / 0")
    shell.wait_for("Traceback (most recent call last)")


def test_ctrl_c_clears_the_line_also_with_a_menu_and_in_a_search(shell):
    shell.line("alpha_one = alpha_two = 42")
    shell.wait_prompt(3)
    shell.send("alpha_")
    shell.key("tab")
    shell.wait_for("alpha_one ")
    shell.key("ctrl-c")
    shell.wait_match(r"^In \[3\]:\n\n")
    shell.send("left over")
    shell.wait_for("In [3]: left over")
    shell.key("ctrl-r")
    shell.send("alpha")
    shell.wait_for("I-search backward: alpha", "In [3]: alpha_one = alpha_two = 42")
    shell.key("ctrl-c")
    shell.wait_gone("I-search")
    shell.line("alpha_two + 1")
    shell.wait_for("Out[3]: 43")
