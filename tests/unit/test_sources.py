# SPDX-License-Identifier: Apache-2.0
"""What every file has to keep to: its size, its licence, and that it runs on any machine."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("cothread", "catools", "coshell")

MAX_FILE_LINES = 450
MAX_FUNCTION_LINES = 60


def modules() -> Iterator[Path]:
    """Walk our modules."""
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def listing(lines: Iterator[str]) -> str:
    """Join what is wrong into a message; empty when nothing is."""
    return "\n".join(sorted(lines))


def test_files_stay_small():
    long = listing(
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path in modules()
        if (lines := len(path.read_text().splitlines())) > MAX_FILE_LINES
    )
    assert not long, f"more than {MAX_FILE_LINES} lines; which two rooms are these?\n{long}"


def test_functions_stay_small():
    long = listing(
        f"{path.relative_to(ROOT)}, {node.name}: {lines} lines"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > MAX_FUNCTION_LINES
    )
    assert not long, f"more than {MAX_FUNCTION_LINES} lines:\n{long}"


MADE = {"__pycache__", "reference"}  # by tools, as all that hides behind a dot


def sources() -> Iterator[Path]:
    """Walk the files people write: code, data, documents."""
    for top in (*PACKAGES, "profiles", "tests", "benchmarks", "docs", ".ci"):
        for path in sorted((ROOT / top).rglob("*")):
            inside = path.relative_to(ROOT / top).parts
            made = any(part.startswith(".") or part in MADE for part in inside)
            if path.is_file() and not made:
                yield path
    yield from (path for path in sorted(ROOT.iterdir()) if path.suffix in {".md", ".toml"})
    yield ROOT / "Makefile"


def test_every_source_names_its_licence():
    missing = listing(
        str(path.relative_to(ROOT))
        for path in sources()
        if path.suffix in {".py", ".db", ".template", ".substitutions", ".acf", ".toml"}
        and not any(
            line.startswith("# SPDX-License-Identifier: Apache-2.0")
            for line in path.read_text().splitlines()[:2]
        )
    )
    assert not missing, f"no SPDX line at the top:\n{missing}"


def test_nothing_points_into_one_machine():
    elsewhere = re.compile(r"(?<![\w.~])/(?:work|root|home/\w+|Users/\w+)/")
    wrong = listing(
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in sources()
        if path.suffix not in {".png", ".svg"}
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if elsewhere.search(line)
    )
    assert not wrong, f"paths of one machine:\n{wrong}"
