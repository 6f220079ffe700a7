# SPDX-License-Identifier: Apache-2.0
"""A stock IPython after `%load_ext coshell`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.support.gate import KNOCK
from tests.support.terminal import Terminal

TICK = "n = []; job = Spawn(lambda: [(Sleep(0.01), n.append(i)) for i in range(10**6)])"


@pytest.fixture
def ipython(home) -> Iterator[Terminal]:
    """Return a stock IPython with the extension, at its second prompt."""
    terminal = Terminal([sys.executable, "-m", "IPython", "--no-banner"], env=home)
    try:
        terminal.wait_prompt(1)
        terminal.line("%load_ext coshell")
        terminal.wait_prompt(2)
        yield terminal
    finally:
        terminal.close()


def test_cothreads_run_at_its_prompt(ipython):
    ipython.line("n = []; job = Spawn(lambda: [(Sleep(0.01), n.append(i)) for i in range(50)])")
    ipython.wait_prompt(3)
    ipython.line("job.Wait(5); len(n)")
    ipython.wait_for("Out[3]: 50")
    ipython.line("job = Spawn(lambda: (Sleep(0.3), print('from the', 'background')))")
    ipython.wait_for("from the background")
    ipython.send("typed")
    ipython.key("ctrl-c")
    ipython.line("1 + 1")
    ipython.wait_match(r"Out\[\d\]: 2$")


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (f"!{KNOCK}; echo $((6 * 7))", "42"),
        (f"x = !{KNOCK}; echo $((6 * 7))", None),
        (f"%%bash\r{KNOCK}; echo $((6 * 7))\r\r", "42"),
        (f"%%script --out x sh\r{KNOCK}; echo $((6 * 7))\r\r", None),
    ],
)
def test_cothreads_run_beside_a_command(ipython, cell, shown):
    ipython.line("from tests.support import gate; job = Spawn(gate.answer)")
    ipython.wait_prompt(3)
    ipython.line(cell)
    if shown:
        ipython.wait_match(f"^{shown}$")
    ipython.wait_prompt(4)
    ipython.line("bool(job)" if shown else "bool(job), ''.join(x).strip()")
    ipython.wait_for("Out[4]: False" if shown else "Out[4]: (False, '42')")


def test_ctrl_c_ends_the_command_and_not_the_session(ipython):
    ipython.line(TICK)
    ipython.wait_prompt(3)
    ipython.line("!echo be''gun; exec sleep 1000")
    ipython.wait_match("^begun$")
    ipython.key("ctrl-c")
    ipython.wait_prompt(4)
    ipython.line("_exit_code, bool(job)")
    ipython.wait_for("Out[4]: (-2, False)")
    ipython.line("print('wait''ing'); x = !sleep 1000")
    ipython.wait_match("^waiting$")
    ipython.key("ctrl-c")
    ipython.wait_for("KeyboardInterrupt")
    ipython.wait_match("^In \\[6\\]:")
    ipython.line("%%sh\recho beg''un again; exec sleep 1000\r\r")
    ipython.wait_match("^begun again$")
    ipython.key("ctrl-c")
    ipython.wait_for("Process was interrupted.")
    ipython.wait_match("^In \\[7\\]:")
    ipython.line("bool(job)")
    ipython.wait_for("Out[7]: False")


def test_a_program_that_keeps_ctrl_c_for_itself_goes_on(ipython):
    ipython.line("!trap 'echo ca''ught' INT; (echo be''gun; exec sleep 9); read x; echo re''ad $x")
    ipython.wait_match("^begun$")
    ipython.key("ctrl-c")
    ipython.wait_match("caught$")
    ipython.line("words")
    ipython.wait_for("read words")
    ipython.wait_prompt(3)


def test_it_completes_what_magics_take(ipython):
    ipython.send("%camonitor --lo")
    ipython.key("tab")
    ipython.wait_match(r"^In \[2\]: %camonitor --log$")


def test_it_is_a_stock_ipython_again(ipython):
    ipython.line("caput = 42; custom = get_ipython().Completer.custom_matchers; custom != []")
    ipython.wait_for("Out[2]: True")
    ipython.wait_prompt(3)
    ipython.line("%unload_ext coshell")
    ipython.wait_prompt(4)
    ipython.line(
        "{'caget', 'pvs'} & {*dir()}, caput, {'programs', 'system'} & {*vars(get_ipython())}"
    )
    ipython.wait_for("Out[4]: (set(), 42, set())")
    ipython.line("get_ipython().active_eventloop, get_ipython().find_line_magic('caget'), custom")
    ipython.wait_for("Out[5]: (None, None, [])")
    ipython.line("type(get_ipython().magics_manager.registry['ScriptMagics']).__module__")
    ipython.wait_for("Out[6]: 'IPython.core.magics.script'")
    ipython.line("!echo $((6 * 7)); exit 3")
    ipython.wait_match("^42$")
    ipython.wait_prompt(8)
    ipython.line("_exit_code")
    ipython.wait_for("Out[8]: 3")
    ipython.wait_prompt(9)
    ipython.line("%load_ext coshell")
    ipython.wait_prompt(10)
    ipython.line("%caget -h")
    ipython.wait_for("examples:")


def test_coshell_has_nothing_to_load(shell):
    shell.line("%load_ext coshell")
    shell.wait_for("This is coshell: there is nothing to load.")
    shell.wait_prompt(3)
