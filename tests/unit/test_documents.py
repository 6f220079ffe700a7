# SPDX-License-Identifier: Apache-2.0
"""The documentation names only what there is: files, PVs, magics and their flags, targets."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from coshell.app import parser
from coshell.magics import SPECS
from coshell.magics.parsing import words
from coshell.names import expand

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
ROOMS = "benchmarks|catools|coshell|cothread|docs|profiles|tests"
# Names that are wrong on purpose: they show what happens then.
MISSING = {"DEMO:NOWHERE", "DEMO:NO:SUCH"}

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def headings(page: Path) -> set[str]:
    """Return the anchors of a page, made as the usual viewers make them."""
    lines = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-") for line in lines}


def code(page: Path) -> list[str]:
    """Return what stands in code blocks, line by line, and in code spans."""
    blocks = re.split(r"^```.*$", page.read_text(), flags=re.MULTILINE)
    lines = [line for block in blocks[1::2] for line in block.splitlines()]
    return lines + [span for text in blocks[::2] for span in re.findall(r"`([^`\n]+)`", text)]


def typed(line: str) -> str:
    """Return a line without the prompt it is shown after."""
    return re.sub(r"^(In \[\d+\]: |\$ )", "", line.strip())


@pages
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"\w+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        assert not anchor or anchor in headings(file), target


@pages
def test_files_that_are_named_exist(page):
    for line in code(page):
        for path in re.findall(rf"(?<![\w./-])(?:{ROOMS})/[\w./-]*\w", line):
            if not path.startswith(("docs/reference", "demo/")):
                assert (ROOT / path).exists(), path


@pages
def test_pvs_of_the_demo_machine_exist(page):
    served = (ROOT / "profiles" / "demo" / "pvs.txt").read_text().split()
    database = "".join(file.read_text() for file in (ROOT / "coshell/demo/db").glob("*.db"))
    served += [f"DEMO:{name}" for name in re.findall(r"\$\(P\)(SIM:[A-Z:]+)", database)]
    for line in code(page):
        for pattern in re.findall(r"DEMO:[A-Z0-9:{}.,-]*[A-Z0-9}]", line):
            for name in expand(pattern):
                record = name.partition(".")[0]
                # Some are half typed: there the beginning of a name is enough.
                assert record in MISSING or any(one.startswith(record) for one in served), name


@pages
def test_magics_take_the_lines_that_are_shown(page):
    shown = 0
    for line in map(typed, code(page)):
        called = re.match(r"(?:\w+ = )?%(\w+)\s+(.*)", line)
        if called is None or called[1] not in SPECS or "-h" in line:
            continue
        SPECS[called[1]].parser.read(words(called[2], {}))
        shown += 1
    assert shown or page.name != "watch-pvs.md"


@pages
def test_coshell_takes_the_options_that_are_shown(page):
    for line in map(typed, code(page)):
        if re.match(r"coshell( --?\w|$)", line):
            options = shlex.split(line, comments=True)[1:]
            flags = [word for word in options if word.startswith("-")]
            assert set(flags) <= set(parser()._option_string_actions), line


@pages
def test_make_has_the_targets_that_are_named(page):
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for line in map(typed, code(page)):
        named = re.match(r"make ([a-z]+)", line)
        assert named is None or named[1] in targets, line
