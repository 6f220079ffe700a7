# SPDX-License-Identifier: Apache-2.0
"""What the command line tools print, from values that came from no IOC."""

from __future__ import annotations

import argparse
import math
import struct

import pytest

from catools import dbr
from catools.conversion import requests_of
from catools.errors import ca_nothing
from catools.protocol.dbr import DBE_ALARM, DBE_LOG, DBE_PROPERTY, DBE_VALUE, DBR_TYPES
from catools.tools import TOOLS, main
from catools.tools.get import reading
from catools.tools.monitor import Stamps
from catools.tools.options import add_format, dbr_type, event_bits, make_parser, style_of
from catools.tools.show import (
    details,
    failure,
    printable,
    stamp_text,
    value_text,
    wide_line,
)


def style(*flags):
    parser = make_parser("tool", "", "")
    add_format(parser)
    return style_of(parser.parse_args(list(flags)))


def value_of(native, *elements, format=dbr.FORMAT_RAW, metadata=(), native_count=1, datatype=None):
    asked = requests_of("PV", native, native_count)[datatype, format, 0]
    row = DBR_TYPES[asked.dbr]
    body = b"".join(struct.pack(f">{row.element}", element) for element in elements)
    return asked.decode("PV", row.metadata.pack(*metadata) + body, len(elements))


@pytest.mark.parametrize(
    ("flags", "native", "number", "text"),
    [
        ((), dbr.DBR_DOUBLE, 299.8123456, "299.812"),
        ((), dbr.DBR_DOUBLE, 1e9, "1e+09"),
        (("-f3",), dbr.DBR_DOUBLE, 299.8123456, "299.812"),
        (("-f", "1"), dbr.DBR_FLOAT, 0.25, "0.2"),
        (("-e2",), dbr.DBR_DOUBLE, 299.8, "3.00e+02"),
        (("-g9",), dbr.DBR_DOUBLE, 299.8123456, "299.812346"),
        (("-lx",), dbr.DBR_DOUBLE, 254.6, "0xFF"),
        (("-lo",), dbr.DBR_DOUBLE, 8.0, "0o10"),
        (("-lb",), dbr.DBR_DOUBLE, -5.0, "-0b101"),
        (("-lx",), dbr.DBR_DOUBLE, math.nan, "nan"),
        (("-lx",), dbr.DBR_DOUBLE, -math.inf, "-inf"),
        (("-0x",), dbr.DBR_LONG, 255, "0xFF"),
        (("-0x",), dbr.DBR_LONG, -255, "-0xFF"),
        (("-0o",), dbr.DBR_SHORT, 8, "0o10"),
        (("-0b",), dbr.DBR_CHAR, 5, "0b101"),
        (("-lx",), dbr.DBR_LONG, 255, "255"),
        (("-0x",), dbr.DBR_DOUBLE, 255.0, "255"),
    ],
)
def test_numbers(flags, native, number, text):
    assert value_text(value_of(native, number), style(*flags)) == text


def test_arrays_begin_with_their_length():
    value = value_of(dbr.DBR_DOUBLE, 1.0, 2.5, native_count=10)
    assert value_text(value, style()) == "2 1 2.5"
    assert value_text(value, style("-F,")) == "2,1,2.5"
    assert value_text(value[:0], style()) == "0"


def test_characters():
    value = value_of(dbr.DBR_CHAR, *b"A\xc2\xb5\0junk", native_count=20)
    assert value_text(value, style()) == "8 65 194 181 0 106 117 110 107"
    assert value_text(value, style("-S")) == "Aµ"
    assert value_text(value_of(dbr.DBR_DOUBLE, 65.0, native_count=2), style("-S")) == "1 65"


def test_nothing_on_a_terminal_moves_the_cursor():
    value = value_of(dbr.DBR_STRING, b"\x1b[2Jgone\r\n\x07")
    assert value_text(value, style()) == r"\x1b[2Jgone\r\n\x07"
    assert printable("µm \u202e") == "µm \\u202e"
    assert value_text(value_of(dbr.DBR_STRING, b"\x1b", datatype=bytes), style()) == r"\x1b"


