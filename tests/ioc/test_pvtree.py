# SPDX-License-Identifier: Apache-2.0
"""The program pvtree.py against a real IOC: the whole of what it prints."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.ioc import Ioc

ROOT = Path(__file__).resolve().parents[2]
RUN_S = 60.0
PROGRAMS = {
    "pvtree.py": ["-c", "import sys; from cothread.tools.pvtree import main; sys.exit(main())"],
    "coshell pvtree": ["-m", "coshell", "pvtree"],
}
FAR = "A:LINK:THAT:DOES:NOT:FIT:INTO:A:STRING"
RECORDS = f"""
record(ai, "$(P)AI") {{ field(INP, "$(P)CALC PP MS") field(PREC, "2") field(PINI, "YES") }}
record(calc, "$(P)CALC") {{ field(INPA, "$(P)AO") field(INPB, "$(P)N.VAL NPP NMS") field(INPC, "3")
    field(INPU, "$(P)AO NPP MSS") field(CALC, "A+B") field(PINI, "YES") }}
record(ao, "$(P)AO") {{ field(VAL, "2") field(OUT, "$(P)N PP") field(DTYP, "Soft Channel") }}
record(longin, "$(P)N") {{ field(VAL, "7") }}
record(longin, "$(P)NONE") {{ field(INP, "$(P)NOT:THERE CA") field(VAL, "1") }}
record(sel, "$(P)SEL") {{ field(INPA, "$(P)NONE") field(INPB, "$(P)N") }}
record(int64in, "$(P)INT64") {{ field(INP, "-3") field(PINI, "YES") }}
record(longin, "$(P)HEX") {{ field(INP, "0x10") field(PINI, "YES") }}
record(lsi, "$(P)LSI") {{ field(INP, "$(P)N NPP MS") field(SIZV, "50") field(PINI, "YES") }}
record(waveform, "$(P)JSON") {{ field(FTVL, "DOUBLE") field(NELM, "4") field(PINI, "YES")
    field(INP, {{const:[1.5,2,3]}}) }}
record(permissive, "$(P)PERMISSIVE") {{ }}
record(stringin, "$(P)HARDWARE") {{ field(DTYP, "getenv") field(INP, "@LANG") }}
record(longin, "$(P)LONG") {{ field(INP, "$(P){FAR} NPP MS") }}
record(longin, "$(P){FAR}") {{ field(VAL, "5") }}
"""
OF_AI = """\
AI (ai, 'Soft Channel') 9.00 NO_ALARM NO_ALARM
AI.INP CALC PP MS
  CALC (calc, '') 9 NO_ALARM NO_ALARM
  CALC.CALC A+B
  CALC.INPA AO NPP NMS{missing}
    AO (ao, 'Soft Channel') 2 NO_ALARM UDF
  CALC.INPB N.VAL NPP NMS{missing}
    N (longin, 'Soft Channel') 7 NO_ALARM UDF
  CALC.INPC 3
  CALC.INPU AO NPP MSS
    AO already visited\N{SPACE}
"""


@pytest.fixture(scope="module")
def tree_ioc():
    with Ioc(RECORDS) as ioc:
        yield ioc


def environment(ioc, **settings):
    return {**os.environ, **ioc.env, "EPICS_CLI_TIMEOUT": "10", **settings}


@pytest.fixture
def run(tree_ioc):
    """Run the program; `{}` in an argument stands for the prefix of the IOC."""

    def call(*words, status=0, program="pvtree.py"):
        done = subprocess.run(
            [
                sys.executable,
                *PROGRAMS[program],
                *(w.replace("{}", tree_ioc.prefix) for w in words),
            ],
            env=environment(tree_ioc),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=RUN_S,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout.replace(tree_ioc.prefix, "")

    return call


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_tree_of_a_record(run, program):
    assert run("{}AI", program=program) == OF_AI.format(missing="")


@pytest.mark.parametrize("link", ["{}AI.INP", "{}AI.VAL CP MS", "{}AI NPP NMS"])
def test_a_link_stands_for_its_record(run, link):
    assert run(link) == OF_AI.format(missing="")


def test_links_that_do_not_pass_alarms_on(run):
    assert run("-m", "{}AI") == OF_AI.format(missing=" : MS missing")
    assert run("-q", "{}AI") == ""
    assert run("-qm", "{}AI", "{}N") == (
        "CALC.INPA AO NPP NMS : MS missing\nCALC.INPB N.VAL NPP NMS : MS missing\n"
    )


def test_several_records_share_what_was_shown(run):
    assert (
        run("{}AO", "{}CALC")
        == """\
