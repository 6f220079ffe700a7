# SPDX-License-Identifier: Apache-2.0
"""Other people's packages that are built on cothread, run on ours."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run_with_packages(tmp_path: Path) -> Callable[..., str]:
    """Return a function that runs Python where p4p and softioc are, with our cothread.

    COSHELL_COMPAT_PYTHON names the interpreter; `make test` makes one.  PyPI's cothread must not
    be there: it would stand in the way of what is to be tested.
    """
    python = os.environ.get("COSHELL_COMPAT_PYTHON", "")
    if not python:
        pytest.skip("COSHELL_COMPAT_PYTHON names no interpreter with p4p, softioc and greenlet")

    def run(*arguments: str, timeout: float = 120) -> str:
        ended = subprocess.run(
            [python, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout
        return ended.stdout

    file = run("-c", "import cothread; print(cothread.__file__)").strip()
    assert Path(file).parent == ROOT / "cothread"
    return run
