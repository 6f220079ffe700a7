# SPDX-License-Identifier: Apache-2.0
"""What pyproject.toml promises, and what the wheel carries."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def names(requirements: list[str]) -> set[str]:
    """Return the distributions that requirement strings name."""
    return {re.split(r"[<>=!~\[; ]", requirement)[0].lower() for requirement in requirements}


# What everyone has to install, and what for.
DEPENDENCIES = {
    "greenlet": "what a cothread is made of",
    "ipython": "the prompt",
    "numpy": "the values of arrays",
    "prompt_toolkit": "what the prompt is drawn with",
    "rich": "styles and tables",
    "tomli-w": "panels are kept as TOML, which the standard library only reads",
}


def test_dependencies_are_those_the_product_promises():
    project = PROJECT["project"]
    assert names(project["dependencies"]) == set(DEPENDENCIES)
    extras = project["optional-dependencies"]
    assert names(extras["demo"]) == {"epicscorelibs"}
    assert names(extras["jupyter"]) == {"ipykernel"}
    assert names(extras["qt"]) == {"pyqt5", "pyqtgraph", "qtpy"}
    assert set(re.findall(r"\w+", extras["all"][0])) == {"coshell", *(set(extras) - {"all"})}


def test_every_target_says_what_it_does():
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    described = set(re.findall(r"^([a-z]+):.*## \S", makefile, re.MULTILINE))
    assert described == set(phony[1].split())


def test_automation_uses_the_same_words_as_people():
    script = (ROOT / ".ci/run").read_text()
    assert re.findall(r"^make (\w+)", script, re.MULTILINE) == ["check", "test"]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory) -> Path:
    """Build the wheel with the tools at hand, and unpack it where Python can import from."""
    target = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", target, ROOT]
    run = subprocess.run(build, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    with zipfile.ZipFile(next(target.glob("coshell-*.whl"))) as wheel:
        wheel.extractall(target / "site")
    return target / "site"


def tracked(*tops: str) -> set[str]:
    """Return the files below some directories that belong to the project."""
    return {
        str(path.relative_to(ROOT))
        for top in tops
        for path in (ROOT / top).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_carries_the_packages_and_the_profiles(unpacked):
    carried = {
        str(path.relative_to(unpacked))
        for path in unpacked.rglob("*")
        if path.is_file() and ".dist-info" not in str(path.relative_to(unpacked))
    }
    expected = tracked("cothread", "catools", "coshell")
    expected |= {f"coshell/{name}" for name in tracked("profiles")}
    assert carried == expected
    assert {f"{package}/py.typed" for package in ("cothread", "catools", "coshell")} <= carried


def test_the_wheel_carries_its_licence_and_its_commands(unpacked):
    (information,) = unpacked.glob("coshell-*.dist-info")
    assert (information / "licenses/LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    commands = (information / "entry_points.txt").read_text()
    assert "coshell = coshell.app:main" in commands
    assert "pvtree.py = cothread.tools.pvtree:main" in commands


def test_the_demo_machine_runs_from_the_wheel(unpacked):
    """Its database files travel along."""
    pytest.importorskip("epicscorelibs")
    program = (
        "from coshell.demo import machine\n"
        "one = machine.DemoMachine(); one.start()\n"
        "print(machine.__file__, len(one.names())); one.stop()"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=unpacked,
        env=os.environ | {"PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    file, count = run.stdout.split()
    assert Path(file).is_relative_to(unpacked)
    assert int(count) > 50
