# SPDX-License-Identifier: Apache-2.0
"""A client with nothing to do does nothing, and what is closed is given back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import catools
import cothread
from catools import camonitor, connect
from catools.client.channel import NOTHING
from tests.reliability.load import numbers
from tests.support.census import Census, outstanding, wait_until_no_more_than
from tests.support.ioc import Ioc
from tests.support.waiting import wait_until

QUIET = 1000
MANY = 4_000
IDLE_S = 3.0


def test_quiet_subscriptions_do_not_wake_the_scheduler(
    ioc_of: Callable[..., Ioc], figure: Callable[[str], None]
) -> None:
    ioc = ioc_of(numbers(QUIET))
    seen: dict[int, Any] = {}
    monitors = camonitor(
        [ioc.name(str(index)) for index in range(QUIET)],
        lambda value, index: seen.__setitem__(index, value),
    )
    wait_until(lambda: len(seen) == QUIET, "all values")
    cothread.Sleep(0.5)
    client = catools.default_client()
    before, turns, cpu = client.statistics(), cothread.Statistics().turns, time.process_time()
    cothread.Sleep(IDLE_S)
    woken = cothread.Statistics().turns - turns
    used = time.process_time() - cpu
    # The end of this sleep, and the registration with a repeater, which may be tried anew.
    assert woken <= 8, f"the scheduler ran {woken} times with nothing to do"
    after = client.statistics()
    assert (after.bytes_in, after.search_datagrams) == (before.bytes_in, before.search_datagrams)
    figure(f"{QUIET} quiet subscriptions for {IDLE_S:g} s: {woken} turns, {used * 1e3:.1f} ms CPU")
    for monitor in monitors:
        monitor.close()


def test_thousands_of_channels_leave_nothing(
    ioc_of: Callable[..., Ioc], figure: Callable[[str], None]
) -> None:
    ioc = ioc_of(numbers(MANY))
    names = [ioc.name(str(index)) for index in range(MANY)]
    client = catools.default_client()

    def open_and_close() -> float:
        began = time.monotonic()
        connect(names, timeout=60)
        took = time.monotonic() - began
        seen: set[int] = set()
        monitors = camonitor(names, lambda _, index: seen.add(index))
        wait_until(lambda: len(seen) == MANY, "all values", 60)
        for monitor in monitors:
            monitor.close()
        client.purge()
        wait_until(lambda: not outstanding(), "every answer has come", 60)
        (link,) = client.links.values()
        wait_until(lambda: not link.circuit.channels, "every channel is given back", 60)
        return took

    # The first rounds fill pools; what they leave is there to be used again.
    open_and_close()
    took = open_and_close()
    cothread.Sleep(0.2)
    before = Census.now()
    open_and_close()
    # What the circuit lingers on, a cothread and a timer for each round, goes with its time, and
    # the circuit too: what it ended with is all that is new.
    wait_until_no_more_than(before, ".Burst", ".Fault")
    after = Census.now()
    kept = (after.resident - before.resident) / 1024
    figure(f"{MANY} channels connected in {took:.2f} s; {kept:.0f} KiB more after another round")
    assert kept < 8192
    assert not NOTHING
