# SPDX-License-Identifier: Apache-2.0
"""The programs printed in the documentation, run as they stand there."""

from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.ioc import Ioc

ROOT = Path(__file__).resolve().parents[2]
FATE_S = 60
RECORDS = """
record(calc, "$(P)CURRENT") {field(SCAN, ".1 second") field(CALC, "VAL+1") field(PINI, "YES")}
record(ao, "$(P)RF:FREQ") {field(VAL, "499.654") field(PINI, "YES")}
"""


def programs(page: Path) -> list[str]:
    """Return what a page shows as Python, without the lines that only a shell reads."""
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    return [re.sub(r"^%.*\n", "", block, flags=re.MULTILINE) for block in blocks]


def environment(**changes: str) -> dict[str, str]:
    """Return an environment in which our packages are found, and no other control system."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("EPICS_")}
    return {**ours, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **changes}


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.name)
def test_what_is_shown_as_python_is_python(page: Path) -> None:
    for text in programs(page):
        ast.parse(text)


def test_the_new_program_of_the_page_on_porting() -> None:
    pytest.importorskip("epicscorelibs")
    text = programs(ROOT / "docs/how-to/port-a-cothread-program.md")[-1]
    with (
        Ioc(RECORDS, prefix="DEMO:") as ioc,
        subprocess.Popen(
            [sys.executable, "-c", text],
            env=environment(**ioc.env),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as program,
    ):
        assert program.stdout is not None
        assert program.stderr is not None
        lines = [program.stdout.readline() for _ in range(4)]
        program.send_signal(signal.SIGINT)
        assert program.wait(FATE_S) == 0
        assert program.stderr.read() == ""
    assert "RF 499.654\n" in lines
    currents = [float(line) for line in lines if not line.startswith("RF")]
    assert currents == sorted(currents)


def test_the_program_of_the_page_on_the_demo_machine() -> None:
    pytest.importorskip("epicscorelibs")
    (text,) = programs(ROOT / "docs/how-to/demo-machine.md")
    ended = subprocess.run(
        [sys.executable, "-c", text],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=FATE_S,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "'DEMO:CURRENT'" in ended.stdout
    assert "iocRun: All initialization complete" in ended.stdout
