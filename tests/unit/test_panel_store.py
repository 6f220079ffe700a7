# SPDX-License-Identifier: Apache-2.0
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coshell.panel.columns import COLUMNS
from coshell.panel.look import Look
from coshell.panel.marks import Mark
from coshell.panel.select import ONLY, SORTS, Choice
from coshell.panel_store import Plan, Store, StoreError, load, save


def test_no_file_is_nothing(tmp_path):
    assert load(tmp_path / "panels.toml") == Store()


def test_a_file_written_by_a_person(tmp_path):
    path = tmp_path / "panels.toml"
    path.write_text(
        """
        [theme]
        major = "bold white on red"
        [panels.ring]
        pvs = ["A", "B{1..3}", "A - B1"]
        columns = ["name", "value"]
        sort = "alarm"
        rate = 2
        marks = ["A < 290", "> 5"]
        open = true
        [panels.vacuum.groups]
        gauges = ["G1", "G2"]
        """
    )
    store = load(path)
    assert store.theme == {"major": "bold white on red"}
    ring = store.panels["ring"]
    assert ring.groups == {"": ("A", "B{1..3}", "A - B1")}
    assert ring.marks == (("A", Mark("<", 290.0)), ("", Mark(">", 5.0)))
    assert ring.look == Look(("name", "value"), Choice(sort="alarm"), 2)
    assert ring.opens
    assert store.panels["vacuum"].groups == {"gauges": ("G1", "G2")}
    assert store.panels["vacuum"].look.choice.grouped


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = ", "Invalid value"),
        ("panels = 3", "write \\[panels.NAME\\]"),
        ("[panels]\nring = 3", "write \\[panels.NAME\\]"),
        ('[panels.r]\npv = ["A"]', "has no 'pv'; it can have pvs"),
        ('[panels.r]\npvs = "A"', "wrong kind"),
        ("[panels.r]\npvs = [1]", 'written as \\["A", "B"\\]'),
        ('[panels.r]\nsort = "best"', "there is given"),
        ('[panels.r]\nonly = "best"', "there is alarm"),
        ('[panels.r]\ncolumns = ["nme"]', "no column 'nme'"),
        ('[panels.r]\nmarks = ["A"]', "no threshold"),
        ("[panels.r]\nrate = -1", "above zero"),
        ('[theme]\nmajro = "red"', "no role 'majro'"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(tmp_path, text, says):
    path = tmp_path / "panels.toml"
    path.write_text(text)
    with pytest.raises(StoreError, match=says) as caught:
        load(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_what_else_a_file_holds_stays(tmp_path):
    path = tmp_path / "deep" / "panels.toml"
    save(path, {"one": Plan({"": ["A"]})})
    path.write_text(path.read_text() + '\n[theme]\nminor = "blue"\n[other]\nx = 1\n')
    save(path, {"two": Plan({"": ["B"]})})
    data = tomllib.loads(path.read_text())
    assert set(data["panels"]) == {"one", "two"}
    assert data["other"] == {"x": 1}
    assert [file.name for file in path.parent.iterdir()] == ["panels.toml"]


def test_a_file_that_is_not_understood_is_never_overwritten(tmp_path):
    path = tmp_path / "panels.toml"
    path.write_text("my notes")
    with pytest.raises(StoreError):
        save(path, {"one": Plan({"": ["A"]})})
    assert path.read_text() == "my notes"


names = st.text(min_size=1, max_size=12)
numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(
    name=names,
    groups=st.dictionaries(st.text(max_size=6), st.lists(names, min_size=1).map(tuple), max_size=3),
    marks=st.lists(st.tuples(st.just("A"), st.builds(Mark, st.just("<"), st.integers(-9, 9)))),
    look=st.builds(
        Look,
        st.lists(st.sampled_from(list(COLUMNS)), min_size=1, unique=True).map(tuple),
        st.builds(
            Choice,
            sort=st.sampled_from(list(SORTS)),
            only=st.sampled_from(["", *ONLY]),
            grouped=st.booleans(),
        ),
        st.one_of(st.none(), st.integers(1, 50)),
    ),
    opens=st.booleans(),
)
def test_what_is_saved_is_what_is_loaded(tmp_path_factory, name, groups, marks, look, opens):
    path = tmp_path_factory.mktemp("store") / "panels.toml"
    plan = Plan(groups, tuple(marks), look, opens)
    save(path, {name: plan})
    assert load(path).panels[name] == plan
