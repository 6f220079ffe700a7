# SPDX-License-Identifier: Apache-2.0
"""Waiting for conditions, with deadlines, while other cothreads run."""

from __future__ import annotations

from collections.abc import Callable

import cothread
from cothread.clock import monotonic

WAIT_S = 20.0


def wait_until(condition: Callable[[], object], what: str, within_s: float = WAIT_S) -> None:
    """Let other cothreads run until something is true."""
    deadline = monotonic() + within_s
    while not condition():
        assert monotonic() < deadline, f"not within {within_s:g} s: {what}"
        cothread.Sleep(0.005)
