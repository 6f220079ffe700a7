# SPDX-License-Identifier: Apache-2.0
"""Completion of PV names: what is offered, and where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coshell.completion import Matcher, NameIndex, parts
from coshell.memory import NameMemory
from coshell.panel.model import Metadata
from coshell.session import Session

NAMES = ["SR:BPM-01:X", "SR:BPM-01:Y", "SR:BPM-02:X", "SR:CURRENT", "SR", "LI:GUN:STATE"]


@pytest.fixture
def matcher() -> Matcher:
    session = Session()
    session.name_sources.append(lambda: NAMES)
    session.metadata["LI:GUN:STATE"] = Metadata(enums=("Off", "On", "Stand by"))
    numbers = [("1", "scan, waiting"), ("2", "tick, done"), ("12", "tock, done")]
    variables = {"caget": print, "camonitor": print, "first": [1], "second": 2, "_": 3}
    hidden = {"_": 3, "second": 1}
    return Matcher(session, variables, {"JOB": lambda: numbers}, hidden)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("", ["LI:", "SR", "SR:"]),
        ("S", ["SR", "SR:"]),
        ("SR:", ["SR:BPM-01:", "SR:BPM-02:", "SR:CURRENT"]),
        ("SR:BPM-01", ["SR:BPM-01:X", "SR:BPM-01:Y"]),
        ("SR:C", ["SR:CURRENT"]),
        ("L", ["LI:GUN:STATE"]),
        ("X", []),
    ],
)
def test_names_grow_part_by_part(typed, offered):
    assert parts([NameIndex(NAMES[::2]), NameIndex(NAMES[1:])], typed) == offered


names = st.lists(st.text("AB:1", min_size=1, max_size=8), max_size=30)


@given(names, st.text("AB:1", max_size=5))
def test_every_name_is_reached_by_following_the_parts(names, typed):
    offered = parts([NameIndex(names[1::2]), NameIndex(names[::2])], typed)
    assert all(part.startswith(typed) for part in offered)
    matching = [name for name in names if name.startswith(typed)]
    assert all(any(name.startswith(part) for part in offered) for name in matching)
    assert bool(offered) == bool(matching)


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("%caget SR:", ("SR:", None)),
        ("caget SR:", ("SR:", None)),
        ("%camonitor ring: SR:BPM-01:X SR:BP", ("SR:BP", None)),
        ("%caput LI:GUN:STATE O", ("O", "LI:GUN:STATE")),
        ("%caput LI:GUN:STATE 'St", ("St", "LI:GUN:STATE")),
        ("x = caget('SR:B", ("SR:B", None)),
        ("caget(['SR:BPM-01:X', 'SR:B", ("SR:B", None)),
        ('p = PV("SR:', ("SR:", None)),
        ("print('SR:", None),
        ("caget = 3", None),
        ("%timeit SR:", None),
        ("%pvs --load SR", None),
        ("%pvs --load ring.db SR", ("SR", None)),
        ("%camonitor --for 5", None),
        ("%camonitor --for 5s SR:", ("SR:", None)),
        ("%camonitor --mark 'SR:", ("SR:", None)),
        ("%camonitor --l", None),
        ("%caput LI:GUN:STATE -", ("-", "LI:GUN:STATE")),
        ("%caput LI:GUN:STATE $", None),
        ("%jobs SR:", None),
    ],
)
def test_where_a_name_is_being_typed(matcher, text, typed):
    assert matcher.typed(text) == typed


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("%camonitor --s", ["--screen", "--sort"]),
        ("%camonitor --dock --s", ["--sort"]),
        ("%camonitor --sort alarm --s", ["--screen"]),
        ("%camonitor --mark '> 5' --m", ["--mark"]),
        ("x = %camonitor --sort ", ["given", "name", "alarm", "change"]),
        ("%camonitor --for ", []),
        ("%camonitor --nonsense", []),
        ("%caput -", ["-w", "-c", "--no-wait", "-t", "-n", "-s", "-S", "--qt", "-a", "--help"]),
        ("%jobs -h", ["-h"]),
        ("%kill 3 1", ["1", "12"]),
        ("%%spawn --n", ["--name"]),
        ("%caget $", ["$first", "$second"]),
        ("%caput SR:CURRENT $s", ["$second"]),
    ],
)
def test_options_and_what_they_take(matcher, text, offered):
    found = matcher.word(text)
    assert found is not None
    assert found[0] == text.split(" ")[-1]
    assert [word for word, _ in found[1]] == offered


def test_an_option_says_what_it_does(matcher):
    assert matcher.word("%camonitor --lo") == (
        "--lo",
        [("--log", "a line above the prompt for every change")],
    )


@pytest.mark.parametrize("text", ["camonitor --lo", "%caget SR:", "%timeit -n", "%spawn sc", "-"])
def test_what_is_no_word_of_a_magic_is_left_to_others(matcher, text):
    assert matcher.word(text) is None


def test_fields_after_a_dot(matcher):
    assert matcher.candidates("SR:CURRENT.HI") == ["SR:CURRENT.HIHI", "SR:CURRENT.HIGH"]
    assert matcher.candidates("SR:NOSUCH.HI") == []


def test_states_as_the_value_of_a_put(matcher):
    assert matcher.candidates("o", "LI:GUN:STATE") == ["Off", "On"]
    assert matcher.candidates("", "LI:GUN:STATE") == ["Off", "On", "'Stand by'"]
    assert matcher.candidates("x", "SR:CURRENT") == []


def test_a_hundred_thousand_names_are_looked_at_part_by_part():
    many = [f"SR{i // 1000:03}-DI:BPM-{i % 1000:04}:X" for i in range(100_000)]
    index = NameIndex(many)
    assert len(parts([index], "SR")) == 100
    assert len(parts([index], "SR042-DI:BPM-00")) == 100
    assert parts([index], "SR042-DI:BPM-0007") == ["SR042-DI:BPM-0007:X"]


def test_an_index_is_kept_until_its_source_changes():
    session = Session()
    long, short = tuple(NAMES), ["A:1"]
    session.name_sources += [lambda: long, lambda: short]
    matcher = Matcher(session, {})
    before = matcher.indexes()
    short.append("A:2")
    after = matcher.indexes()
    assert after[-2] is before[-2]
    assert parts(after, "A:") == ["A:1", "A:2"]


def test_names_of_earlier_sessions(tmp_path):
    memory = NameMemory(tmp_path / "profile" / "names", limit=3)
    assert memory.load() == ()
    memory.save([])
    assert not memory.path.exists()
    memory.save(["A", "B"])
    memory.save(["A", "C\nD"])
    assert memory.load() == ("B", "A")
    memory.save(["C", "D"])
    assert memory.load() == ("A", "C", "D")
    assert [path.name for path in memory.path.parent.iterdir()] == ["names"]
