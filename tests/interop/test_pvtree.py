# SPDX-License-Identifier: Apache-2.0
"""The program pvtree.py prints the same trees as that of the other cothread."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ioc import Ioc

ROOT = Path(__file__).resolve().parents[2]
RUN_S = 120.0
RUN = "import sys; from cothread.tools.pvtree import main; sys.exit(main())"
LETTERS = "ABCDEFGHIJKLMNOPQRSTU"


def record(kind, name, **fields):
    body = " ".join(f'field({field}, "{value}")' for field, value in fields.items())
    return f'record({kind}, "$(P){name}") {{ {body} }}'


def database():
    """Return records of every type that both programs know, their inputs in every manner."""
    array = {"FTVL": "DOUBLE", "NELM": 3}
    yield record("longin", "N", VAL=7)
    yield record("ai", "AI", INP="$(P)CALC PP MS", PREC=2, PINI="YES")
    yield record(
        "calc", "CALC", INPA="$(P)AO", INPB="$(P)N.VAL NPP NMS", INPC="3", CALC="A+B", PINI="YES"
    )
    yield record("ao", "AO", VAL=2, OUT="$(P)N PP", DTYP="Soft Channel")
    for kind in ("bi", "mbbi", "mbbiDirect", "stringin", "event", "compress"):
        size = {"NSAM": 3} if kind == "compress" else {}
        yield record(kind, kind, INP="$(P)N PP MSS", **size)
    for kind in ("bo", "mbbo", "mbboDirect", "longout", "stringout", "dfanout"):
        yield record(kind, kind, DOL="$(P)N NPP MSI", OMSL="closed_loop")
    for kind in ("aai", "waveform"):
        yield record(kind, kind, INP="$(P)N", **array)
    yield record("aao", "aao", DOL="$(P)N", **array)
    yield record("subArray", "subArray", INP="$(P)waveform", FTVL="DOUBLE", MALM=3)
    yield record("fanout", "fanout", LNK1="$(P)N", SELL="$(P)N")
    for kind in ("calcout", "sel", "sub", "aSub"):
        inputs = {f"INP{letter}": "$(P)N" for letter in LETTERS[: 21 if kind == "aSub" else 12]}
        out = {"OUT": "$(P)AO PP"} if kind == "calcout" else {}
        yield record(kind, kind, **inputs, **out)
    yield record("seq", "seq", **{f"DOL{place}": "$(P)N" for place in "123456789A"}, LNK1="$(P)AO")
    yield record("ai", "AGAIN", INP="$(P)BACK NPP NMS", VAL=1)
    yield record("ai", "BACK", INP="$(P)AGAIN NPP NMS")
    yield record("ai", "SELF", INP="$(P)SELF.LOPR", LOPR=3, PINI="YES")
    yield record("ai", "NUMBER", INP="4.5", PINI="YES")
    yield record("stringin", "HARDWARE", DTYP="getenv", INP="@HOME")
    yield record("ai", "ALARM", INP="5", HIHI=1, HHSV="MAJOR", PINI="YES")
    yield record("longin", "BELOW", INP="$(P)ALARM NPP MS", PINI="YES")


RECORDS = tuple(database())
NAMES = tuple(text.split('"')[1].removeprefix("$(P)") for text in RECORDS)


@pytest.fixture(scope="module")
def ioc(peers_python: str) -> Iterator[Ioc]:
    with Ioc("\n".join(RECORDS)) as running:
        yield running


def trees(python, ioc, repeater_port, words):
    ours = python == sys.executable
    environment = {**os.environ, **ioc.env, "EPICS_CA_REPEATER_PORT": str(repeater_port)}
    environment["EPICS_CLI_TIMEOUT"] = "10"
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        [python, *([] if ours else ["-W", "ignore"]), "-c", RUN, *words],
        env=environment,
        cwd=ROOT if ours else Path(__file__).parent,
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    "options", [(), ("-c", "-m"), ("--quiet", "--nms"), ("-cr",)], ids=" ".join
)
def test_every_record_type_gives_the_same_tree(options, ioc, repeater_port, peers_python):
    names = [ioc.name(name) for name in NAMES]
    words = [*options, *reversed(names), f"{names[0]}.VAL"]
    theirs = trees(peers_python, ioc, repeater_port, words)
    assert len(theirs) > 5
    assert trees(sys.executable, ioc, repeater_port, words) == theirs


@pytest.mark.parametrize("name", ["AI", "calcout", "AGAIN", "BELOW"])
def test_a_single_record_gives_the_same_tree(name, ioc, repeater_port, peers_python):
    words = ["-m", f"{ioc.name(name)} NPP NMS"]
    theirs = trees(peers_python, ioc, repeater_port, words)
    assert theirs[0].startswith(ioc.name(name))
    assert trees(sys.executable, ioc, repeater_port, words) == theirs
