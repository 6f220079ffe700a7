# SPDX-License-Identifier: Apache-2.0
import pytest

from coshell.panel.marks import Mark, MarkError, parse_mark
from coshell.panel.model import NEVER_PROCESSED, Kind, Panel, PutNote, State, metadata_of

from .values import Control, augmented


def test_a_row_lives_dies_and_lives_again():
    panel = Panel("p", ["A"], now=0.0)
    row = panel["A"]
    assert row.state is State.SEARCHING
    assert row.urgency == 4
    panel.apply_update(row, augmented(1.5), 2.0)
    assert row.live
    assert row.value == 1.5
    assert row.age(5.0) == 3.0
    panel.apply_disconnect(row, 10.0, wall=99.0)
    panel.apply_disconnect(row, 20.0, wall=109.0)
    assert row.state is State.LOST
    assert row.value == 1.5
    assert (row.lost_wall, row.age(11.0)) == (99.0, 1.0)
    panel.apply_update(row, augmented(2.5), 30.0)
    assert row.live
    assert row.age(30.0) == 0.0


def test_a_disconnect_before_any_value_leaves_the_row_searching():
    panel = Panel("p", ["A"], now=1.0)
    panel.apply_disconnect(panel["A"], 5.0)
    assert panel["A"].state is State.SEARCHING
    assert panel["A"].age(6.0) == 5.0


def test_the_first_value_is_as_old_as_its_stamp_and_later_ones_as_their_arrival():
    panel = Panel("p", ["A"], now=0.0)
    row = panel["A"]
    panel.apply_update(row, augmented(1.0, timestamp=500.0), 1.0, wall=560.0)
    assert row.age(2.0) == 61.0
    panel.apply_update(row, augmented(1.0, timestamp=500.0), 3.0, wall=562.0)
    assert row.age(3.5) == 0.5


def test_clocks_that_disagree_never_make_a_negative_age():
    panel = Panel("p", ["A"], now=0.0)
    row = panel["A"]
    panel.apply_update(row, augmented(1.0, timestamp=9e9), 10.0, wall=560.0)
    assert row.age(3.0) == 0.0


def test_a_record_never_processed_is_known():
    panel = Panel("p", ["A"])
    panel.apply_update(panel["A"], augmented(0.0, timestamp=NEVER_PROCESSED), 1.0, wall=2e9)
    assert panel["A"].never_processed


def test_a_listener_is_told_once_until_it_looks():
    panel = Panel("p", ["A", "B"])
    panel.look()
    calls = []
    end = panel.listen(lambda: calls.append(panel.version))
    for now in range(5):
        panel.apply_update(panel["A"], augmented(float(now)), float(now))
    assert len(calls) == 1
    before = panel.look()
    panel.apply_update(panel["B"], augmented(1.0), 9.0)
    assert len(calls) == 2
    assert panel.version > before
    end()
    panel.look()
    panel.apply_update(panel["B"], augmented(1.0), 9.0)
    assert len(calls) == 2


def test_an_observer_gets_every_change_in_order():
    panel = Panel("p", ["A"])
    row = panel["A"]
    seen = []
    panel.observe(lambda row, kind, now: seen.append((row.name, kind, row.value, now)))
    panel.apply_update(row, augmented(1), 1.0)
    panel.apply_update(row, augmented(2), 2.0)
    control = Control(units="mA", precision=2, enums=["a"], upper_ctrl_limit=9)
    panel.apply_metadata(row, metadata_of(control), 3.0)
    panel.apply_put(row, PutNote(4.0, 1, 2, True), 4.0)
    panel.apply_disconnect(row, 5.0)
    assert seen == [
        ("A", Kind.UPDATE, 1, 1.0),
        ("A", Kind.UPDATE, 2, 2.0),
        ("A", Kind.METADATA, 2, 3.0),
        ("A", Kind.PUT, 2, 4.0),
        ("A", Kind.DISCONNECT, 2, 5.0),
    ]
    assert (row.metadata.units, row.metadata.precision, row.metadata.enums) == ("mA", 2, ("a",))
    assert row.metadata.limits == {"upper_ctrl_limit": 9.0}


def test_only_the_row_that_changed_has_a_new_version():
    panel = Panel("p", ["A", "B"])
    before = [row.version for row in panel]
    panel.apply_update(panel["B"], augmented(1.0), 1.0)
    assert [row.version for row in panel] == [before[0], before[1] + 1]


def test_the_rate_is_that_of_the_last_seconds():
    panel = Panel("p", ["A"], now=0.0)
    row = panel["A"]
    for step in range(100):
        panel.apply_update(row, augmented(1.0, update_count=2), step / 10)
    assert abs(row.rate(10.0) - 20.0) < 2.0
    assert row.rate(1000.0) < 1.0


def test_a_change_of_type_starts_a_new_trend():
    panel = Panel("p", ["A"], now=0.0)
    row = panel["A"]
    for step in range(4):
        panel.apply_update(row, augmented(float(step)), 2.0 * step)
    assert len(row.trend) == 4
    panel.apply_disconnect(row, 9.0)
    panel.apply_update(row, augmented(7), 10.0)
    assert row.trend.recent(8) == [7.0]


def test_rows_come_and_go():
    panel = Panel("p", ["A", "B", "A"])
    assert [row.name for row in panel] == ["A", "B"]
    layout = panel.layout_version
    panel.remove("A")
    assert panel.layout_version > layout
    assert "A" not in panel
    assert panel.add("C", 0.0).rank > panel["B"].rank


def test_counts_tell_lost_rows_from_alarms():
    panel = Panel("p", ["A", "B", "C", "D", "E"])
    for name, severity in zip("ABCD", (0, 1, 2, 3), strict=True):
        panel.apply_update(panel[name], augmented(1.0, severity=severity), 1.0)
    count = panel.count()
    assert (count.rows, count.lost, count.alarms) == (5, 1, 3)
    assert (count.minor, count.major, count.invalid) == (1, 1, 1)


def test_a_row_beyond_a_threshold_is_marked():
    panel = Panel("p", ["A"])
    row = panel["A"]
    panel.apply_update(row, augmented(5.0), 1.0)
    panel.set_marks(row, (Mark("<", 3.0), Mark(">", 4.0)))
    assert row.marked == Mark(">", 4.0)
    panel.apply_update(row, augmented(3.5), 2.0)
    assert row.marked is None
    panel.apply_update(row, augmented(1), 3.0)
    assert row.marked == Mark("<", 3.0)


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("SR:I < 290", ("SR:I", Mark("<", 290.0))),
        ("> 1e-6", ("", Mark(">", 1e-6))),
        ("A-B<=-3", ("A-B", Mark("<=", -3.0))),
        ("mean(A, B) != 0", ("mean(A, B)", Mark("!=", 0.0))),
    ],
)
def test_a_threshold_is_read(text, mark):
    assert parse_mark(text) == mark


@pytest.mark.parametrize("text", ["", "A", "A <", "A < B", "< <"])
def test_what_is_no_threshold_is_refused(text):
    with pytest.raises(MarkError, match="try 'SR"):
        parse_mark(text)
