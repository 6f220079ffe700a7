# SPDX-License-Identifier: Apache-2.0
"""The tests of Qt with its other bindings, which qtpy evens out only in part.

`COSHELL_QT_BINDINGS` names a directory they are installed in, for they would be in the way of
PyQt5 in everybody's environment; `make test` makes one.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.qt import ROOT, environment, run_program

TESTS = ROOT / "tests" / "qt"
PATIENCE_S = 900

# What the law is needed for does not depend on the binding, and that test waits for crashes.
CHOSEN = "not law_is_needed"

# PySide 6.12 gives back references to None that it never had.  After a hundred tests an interpreter
# that mortals like None live in would die of it at its end, which each program of the tests has had
# on its own.
RUN = """
import os, sys, pytest
status = pytest.main(sys.argv[1:])
sys.stdout.flush()
os._exit(status)
"""


@pytest.mark.parametrize("binding", ["PyQt6", "PySide6"])
def test_qt_with(binding: str) -> None:
    pytest.importorskip("qtpy", reason="Qt is not installed")
    settings = {"QT_API": binding.lower(), "PYTEST_XDIST_WORKER": None, "PYTEST_ADDOPTS": None}
    if "COSHELL_QT_BINDINGS" in os.environ:
        settings["PYTHONPATH"] = os.pathsep.join(
            [environment()["PYTHONPATH"], os.environ["COSHELL_QT_BINDINGS"]]
        )
    found = run_program(f"import {binding}.QtWidgets", **settings)
    if found.returncode:
        pytest.skip(f"{binding} is not there: {found.stderr.strip().splitlines()[-1]}")
    run = subprocess.run(
        [sys.executable, "-c", RUN, "-q", "-p", "no:cacheprovider", "-k", CHOSEN, str(TESTS)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        env=environment(**settings),
        cwd=ROOT,
    )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert " passed" in run.stdout
