# SPDX-License-Identifier: Apache-2.0
"""What is said of a put, once it is known what the record made of it."""

import pytest

from coshell.panel.model import Metadata
from coshell.put import PutResult

LIMITED = Metadata(
    units="mm",
    precision=1,
    limits={"lower_ctrl_limit": -5.0, "upper_ctrl_limit": 30.0},
)
UNLIMITED = Metadata(precision=1, limits={"lower_ctrl_limit": 0.0, "upper_ctrl_limit": 0.0})


def change(asked, new, metadata=LIMITED):
    result = PutResult("X", 1.0, asked, new, metadata, True, 0.1, 0.0, 0.0)
    assert result.ok is ("asked for" not in result.change)
    return result.change


@pytest.mark.parametrize(
    ("asked", "new", "says"),
    [
        (2.0, 2.0, "1.0 → 2.0 mm"),
        (99.0, 30.0, "1.0 → 30.0 mm  (asked for 99.0; it takes -5.0 … 30.0)"),
        (-99.0, -5.0, "1.0 → -5.0 mm  (asked for -99.0; it takes -5.0 … 30.0)"),
        (99.0, 1.0, "1.0 → 1.0 mm  (asked for 99.0; it takes -5.0 … 30.0, the nearest is 30.0)"),
        (20.0, 1.0, "1.0 → 1.0 mm  (asked for 20.0, and the record holds that)"),
    ],
)
def test_a_value_out_of_limits_is_told_with_the_limits(asked, new, says):
    assert change(asked, new) == says


def test_limits_that_nobody_has_set_up_are_none():
    assert change(99.0, 1.0, UNLIMITED) == "1.0 → 1.0  (asked for 99.0, and the record holds that)"
