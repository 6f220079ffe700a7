# SPDX-License-Identifier: Apache-2.0
"""What a type checker knows about the calls that users make."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
from typing import assert_type

from catools import FORMAT_TIME, ca_float, ca_info, ca_nothing, caget, cainfo, caput
from catools.pv import PV
from catools.values import AugmentedValue

one = caget("PV", format=FORMAT_TIME)
assert_type(one, AugmentedValue)
print(float(one) + 1, one + 1, one > 3, one[0], one.timestamp, one.alarm)
assert_type(caget(["PV", "PV2"]), list[AugmentedValue])
for value in caget(["PV"], throw=False):
    if isinstance(value, ca_nothing):
        print(value.errorcode)
    else:
        print(value.name, +value)
assert_type(caput("PV", 1), ca_nothing)
assert_type(caput(["PV"], 1), list[ca_nothing])
assert_type(cainfo("PV"), ca_info)
assert_type(PV("PV").ok, bool)


def later(value: ca_float) -> float:
    return value + value.timestamp
"""


def test_user_code_type_checks(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    wrong = [line for line in done.stdout.splitlines() if line.startswith(str(program))]
    assert not wrong, "\n".join(wrong)
    assert done.returncode in (0, 1), done.stderr
