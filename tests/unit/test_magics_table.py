# SPDX-License-Identifier: Apache-2.0
"""The table of magics: every one is registered, explained, and told apart from its line."""

import re
from types import SimpleNamespace

import pytest
from IPython.core.magic import MAGIC_NO_VAR_EXPAND_ATTR

from coshell import magics
from coshell.magics.guide import GUIDE
from coshell.magics.parsing import Refused
from coshell.session import session


class Shell:
    """As much of an IPython shell as the magics need."""

    def __init__(self, tmp_path):
        self.lines = {}
        self.magics_manager = SimpleNamespace(magics={"line": self.lines})
        self.user_ns = {"several": ["A", "B"]}
        self.parent = None
        self.profile_dir = SimpleNamespace(location=str(tmp_path))

    def register_magic_function(self, function, kind, name):
        assert kind == "line"
        self.lines[name] = function


@pytest.fixture
def shell(tmp_path):
    one = Shell(tmp_path)
    magics.load_ipython_extension(one)
    yield one
    magics.unload_ipython_extension(one)
    assert not one.lines


def test_every_magic_is_registered_with_its_help(shell):
    assert set(shell.lines) == set(magics.SPECS)
    for name, function in shell.lines.items():
        assert function.__name__ == name
        assert f"usage: %{name}" in function.__doc__
        assert "examples:" in function.__doc__


@pytest.mark.parametrize("name", magics.SPECS)
def test_help_is_printed_and_fits_a_screen(shell, name, capsys):
    assert shell.lines[name]("-h") is None
    text = capsys.readouterr().out
    assert f"%{name}" in text
    assert max(map(len, text.splitlines())) < 80


def test_the_guide_names_what_there_is_on_one_screen():
    lines = GUIDE.splitlines()
    assert len(lines) <= 20
    assert max(map(len, lines)) < 80
    others = {"connect"}
    words = set(re.findall(r"%(\w+)", GUIDE))
    assert words - {"NAME", "coshell"} >= magics.SPECS.keys() - others


@pytest.mark.parametrize("name", magics.SPECS)
def test_a_line_with_an_unknown_flag_is_refused(shell, name):
    with pytest.raises(Refused, match="-h shows how"):
        shell.lines[name]("--nonsense-flag")


def test_ipython_leaves_the_braces_of_a_range_alone(shell):
    for function in shell.lines.values():
        assert getattr(function, MAGIC_NO_VAR_EXPAND_ATTR)


def test_panels_are_kept_beside_the_operators_profile(shell, tmp_path):
    assert session.stores == [tmp_path / "panels.toml"]


def test_nothing_is_watched_at_first(shell, capsys):
    assert shell.lines["camonitor"]("") == []
    assert "try %camonitor PV" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("camonitor --sort best A", "choose from"),
        ("camonitor --columns nme A", "there are name, value"),
        ("camonitor --for soon A", "try 10s"),
        ("camonitor --rate 0 A", "above zero"),
        ("camonitor --mark 'A 5' A", "no threshold"),
        ("camonitor --dock --log A", "not allowed with"),
        ("camonitor ring:", "there is no panel ring"),
        ("camonitor : A", "needs a name"),
        ("camonitor 'A +'", "found its end"),
        ("camonitor A{1..999999}", "more than"),
        ("camonitor Q*", "no known PV"),
        ("camonitor -d", "name a panel"),
        ("camonitor -d A", "not watched; watched are no PVs at all"),
        ("panels --save", "no panel is open"),
        ("panels --load", "which panel"),
        ("panels --save --load x", "not allowed with"),
        ("panels ring", "try %panels --load ring"),
        ("caplot --span 0s A", "some time"),
        ("caplot plot:", "PVs come after"),
        ("caplot --since yesterday A", "try 10m"),
        ("caplot --since 2999-01-01 A", "still to come"),
        ("caplot --since 1m --span 1m A", "not allowed with"),
        ("caget", "required"),
        ("caget -w x A", "try 10s"),
        ("caget -# x A", "invalid int"),
        ("caget $nope", "no variable nope"),
        ("caput", "required"),
        ("caput A", "no value for A"),
        ("caput A 1 -w", "flags go first"),
    ],
)
def test_bad_lines_are_refused_in_one_line_before_anything_is_asked_of_the_network(
    shell, line, says
):
    name, _, rest = line.partition(" ")
    with pytest.raises(Refused, match=says) as caught:
        shell.lines[name](rest)
    assert "\n" not in str(caught.value)
    assert not len(session.watches)