AO (ao, 'Soft Channel') 2 NO_ALARM UDF
CALC (calc, '') 9 NO_ALARM NO_ALARM
CALC.CALC A+B
CALC.INPA AO NPP NMS
  AO already visited\N{SPACE}
CALC.INPB N.VAL NPP NMS
  N (longin, 'Soft Channel') 7 NO_ALARM UDF
CALC.INPC 3
CALC.INPU AO NPP MSS
  AO already visited\N{SPACE}
"""
    )


def test_a_record_that_is_not_there_leaves_the_rest(run):
    lines = run("-w", "0.5", "{}SEL", status=1).splitlines()
    assert lines[4].startswith("    NOT:THERE not found: ")
    assert "no answer from" in lines.pop(4)
    assert lines == [
        "SEL (sel, '') 0 INVALID UDF",
        "SEL.INPA NONE NPP NMS",
        "  NONE (longin, 'Soft Channel') 1 NO_ALARM UDF",
        "  NONE.INP NOT:THERE CA NMS",
        "SEL.INPB N NPP NMS",
        "  N (longin, 'Soft Channel') 7 NO_ALARM UDF",
        "SEL.SELN 0",
    ]


def test_constants_hardware_and_records_without_inputs(run):
    words = ["{}INT64", "{}HEX", "{}JSON", "{}PERMISSIVE", "{}HARDWARE", "3", "@device"]
    assert (
        run("-m", *words)
        == """\
INT64 (int64in, 'Soft Channel') -3 NO_ALARM NO_ALARM
INT64.INP -3
HEX (longin, 'Soft Channel') 16 NO_ALARM NO_ALARM
HEX.INP 0x10
JSON (waveform, 'Soft Channel') ['2'] NO_ALARM NO_ALARM
JSON.INP {const:[1.5,2,3]}
PERMISSIVE (permissive, '') 0 INVALID UDF
HARDWARE (stringin, 'getenv')  INVALID UDF
HARDWARE.INP @LANG
"""
    )


def test_a_link_longer_than_a_string_is_followed(run):
    assert (
        run("{}LONG")
        == f"""\
LONG (longin, 'Soft Channel') 0 INVALID UDF
LONG.INP {FAR} NPP MS
  {FAR} (longin, 'Soft Channel') 5 NO_ALARM UDF
"""
    )


def test_colours(run):
    alarm = "\033[33mNO_ALARM\033[0m \033[33m{}\033[0m"
    assert run("-c", "{}LSI", "{}N").splitlines() == [
        f"\033[1mLSI\033[0m (lsi, 'Soft Channel') 7 {alarm.format('NO_ALARM')}",
        "\033[96mLSI.INP\033[0m N NPP MS",
        f"  \033[1mN\033[0m (longin, 'Soft Channel') 7 {alarm.format('UDF')}",
        "\033[37mN already visited\033[0m ",
    ]
    assert "\033" not in run("-cr", "{}AI")


@pytest.mark.parametrize(("term", "coloured"), [("xterm", True), ("dumb", False)])
def test_a_terminal_that_can_gets_colours(tree_ioc, term, coloured):
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, *PROGRAMS["pvtree.py"], tree_ioc.name("N")],
        env=environment(tree_ioc, TERM=term, NO_COLOR=""),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
    ) as process:
        os.close(theirs)
        text = b""
        with suppress(OSError):  # how a terminal that everybody has closed says so
            while piece := os.read(ours, 65536):
                text += piece
        os.close(ours)
        assert process.wait(RUN_S) == 0
    assert b"longin" in text
    assert (b"\033[" in text) is coloured


def test_without_arguments_it_explains_itself(run):
    assert run() == run("--help")
    assert "pvtree SR-DI:LIFETIME" in run("--help")
    assert run("--nonsense", status=1) == ""
