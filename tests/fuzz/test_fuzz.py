# SPDX-License-Identifier: Apache-2.0
"""A small part of `make fuzz`, always the same."""

from __future__ import annotations

import pytest

from tests.fuzz.__main__ import run
from tests.fuzz.cases import KINDS


@pytest.mark.parametrize("seed", [1, 2])
def test_hostile_messages(seed: int) -> None:
    made = run(seed, 0, 20_000, quiet=True)
    assert made.keys() == KINDS.keys()
