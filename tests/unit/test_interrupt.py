# SPDX-License-Identifier: Apache-2.0
"""Whom a Ctrl-C is for, when it comes between two that could have it."""

from __future__ import annotations

import signal

import pytest

from coshell.kernel.interrupt import Interrupts
from cothread import Yield


@pytest.fixture
def interrupts():
    interrupts = Interrupts()
    with interrupts.installed():
        yield interrupts


def test_one_that_does_not_reach_the_prompt_in_time_keeps_the_cell_from_beginning(interrupts):
    pressed = []
    interrupts.at_prompt = lambda: pressed.append(True)
    signal.raise_signal(signal.SIGINT)
    # The main program takes over, and gives nobody a turn.
    interrupts.at_prompt = None
    assert interrupts.begin()
    interrupts.at_prompt = lambda: pressed.append(True)
    Yield()
    assert not pressed
    assert not interrupts.begin()


def test_each_one_reaches_the_prompt_that_waits(interrupts):
    pressed = []
    interrupts.at_prompt = lambda: pressed.append(True)
    signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGINT)
    # A cell that begins in a job, meanwhile, is not meant.
    assert not interrupts.begin()
    Yield()
    assert len(pressed) == 2
    interrupts.at_prompt = None
    assert not interrupts.begin()
