# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coshell.names import LIMIT, PatternError, expand, pvs


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("A", ["A"]),
        ("B-{01..03}", ["B-01", "B-02", "B-03"]),
        ("B{9..11}", ["B9", "B10", "B11"]),
        ("B{3..1}", ["B3", "B2", "B1"]),
        ("B{1..9..4}", ["B1", "B5", "B9"]),
        ("B{08..10}", ["B08", "B09", "B10"]),
        ("S{a..c}", ["Sa", "Sb", "Sc"]),
        ("B{1..2}:{X,Y}", ["B1:X", "B1:Y", "B2:X", "B2:Y"]),
        ("{A,B{1..2}}:V", ["A:V", "B1:V", "B2:V"]),
        ("A{,.DESC}", ["A", "A.DESC"]),
    ],
)
def test_a_group_stands_for_each_of_its_names(pattern, names):
    assert expand(pattern) == names


@pytest.mark.parametrize(
    "name",
    [
        "SR:C03-BI{BPM:1}Pos:X-I",
        "A{B",
        "A}B",
        "A{}",
        'X.VAL{"dbnd":{"abs":0.1}}',
        'X.{"dbnd":{"abs":0.1,"rel":2}}',
    ],
)
def test_other_braces_belong_to_the_name(name):
    assert expand(name.replace(".VAL{", ".{")) == [name.replace(".VAL{", ".{")]


@pytest.mark.parametrize("pattern", ["A{1..999999}", "A{1..400}{1..400}", "A{1..5..0}"])
def test_a_pattern_that_is_too_large_is_refused(pattern):
    with pytest.raises(PatternError, match="like"):
        expand(pattern)


@given(st.text(alphabet="AB:-_{}.,019$", max_size=24))
def test_any_text_expands_or_is_refused(text):
    try:
        names = expand(text)
    except PatternError:
        return
    assert 1 <= len(names) <= LIMIT
    if "{" not in text:
        assert names == [text]


def test_each_name_comes_once_and_in_order():
    assert pvs("B{2..3} B{1..3} A") == ["B2", "B3", "B1", "A"]


def test_a_glob_takes_from_the_known_names():
    known = ["R:BPM-01:X", "R:BPM-02:X", "R:RF", "R:T[1]", "R:T[2]"]
    assert pvs(["R:BPM-??:X"], known) == ["R:BPM-01:X", "R:BPM-02:X"]
    assert pvs("R:T[1]*", known) == ["R:T[1]"]
    with pytest.raises(PatternError, match="no known PV"):
        pvs("Q*", known)
