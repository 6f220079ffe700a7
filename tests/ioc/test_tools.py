# SPDX-License-Identifier: Apache-2.0
"""The command line tools against a real IOC, as processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN_S = 60.0


@pytest.fixture
def run(shared_ioc):
    """Run a tool; `{}` in an argument stands for the prefix of the IOC."""

    def call(*words, status=0):
        done = subprocess.run(
            [sys.executable, "-m", "catools", *(w.replace("{}", shared_ioc.prefix) for w in words)],
            env={**os.environ, **shared_ioc.env, "EPICS_CLI_TIMEOUT": "10"},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=RUN_S,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout.replace(shared_ioc.prefix, "") or done.stderr.replace(
            shared_ioc.prefix, ""
        )

    return call


def fields(text):
    return [line.split() for line in text.splitlines()]


def test_caget(run):
    assert fields(run("caget", "{}AO", "{}BO", "{}STRING")) == [
        ["AO", "1.5"],
        ["BO", "Off"],
        ["STRING", "hello"],
    ]
    assert run("caget", "-t", "-n", "{}BO") == "0\n"
    assert run("caget", "-t", "-s", "{}AO") == "1.500\n"
    wide = fields(run("caget", "-a", "{}AO"))
    assert wide[0][0] == "AO"
    assert wide[0][-1] == "1.5"
    assert len(wide[0]) == 4
    assert "Units:            mA" in run("caget", "-d", "DBR_CTRL_DOUBLE", "{}AO")
    assert "DBR_STSACK_STRING" in run("caget", "-d", "37", "{}AO")
    assert fields(run("caget", "-d", "CLASS_NAME", "{}AO")) == [["AO", "ao"]]


def test_caget_of_what_is_not_there(run):
    text = run("caget", "-w", "0.5", "{}AO", "{}NO:SUCH:PV", status=1)
    lines = fields(text)
    assert lines[0] == ["AO", "1.5"]
    assert lines[1][:2] == ["NO:SUCH:PV", "***"]
    assert "no answer from" in text


def test_caput(run):
    assert fields(run("caput", "{}AO2", "-1e1")) == [
        ["Old", ":", "AO2", "2"],
        ["New", ":", "AO2", "-10"],
    ]
    assert run("caput", "-t", "-c", "{}AO2", "2") == "2\n"
    assert fields(run("caput", "{}MBBO", "ramp"))[1] == ["New", ":", "MBBO", "Ramp"]
    assert fields(run("caput", "-n", "{}MBBO", "2"))[1] == ["New", ":", "MBBO", "2"]
    assert fields(run("caput", "{}MBBO", "Idle"))[1] == ["New", ":", "MBBO", "Idle"]
    assert fields(run("caput", "-a", "{}WF", "3", "1", "2", "3.5"))[1][2:] == [
        "WF", "3", "1", "2", "3.5",
    ]  # fmt: skip
    text = "a text of more than the forty bytes that a string has"
    assert text in run("caput", "-S", "{}WFCHAR", text)
    assert text in run("caput", "{}LSO.VAL$", text)
    assert len(fields(run("caput", "-l", "{}AO2", "2"))[1]) == 6


def test_a_state_and_names_that_are_nearly_right(run, shared_ioc, tmp_path):
    assert "(did you mean 'Ramp'?)" in run("caput", "{}MBBO", "rmap", status=1)
    assert "did you mean" not in run("caput", "{}MBBO", "xyzzy", status=1)
    profile = tmp_path / "profile_default"
    profile.mkdir()
    (profile / "pv_names.txt").write_text(f"{shared_ioc.prefix}STRING\n")
    for tool in ("caget", "cainfo"):
        done = subprocess.run(
            [sys.executable, "-m", "coshell", tool, "-w", "0.3"]
            + [f"{shared_ioc.prefix}{name}" for name in ("AO2", "STRNIG", "AP2", "UNLIKELY")],
            env={**os.environ, **shared_ioc.env, "IPYTHONDIR": str(tmp_path)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=RUN_S,
            check=False,
        )
        hints = [line for line in done.stderr.splitlines() if "did you mean" in line]
        assert [hint.replace(shared_ioc.prefix, "") for hint in hints] == [
            "STRNIG: did you mean STRING?",
            "AP2: did you mean AO2?",
        ]
        assert done.returncode == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("{}AO2", "rubbish"), "is not a number"),
        (("{}LONG", "3.7"), "would lose something"),
        (("{}MBBO", "nonsense"), "is no state; states: 0 'Idle'"),
        (("-n", "{}MBBO", "9"), "no state 9"),
        (("{}NOWRITE", "1"), "Write access denied"),
        (("{}STRING", "x" * 40), "write to"),
        (("-w", "0.3", "{}NO:SUCH:PV", "1"), "no answer from"),
    ],
)
def test_caput_says_why_not(run, words, why):
    before = run("caget", "{}AO2", "{}LONG", "{}MBBO", "{}NOWRITE", "{}STRING")
    text = run("caput", *words, status=1)
    assert why in text
    assert len(text.splitlines()) == 1
    assert run("caget", "{}AO2", "{}LONG", "{}MBBO", "{}NOWRITE", "{}STRING") == before


def test_cainfo(run):
    text = run("cainfo", "{}AO", "{}NOWRITE", "{}WF")
    assert "Native data type: DBF_DOUBLE" in text
    assert "Access:           read, write" in text
    assert "Access:           read, no write" in text
    assert "Element count:    10" in text
    assert "connected:            1\n" in run("cainfo", "-s", "1", "{}AO")


def test_camonitor_prints_until_interrupted(shared_ioc):
    names = [shared_ioc.name("COUNT"), shared_ioc.name("NO:SUCH:PV")]
    process = subprocess.Popen(
        [sys.executable, "-m", "catools", "camonitor", "-w", "0.3", *names],
        env={**os.environ, **shared_ioc.env},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(6)]
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=RUN_S)
    assert process.returncode == 0, errors
    assert errors == ""
    counts = [int(line.split()[3]) for line in lines + rest.splitlines() if names[0] in line]
    assert counts == list(range(counts[0], counts[0] + len(counts)))
    assert len(counts) >= 5
    assert any(names[1] in line and "***" in line for line in lines)


def test_camonitor_ends_when_nobody_reads(shared_ioc):
    process = subprocess.Popen(
        [sys.executable, "-m", "catools", "camonitor", shared_ioc.name("COUNT")],
        env={**os.environ, **shared_ioc.env},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    deadline = time.monotonic() + RUN_S
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert process.stderr is not None
    errors = process.stderr.read()
    process.stderr.close()
    assert process.returncode == 0, errors
    assert errors == b""