def test_what_to_ask_the_server_for():
    assert style().datatype == dbr.DBR_ENUM_STR
    assert style("-n").datatype is None
    assert style("-s").datatype is str
    assert style("-s", "-S").datatype == dbr.DBR_ENUM_STR


def timed(status=0, severity=0, seconds=100, nanos=5000):
    return value_of(
        dbr.DBR_DOUBLE,
        1.5,
        format=dbr.FORMAT_TIME,
        metadata=(status, severity, seconds, nanos),
    )


def test_wide_lines():
    value = timed(3, 2)
    name = f"{'PV':<30}"
    assert wide_line("PV", value, style(), "now") == f"{name} now 1.5 HIHI MAJOR"
    assert wide_line("PV", value, style("-F;"), "now") == "PV;now;1.5;HIHI;MAJOR"
    assert wide_line("PV", timed(), style(), "now") == f"{name} now 1.5"
    assert wide_line("PV", timed(), style("-F;"), "now") == "PV;now;1.5;;"
    assert stamp_text(value).endswith(":40.000005")
    assert stamp_text(timed(17, 3, 0, 0)) == "<undefined>"


def test_details_of_numbers():
    value = value_of(
        dbr.DBR_DOUBLE,
        1.5,
        format=dbr.FORMAT_CTRL,
        metadata=(0, 0, 3, b"m\x1bA", 1, 2, 3, 4, 5, 6, 7, math.nan),
    )
    lines = [line.split() for line in details("PV", value, 34, style()).splitlines()]
    assert lines[0] == ["PV"]
    assert ["Request", "type:", "DBR_CTRL_DOUBLE"] in lines
    assert ["Units:", r"m\x1bA"] in lines
    assert ["Precision:", "3"] in lines
    assert ["Hi", "disp", "limit:", "1"] in lines
    assert ["Lo", "ctrl", "limit:", "nan"] in lines


def test_details_of_states_and_acknowledgements():
    names = b"Off".ljust(26, b"\0") + b"On"
    value = value_of(dbr.DBR_ENUM, 1, format=dbr.FORMAT_CTRL, metadata=(0, 0, 2, names))
    text = details("PV", value, 31, style())
    assert "[ 0]:             Off\n    [ 1]:             On" in text
    value = value_of(dbr.DBR_DOUBLE, b"1.5", metadata=(3, 2, 1, 2), datatype=37)
    text = details("PV", value, 37, style())
    assert "Ack transient?:   YES" in text
    assert "Ack severity:     MAJOR" in text


def test_failures():
    assert failure(ca_nothing("PV", 152)) == "*** Channel read request failed"
    assert failure(ca_nothing("PV", 152, "why")) == "*** Channel read request failed; why"


@pytest.mark.parametrize(
    ("text", "code"),
    [("DBR_TIME_DOUBLE", 20), ("ctrl_enum", 31), ("6", 6), ("STSACK_STRING", 37), ("TIME_INT", 15)],
)
def test_dbr_types(text, code):
    assert dbr_type(text) == code


@pytest.mark.parametrize("text", ["99", "-1", "DOUBLES", ""])
def test_no_dbr_types(text):
    with pytest.raises(argparse.ArgumentTypeError):
        dbr_type(text)


def test_what_a_dbr_type_asks_for():
    assert reading(6) == (6, dbr.FORMAT_RAW)
    assert reading(13) == (6, dbr.FORMAT_TIME)
    assert reading(20) == (6, dbr.FORMAT_TIME)
    assert reading(27) == (6, dbr.FORMAT_CTRL)
    assert reading(31) == (3, dbr.FORMAT_CTRL)
    assert reading(38) == (38, dbr.FORMAT_RAW)


