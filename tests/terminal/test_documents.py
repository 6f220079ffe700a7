# SPDX-License-Identifier: Apache-2.0
"""What the README shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("epicscorelibs")

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_session_in_the_readme_is_true(start):
    text = README.read_text()
    assert text.splitlines()[4] == "```", "the session begins within sight"
    session = text.split("```")[1].strip().splitlines()
    assert len(session) == 6
    shell = start("--demo", "--no-banner", columns=120, rows=48)
    shell.wait_prompt(1)
    prompts = 0
    for line in session:
        typed = re.match(r"In \[(\d+)\]: (.*)", line)
        if typed is None:
            shell.wait_for(line)
            continue
        if prompts:
            shell.wait_prompt(prompts + 1)
        prompts += 1
        assert int(typed[1]) == prompts
        shell.line(typed[2])
    assert session[-1].endswith("Sleep(60)")
    # The first is printed before the cell sleeps, the second while it does.
    shell.wait_until(lambda: sum("[1] " in line for line in shell.history) >= 2, "the job prints")
    shell.wait_match(r"DEMO:BPM-03:X +-?0\.\d+ +mm")
    shell.key("ctrl-c")
    shell.wait_prompt(prompts + 1)
    assert not [line for line in shell.history if "Error" in line or line.startswith("✗")]
