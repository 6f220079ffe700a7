# SPDX-License-Identifier: Apache-2.0
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta

import pytest

from coshell.magics.parsing import (
    LineParser,
    Refused,
    Spec,
    duration,
    moment,
    positive,
    run,
    words,
)


@pytest.mark.parametrize(
    ("line", "pieces"),
    [
        ("A B", ["A", "B"]),
        ("A 'Top up'", ["A", "Top up"]),
        ("B-{01..12}:{X,Y}", ["B-{01..12}:{X,Y}"]),
        ("X.VAL$ 5", ["X.VAL$", "5"]),
        ("", []),
        ("X $n", ["X", "7"]),
        ("$many", ["A", "B"]),
        ("X#1 # not a PV", ["X#1"]),
        ("X '#2' \\#3 # 4", ["X", "#2", "#3"]),
        ('X \'a # b\' "c \\" # d" #', ["X", "a # b", 'c " # d']),
        ("-# 3 X", ["-#", "3", "X"]),
        ("# nothing", []),
    ],
)
def test_a_line_is_split_as_a_shell_would(line, pieces):
    assert words(line, {"n": 7, "many": ["A", "B"], "X": 1, "Y": 2}) == pieces


def test_an_unknown_variable_and_an_open_quote_are_refused():
    with pytest.raises(Refused, match="no variable nope"):
        words("X $nope", {})
    with pytest.raises(Refused, match="quotation mark"):
        words("X 'abc", {})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10", 10.0), ("10s", 10.0), ("500ms", 0.5), ("1.5m", 90.0), ("2H", 7200.0)],
)
def test_durations(text, seconds):
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1", "5 parsecs", "nan"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ArgumentTypeError, match="try 10s"):
        duration(text)


@pytest.mark.parametrize("text", ["0", "-2", "x", "nan", "inf"])
def test_what_is_not_positive_is_refused(text):
    with pytest.raises(ArgumentTypeError, match="above zero"):
        positive(text)


def parser():
    made = LineParser("thing", "Do a thing.", [("%thing A", "to A")])
    made.add_argument("pvs", nargs="+")
    made.add_argument("-w", dest="wait", type=duration, default=5.0)
    return made


def test_help_is_printed_with_examples_and_nothing_is_done(capsys):
    done = []
    spec = Spec("thing", parser(), lambda session, options: done.append(options))
    assert run(spec, None, "-h", {}) is None
    text = capsys.readouterr().out
    assert "Do a thing." in text
    assert "%thing A" in text
    assert not done


@pytest.mark.parametrize("line", ["", "-q A", "-w", "-w x A", "--wai 3 A"])
def test_a_bad_line_is_refused_in_one_line(line):
    spec = Spec("thing", parser(), lambda session, options: options)
    with pytest.raises(Refused) as caught:
        run(spec, None, line, {})
    assert str(caught.value).startswith("%thing: ")
    assert "-h" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value._render_traceback_() == [str(caught.value)]


def test_moments_are_ago_on_the_clock_or_on_a_date():
    now = datetime.now()
    assert now.timestamp() - moment("10m") == pytest.approx(600, abs=5)
    assert moment("2026-01-02T03:04") == datetime(2026, 1, 2, 3, 4).timestamp()
    assert moment("2026-01-02T03:04Z") == datetime(2026, 1, 2, 3, 4, tzinfo=UTC).timestamp()
    for clock in ("00:00", "9:30", "23:59:59"):
        when = datetime.fromtimestamp(moment(clock))
        assert now - timedelta(days=1, seconds=1) <= when <= datetime.now()
        assert f"{when:%H:%M:%S}".startswith(clock.rjust(5, "0"))


@pytest.mark.parametrize("text", ["", "yesterday", "25:00", "9:3", "2026-13-01", "0s", "-5s"])
def test_what_is_no_moment_of_the_past_is_refused(text):
    with pytest.raises(ArgumentTypeError, match="try 10m"):
        moment(text)


def test_options_reach_the_function():
    spec = Spec("thing", parser(), lambda session, options: (session, options.pvs, options.wait))
    assert run(spec, "session", "-w 2m A B", {}) == ("session", ["A", "B"], 120.0)


@pytest.mark.parametrize(
    ("line", "pieces"),
    [("A B;", ["A", "B"]), ("A ; ", ["A"]), ("A ';'", ["A", ";"]), ("A;B", ["A;B"])],
)
def test_a_semicolon_at_the_end_belongs_to_no_word(line, pieces):
    assert words(line, {}) == pieces