def test_event_masks():
    assert event_bits("va") == DBE_VALUE | DBE_ALARM
    assert event_bits("vvlp") == DBE_VALUE | DBE_LOG | DBE_PROPERTY
    for wrong in ("", "x", "vx"):
        with pytest.raises(argparse.ArgumentTypeError):
            event_bits(wrong)


def test_stamps():
    moments = iter([1000.0, 1001.5, 1003.0, 1004.0])
    stamps = Stamps("cr", now=lambda: next(moments))
    assert stamps.text("A", timed()).strip() == "+1.500000"
    assert stamps.text("B", timed()).strip() == "+3.000000"
    each = Stamps("I")
    assert each.text("A", timed(seconds=1)).strip() == "+0.000000"
    assert each.text("B", timed(seconds=2)).strip() == "+0.000000"
    assert each.text("A", timed(seconds=4)).strip() == "+3.000000"
    anyone = Stamps("si")
    anyone.text("A", timed(seconds=1))
    assert anyone.text("B", timed(seconds=2)).strip() == "+1.000000"
    assert Stamps("n").text("A", timed()) == ""
    assert Stamps("s").text("A", timed()) == stamp_text(timed())
    assert Stamps("c", now=lambda: 0.25).text("A", timed()).endswith(".250000")


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["caxget"],
        ["caget"],
        ["caget", "-d", "nothing", "PV"],
        ["caget", "-w", "soon", "PV"],
        ["caget", "-w", "nan", "PV"],
        ["caget", "-#", "-1", "PV"],
        ["caget", "-e", "x", "PV"],
        ["caput"],
        ["caput", "PV"],
        ["caput", "PV", "two", "words"],
        ["caput", "-a", "PV", "3", "1", "2"],
        ["caput", "-a", "PV", "x", "1", "2"],
        ["camonitor", "-m", "q", "PV"],
        ["camonitor", "-t", "q", "PV"],
        ["cainfo"],
    ],
)
def test_wrong_command_lines(words, capsys):
    try:
        status = main(words)
    except SystemExit as leaving:
        status = leaving.code
    assert status == 1
    said = capsys.readouterr().err
    assert said.startswith(f"{words[0]}: " if words[:1] and words[0] in TOOLS else "catools: ")
    assert "-h explains" in said


@pytest.mark.parametrize("tool", TOOLS)
def test_help_shows_examples(tool, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit, match="0"):
        main([tool, "-h"])
    said = capsys.readouterr().out
    assert f"examples:\n  {tool} " in said
    assert max(map(len, said.splitlines())) < 80


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_names_the_tools(flag, capsys):
    assert main([flag]) == 0
    said, refused = capsys.readouterr()
    assert not refused
    assert [line.split()[0] for line in said.splitlines() if line.startswith("  ")] == [*TOOLS]


@pytest.mark.parametrize(
    ("tool", "usage"),
    [
        ("caget", ["caget [options] PV ..."]),
        ("caput", ["caput [options] PV VALUE", "caput -a [options] PV COUNT VALUE ..."]),
        ("camonitor", ["camonitor [options] PV ..."]),
        ("cainfo", ["cainfo [options] PV ..."]),
        ("pvtree", ["pvtree [options] LINK ..."]),
    ],
)
def test_the_help_of_a_tool_begins_with_its_usage(tool, usage, capsys):
    with pytest.raises(SystemExit) as ended:
        TOOLS[tool](["-h"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith("usage: " + "\n       ".join(usage) + "\n\n")
    assert "examples:\n" in said


def test_default_wait_from_the_environment(monkeypatch):
    monkeypatch.setenv("EPICS_CLI_TIMEOUT", "7.5")
    assert make_parser("tool", "", "").parse_args([]).wait_s == 7.5
    monkeypatch.setenv("EPICS_CLI_TIMEOUT", "soon")
    assert make_parser("tool", "", "").parse_args([]).wait_s == 1.0
