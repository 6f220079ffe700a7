# SPDX-License-Identifier: Apache-2.0
"""First light: the demo machine under the prompt, killed and started again."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable

import psutil
import pytest

from tests.support.terminal import Terminal

pytest.importorskip("epicscorelibs")

PVS = "DEMO:CURRENT DEMO:BPM-01:X DEMO:BPM-02:X"


def machine(shell: Terminal) -> psutil.Process:
    """Return the IOC that the shell has started."""
    (child,) = (
        child
        for child in psutil.Process(shell.process.pid).children(recursive=True)
        if "ioc.py" in " ".join(child.cmdline())
    )
    return child


def value(shell: Terminal, name: str) -> str:
    """Return what the dock shows as the value of a PV."""
    found = re.search(rf"^ {re.escape(name)} +(\S+)", shell.text, re.M)
    return found[1] if found else ""


def changes(shell: Terminal, name: str) -> Callable[[], bool]:
    """Return a condition: the value shown is another one than now."""
    before = value(shell, name)
    return lambda: value(shell, name) not in {before, "", "---"}


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (40, 10)])
def test_live_pvs_while_half_a_line_is_typed(start, columns, rows):
    shell = start("--demo", "--no-banner", columns=columns, rows=rows)
    shell.wait_prompt(1)
    shell.line(f"%camonitor {PVS}")
    shell.wait_match(r"^ DEMO:CURRENT +\d")
    shell.send("half a")
    shell.wait_match(r"^In \[2\]: half a$")
    shell.wait_until(changes(shell, "DEMO:BPM-01:X"), "the value moves")
    shell.send(" line")
    shell.wait_match(r"^In \[2\]: half a line$")
    shell.wait_until(changes(shell, "DEMO:BPM-01:X"), "the value still moves")

    ioc = machine(shell)
    ioc.send_signal(signal.SIGKILL)
    shell.wait_for("disconnected")
    shell.wait_match(r"3 disconnected")
    shell.send("!")
    shell.wait_match(r"^In \[2\]: half a line!$")

    shell.key("ctrl-c")
    shell.line("demo.start()")
    shell.wait_prompt(3)
    shell.wait_gone("disconnected")
    shell.wait_until(changes(shell, "DEMO:BPM-01:X"), "the value moves again")


def test_a_mistyped_name_in_python(start):
    shell = start("--demo", "--no-banner")
    shell.wait_prompt(1)
    shell.line("caget('DEMO:CURENT', timeout=0.5)")
    shell.wait_prompt(2)
    assert "(did you mean DEMO:CURRENT?) · %why 1" in " ".join(shell.text.split())
    shell.line("Spawn(caget, 'DEMO:CURENT', timeout=0.5).name")
    shell.wait_until(
        lambda: "(did you mean DEMO:CURRENT?) · %why 2" in " ".join(shell.text.split()), "the job's"
    )


def test_what_became_of_a_put_in_the_background(start):
    shell = start("--demo", "--no-banner")
    shell.wait_prompt(1)
    shell.line("Spawn(caput, 'DEMO:MESSAGE', 'tuned').Wait()")
    shell.wait_for("Out[1]: <DEMO:MESSAGE: Normal successful completion>")
    shell.line("%jobs")
    shell.wait_match(r"^1 +caput +done .* <DEMO:MESSAGE: Normal ")


def test_live_pvs_while_a_cell_sleeps(start):
    shell = start("--demo", "--no-banner")
    shell.wait_prompt(1)
    shell.line(f"%camonitor {PVS}")
    shell.wait_match(r"^ DEMO:CURRENT +\d")
    shell.line("sleep(1000)")
    for _ in range(3):
        shell.wait_until(changes(shell, "DEMO:BPM-01:X"), "the value moves")
    assert "In [3]" not in shell.text
    shell.key("ctrl-c")
    shell.wait_prompt(3)
    shell.line("import asyncio; await asyncio.sleep(1000)")
    for _ in range(3):
        shell.wait_until(changes(shell, "DEMO:BPM-01:X"), "the value moves")
    shell.key("ctrl-c")
    shell.wait_prompt(4)


def test_the_machine_ends_with_the_shell(start):
    shell = start("--demo", "--no-banner")
    shell.wait_prompt(1)
    ioc = machine(shell)
    shell.process.kill()
    ioc.wait(10.0)


def test_without_the_extra_one_line_says_how_to_get_it(start, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as util\n"
        "find = util.find_spec\n"
        "util.find_spec = lambda name, *a: None if name == 'epicscorelibs' else find(name, *a)\n"
    )
    shell = start("--demo", env={"PYTHONPATH": str(tmp_path)})
    assert shell.wait_end() == 1
    assert "pip install epicscorelibs" in shell.text
    assert "Traceback" not in shell.text
