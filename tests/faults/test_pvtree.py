# SPDX-License-Identifier: Apache-2.0
"""The program pvtree.py against servers that are old, silent, endless or hostile."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from catools.protocol import commands as c
from catools.protocol.dbr import DBR_STRING
from catools.testing import Pv, Server
from catools.tools import main

COMMON = {"VAL": "1", "SEVR": "NO_ALARM", "STAT": "NO_ALARM", "DTYP": "Soft Channel"}
OLD_CALC = {f"INP{letter}": "" for letter in "ABCDEFGHIJKL"}


def record(name, kind, **fields):
    return {
        f"{name}.{field}": Pv([text.encode()], DBR_STRING)
        for field, text in {"RTYP": kind, **COMMON, **fields}.items()
    }


@pytest.fixture
def serve(see):
    @contextmanager
    def running(*records):
        with Server({name: pv for fields in records for name, pv in fields.items()}) as server:
            see(server)
            yield server

    return running


def test_fields_that_a_server_does_not_have_are_asked_for_once(serve, capsys):
    first = record("A", "calc", CALC="A", **{**OLD_CALC, "INPB": "B"})
    second = record("B", "calc", CALC="B", **OLD_CALC)
    with serve(first, second) as server:
        assert main(["pvtree", "-w", "0.5", "A"]) == 0
        asked = set(server.searches)
    assert b"A.INPU" in asked
    assert b"B.INPL" in asked
    assert b"B.INPU" not in asked
    assert capsys.readouterr().out.splitlines() == [
        "A (calc, 'Soft Channel') 1 NO_ALARM NO_ALARM",
        "A.CALC A",
        "A.INPB B",
        "  B (calc, 'Soft Channel') 1 NO_ALARM NO_ALARM",
        "  B.CALC B",
    ]


def test_an_input_that_cannot_be_read_is_told(serve, capsys):
    with serve(record("A", "ai")):
        assert main(["pvtree", "-q", "-w", "0.5", "A"]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("A.INP User specified timeout")


def test_a_server_that_falls_silent_does_not_hold_the_rest(serve, capsys):
    with serve(record("A", "ai", INP="B"), record("B", "ai", INP="3")) as server:
        server.on(c.READ_NOTIFY, lambda _connection, _message: None)
        assert main(["pvtree", "-w", "0.5", "A", "B"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["A not found", "B not found"]
    assert all("the server has not replied" in line for line in lines)


def test_a_chain_may_be_longer_than_python_nests_calls(serve, capsys):
    length = 1200
    records = [record(f"R{n}", "ai", INP=f"R{n + 1}") for n in range(length)]
    with serve(*records, record(f"R{length}", "ai", INP="5")):
        assert main(["pvtree", "-w", "20", "R0"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 * length + 2
    assert lines[-1] == "  " * length + f"R{length}.INP 5"


def test_what_a_server_sends_cannot_steer_the_terminal(serve, capsys):
    evil = "\33[2J\33]0;x\7"
    links = [
        record("A", "calc", CALC=evil, **{**OLD_CALC, "INPA": f"B{evil}"}, INPU=f"C {evil}"),
        record("C", f"x{evil}"),
        record("D", "ai", VAL=evil, SEVR=evil, DTYP=evil, INP=""),
    ]
    with serve(*links):
        assert main(["pvtree", "-w", "0.5", "A", "D"]) == 0
    text = capsys.readouterr().out
    assert "\33" not in text
    assert "\7" not in text
    assert text.count("\\x1b[2J") == 7
