# SPDX-License-Identifier: Apache-2.0
"""An IOC that crashes and comes back, under a thousand subscriptions and a stream of puts.

`make soak` does the same many times over; COSHELL_CRASHES sets the number here.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import catools
import cothread
from tests.reliability.load import Load, numbers
from tests.support.census import Census, outstanding, wait_until_no_more_than
from tests.support.ioc import Ioc
from tests.support.waiting import wait_until

CRASHES = int(os.environ.get("COSHELL_CRASHES", "2"))
SUBSCRIPTIONS = 1000


def test_thousand_subscriptions_and_puts_survive_crashes(
    ioc_of: Callable[..., Ioc], figure: Callable[[str], None]
) -> None:
    ioc = ioc_of(numbers(SUBSCRIPTIONS))
    load = Load(ioc, SUBSCRIPTIONS)
    # The first crash fills pools and caches.
    load.crash()
    before = Census.now()
    for _ in range(CRASHES):
        load.crash()
    after = Census.now()
    load.settle()
    wait_until(lambda: not outstanding(), f"nothing is outstanding: {outstanding()}")
    # Puts may be under way in either census, so those kinds are looked at after the last one.
    in_flight = (
        *("Put", "PutBatch", "ca_nothing", "ca_float", "Slot"),
        *("Burst", "Name", "Turn", "Group"),
    )
    grown = after.more_than(before, *in_flight)
    grown = {what: more for what, more in grown.items() if what.startswith("catools.")}
    assert not grown, grown
    load.close()
    figure(
        f"{len(load.delays)} crashes; all {SUBSCRIPTIONS} values back after "
        f"{', '.join(f'{delay:.2f}' for delay in load.delays)} s; "
        f"{load.puts.succeeded} puts done, {load.puts.failed} failed with a reason"
    )


def test_closing_everything_gives_everything_back(ioc_of: Callable[..., Ioc]) -> None:
    ioc = ioc_of(numbers(100))
    catools.default_client()
    cothread.Sleep(0.1)
    before = Census.now()
    for _ in range(3):
        load = Load(ioc, 100)
        load.crash()
        load.settle()
        load.close()
        catools.default_client().purge()
        catools.close_client()
        load.values.clear()
        catools.default_client()
    del load
    wait_until_no_more_than(before)
