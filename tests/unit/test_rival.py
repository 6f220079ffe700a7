# SPDX-License-Identifier: Apache-2.0
"""PyPI's cothread in the same environment is noticed, and named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from coshell.rival import other_cothread

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("info", "version"),
    [
        ("cothread-2.20.1.dist-info", "2.20.1"),
        ("cothread-2.18-py3.11.egg-info", "2.18"),
        ("cothread-2.9.egg-info", "2.9"),
    ],
)
def test_the_other_distribution_is_named_with_the_way_out(tmp_path, info, version):
    (tmp_path / info).mkdir()
    said = other_cothread(["", str(tmp_path / "not there"), str(tmp_path)])
    assert said.startswith(f"cothread {version} is installed beside coshell")
    assert str(tmp_path) in said
    assert "pip uninstall cothread`" in said


def test_alike_names_are_nobody_else(tmp_path):
    for name in ("coshell-0.1.0.dist-info", "cothread_extra-1.0.dist-info", "cothread"):
        (tmp_path / name).mkdir()
    assert other_cothread([str(tmp_path)]) == ""


def test_coshell_says_so_at_its_start(tmp_path):
    (tmp_path / "cothread-2.20.1.dist-info").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "coshell", "--profile", "list"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert done.stderr.startswith("coshell: cothread 2.20.1 is installed beside coshell")
    assert len(done.stderr.splitlines()) == 1
    assert "operator" in done.stdout
