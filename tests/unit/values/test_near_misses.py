# SPDX-License-Identifier: Apache-2.0
"""What may have been meant by a name or a state that there is not."""

import pytest

from catools.near_misses import NAMES_ALIKE, STATES_ALIKE, near_misses

NAMES = ["DEMO:CURRENT", "DEMO:RF:FREQ", "DEMO:BPM-01:X", "DEMO:BPM-02:X"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("demo:curent", ["DEMO:CURRENT"]),
        ("DEMO:RF:FREQQ", ["DEMO:RF:FREQ"]),
        ("DEMO:BPM-02:x", ["DEMO:BPM-02:X"]),
        ("XYZ", []),
        ("", []),
    ],
)
def test_of_names_the_nearest_is_meant(typed, meant):
    assert near_misses(typed, NAMES, NAMES_ALIKE) == meant


def test_a_state_is_looked_for_with_more_patience():
    assert near_misses("opn", ["Open", "Closed"], STATES_ALIKE) == ["Open"]
    assert near_misses("opn", ["Opening", "Closed"], NAMES_ALIKE) == []


def test_all_spellings_that_differ_in_case_only_are_meant():
    assert near_misses("tow", ["one", "Two", "TWO"], STATES_ALIKE) == ["Two", "TWO"]


def test_nothing_is_known():
    assert near_misses("PV", iter(()), STATES_ALIKE) == []
