# SPDX-License-Identifier: Apache-2.0
"""Names out of lists, out of what dbl prints, and out of databases; `%pvs` over them."""

import pytest

from coshell.magics.known import SPECS, Names
from coshell.magics.parsing import Refused, run
from coshell.pv_lists import ListError, names_in, read
from coshell.session import Session

DATABASE = """
# record(ai, "$(P):NOT") is a comment
record(ai, "$(P):A#1") { field(DESC, "record(bi, NO)") }
grecord(bo,${P}:$(R=07)) {
    alias("$(P):ALIAS")
}
alias("$(P):A#1", "SECOND")
"""


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("A:B\n\n# no\nC:D  # yes\nA:B\n", ["A:B", "C:D"]),
        ('epics> dbl\nX:1\nX:2,"words"\nepics> \n', ["X:1", "X:2"]),
        ("\x1b[2J\nGOOD\n", ["GOOD"]),
        ("", []),
    ],
)
def test_lines(text, names):
    assert names_in(text, {}) == names


def test_a_database():
    names = ["SR:A#1", "SR:07", "SR:ALIAS", "SECOND"]
    assert names_in(DATABASE, {"P": "SR"}) == names
    assert names_in(DATABASE, {"P": "$(Q)", "Q": "SR"}) == names
    assert "SR:1" in names_in(DATABASE, {"P": "SR", "R": "1"})
    with pytest.raises(ListError, match=r"has a macro; give it a value with -m P="):
        names_in(DATABASE, {})
    with pytest.raises(ListError, match="stands for itself"):
        names_in(DATABASE, {"P": "$(P)"})


def test_a_file_that_gives_nothing(tmp_path):
    with pytest.raises(ListError, match="No such file"):
        read(tmp_path / "none", {})
    (tmp_path / "empty").touch()
    with pytest.raises(ListError, match="no PV names in it"):
        read(tmp_path / "empty", {})


@pytest.fixture
def pvs(monkeypatch):
    """Return what runs `%pvs` in a session that knows some names."""
    monkeypatch.setattr(Session, "width", lambda _: 40)
    session = Session()
    session.name_sources[:] = [lambda: ["SR:BPM-02:X", "SR:BPM-01:X", "SR:RF"]]
    call = lambda line: run(SPECS[0], session, line, {})  # noqa: E731
    call.session = session
    return call


def test_listing_and_searching(pvs):
    assert pvs("") == ["SR:BPM-01:X", "SR:BPM-02:X", "SR:RF"]
    assert pvs("bpm") == ["SR:BPM-01:X", "SR:BPM-02:X"]
    assert pvs("SR:{RF,BPM-02}*") == ["SR:RF", "SR:BPM-02:X"]
    assert pvs.session.pvs("SR:BPM-{05,06}:Y SR:BPM*") == [
        *("SR:BPM-05:Y", "SR:BPM-06:Y", "SR:BPM-02:X", "SR:BPM-01:X"),
    ]
    with pytest.raises(Refused, match=r"none of 3 known names is like SR:RG; did you mean SR:RF\?"):
        pvs("SR:RG")


def test_loading(pvs, tmp_path, capsys):
    (tmp_path / "ring.db").write_text(DATABASE)
    assert pvs(f"--load {tmp_path}/ring.db -m P=LI")[1] == "LI:07"
    assert capsys.readouterr().out == f"4 names from {tmp_path}/ring.db\n"
    assert pvs("LI:*") == ["LI:07", "LI:A#1", "LI:ALIAS"]
    pvs(f"--load {tmp_path}/ring.db -m P=XX")
    with pytest.raises(Refused, match="is like LI"):
        pvs("LI:*")
    for line, why in (
        (f"-l {tmp_path}/ring.db", "give it a value with -m P="),
        ("-l /no/such/file", "No such file"),
        (f"-l {tmp_path}/ring.db -m P", "macros are written as P=SR,R=01"),
    ):
        with pytest.raises(Refused, match=why):
            pvs(line)
    pvs.session.close()


def test_many_names_are_shown_in_part():
    text = str(Names([f"PV:{n:06}" for n in range(100_000)], 40))
    assert len(text.splitlines()) == 21
    assert max(map(len, text.splitlines())) <= 46
    assert text.startswith("PV:000000  PV:000001  PV:000002\n")
    assert text.endswith("… and 99940 more: %pvs WORD narrows it down")
    assert str(Names([], 40)) == "no names"
