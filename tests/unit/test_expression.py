# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coshell.expression import Expression, ExpressionError, is_expression

VALUES = {
    "I1": 5.0,
    "I2": 3,
    "A-B": 100.0,
    "SR:X.VAL": 2.0,
    "13IDA:m1.RBV": 7.0,
    "odd name": 4.0,
    "WAVE": np.array([1.0, 2.0, 6.0]),
    "TEXT": "up",
    **{f"BPM-{n:02d}:X": float(n) for n in range(1, 13)},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("I1 - I2", 2.0),
        ("I1 -I2", 2.0),
        ("A-B - I1", 95.0),
        ("I1 + I2 * 2", 11.0),
        ("(I1 + I2) * 2", 16.0),
        ("2 ** 3 ** I2 / I2 ** 2", 2**27 / 9),
        ("-I1 ** 2", -25.0),
        ("- -I1", 5.0),
        ("13IDA:m1.RBV / SR:X.VAL", 3.5),
        ("mean(BPM-{01..12}:X)", 6.5),
        ("max(BPM-{01..03}:X, I1, 2)", 5.0),
        ("std(WAVE)", math.sqrt(14 / 3)),
        ("span(WAVE) + 1", 6.0),
        ("'odd name' * 2", 8.0),
        ("I1 > I2", 1.0),
        ("I1 > 3 and not I2 > 3", 1.0),
        ("not not I1", 1.0),
        ("I1 < 3 or I2 == 3", 1.0),
        ("1.5e3 + I1", 1505.0),
        ("I1 % I2", 2.0),
        ("sqrt(I2 + 1)", 2.0),
        ("I1 / (I2 - 3)", math.nan),
        ("sqrt(0 - I1)", math.nan),
        ("10 ** 999 ** I1", math.inf),
        ("log10(I1 * 20)", 2.0),
    ],
)
def test_arithmetic(text, value):
    assert Expression(text)(VALUES) == pytest.approx(value, nan_ok=True)


def test_the_pvs_of_an_expression_are_known():
    assert Expression("mean(B{1..3}) - I1 + I1").names == ["B1", "B2", "B3", "I1"]


@pytest.mark.parametrize(
    ("text", "keeps"),
    [("A - B", True), ("mean(A, B)", True), ("A * B", False), ("log(A)", False), ("A > B", False)],
)
def test_units_survive_sums_only(text, keeps):
    assert Expression(text).keeps_units is keeps


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("I1 +", "found its end"),
        ("(I1", "expected \\)"),
        ("I1 I2", "did not expect 'I2' at position 4"),
        ("nope(I1)", "no function nope; there are mean"),
        ("B{1..3} + 1", "is 3 PVs; put it in mean"),
        ("1 + 2", "no PV"),
        ("I1 & I2", "cannot read '& I2'"),
        ("and + 1", "found 'and'"),
        ("mean()", "found \\)"),
        ("(" * 100 + "I1" + ")" * 100, "too many parentheses"),
        ("mean(B{1..9999999})", "more than"),
        ("I1" + " ** I1" * 100, "too many"),
        ("I1" + " + I1" * 1000, "longer than"),
        ("'' + 1", "found ''"),
    ],
)
def test_what_cannot_be_read_is_refused(text, says):
    with pytest.raises(ExpressionError, match=says):
        Expression(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("TEXT + 1", "TEXT: holds text"),
        ("WAVE + 1", "WAVE: holds 3 numbers"),
        ("sqrt(WAVE)", "sqrt cannot take 3"),
    ],
)
def test_what_cannot_be_computed_is_told(text, says):
    with pytest.raises(ExpressionError, match=says):
        Expression(text)(VALUES)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("SR-DI-DCCT:SIGNAL", False),
        ("BPM-{01..12}:X", False),
        ("A<B>:C", False),
        ("DEMO:BPM-*:X", False),
        ("not A", True),
        ("I1 - I2", True),
        ("mean(A)", True),
        ("A* 2", True),
        ('X.{"dbnd":{"abs":1}}', False),
        ("X.VAL$", False),
    ],
)
def test_arithmetic_is_told_from_names(text, answer):
    assert is_expression(text) is answer


@given(st.text(alphabet="AB12:-+*/(){}.,<>='\" \tandort", max_size=20))
def test_any_text_is_read_or_refused(text):
    try:
        expression = Expression(text)
    except ExpressionError:
        return
    values = dict.fromkeys(expression.names, 2.0)
    try:
        assert isinstance(expression(values), float)
    except ExpressionError:
        pass
