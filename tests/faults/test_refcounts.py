# SPDX-License-Identifier: Apache-2.0
"""What is done with is freed at once, with whatever large values hang on it: no cycle keeps it
until the collector comes.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from collections import Counter
from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Any

import pytest

import catools
import cothread
from catools import (
    FORMAT_TIME,
    CAException,
    aio,
    ca_nothing,
    caget,
    camonitor,
    caput,
    connect,
    put_hooks,
)
from catools.protocol.eca import ECA_NOWTACCESS
from catools.pv import PV, PV_array
from catools.testing import Pv, Server
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("no_collector")


def of_monitors() -> Counter[str]:
    """Count the objects that monitors are made of."""
    return Counter(
        type(thing).__name__
        for thing in gc.get_objects()
        if type(thing).__module__ in ("catools.client.monitors", "catools.client.dispatcher")
    )


WAYS: dict[str, Callable[[str, Callable[[Any], object]], list[Any]]] = {
    "merging": lambda name, tell: [camonitor(name, tell)],
    "all updates": lambda name, tell: [camonitor(name, tell, all_updates=True)],
    "several": lambda name, tell: [
        camonitor(name, tell, format=FORMAT_TIME, all_updates=every) for every in (False, True)
    ],
}


@pytest.mark.parametrize("name", ["PV", "BIG"])
@pytest.mark.parametrize("way", WAYS)
def test_monitor_leaves_nothing_for_the_collector(server: Server, way: str, name: str) -> None:
    server.pvs["BIG"] = Pv([1.0] * 1000)
    before = of_monitors()
    seen: list[Any] = []
    monitors = WAYS[way](name, seen.append)
    wait_until(partial(has, seen, len(monitors)), "the initial values")
    # Whoever joins is given the last value, through a tap of its own.
    monitors += WAYS[way](name, seen.append)
    wait_until(partial(has, seen, len(monitors)), "the values of those who join")
    server[name].post([2.0] * server[name].size)
    wait_until(partial(has, seen, 2 * len(monitors)), "the update")
    for monitor in monitors:
        monitor.close()
    (link,) = catools.default_client().links.values()
    wait_until(lambda: not link.circuit.cancelling, "the acknowledgement")
    del monitor, monitors, seen
    assert of_monitors() - before == Counter({"Dispatcher": 1})


def has(seen: list[Any], count: int) -> bool:
    """Tell whether so many values have come."""
    return len(seen) == count


def test_lost_connection_leaves_nothing_of_its_monitors(server: Server) -> None:
    seen: list[Any] = []
    monitor = camonitor("PV", seen.append, notify_disconnect=True)
    wait_until(lambda: seen, "the value")
    before = of_monitors()
    for turn in range(3):
        server.connection.close()
        wait_until(lambda turn=turn: len(seen) == 3 + 2 * turn, "notice and value")
    assert of_monitors() == before
    monitor.close()


def refuse(_attempts: object) -> None:
    """Refuse every put."""
    raise CAException("PV", ECA_NOWTACCESS, "no")


class Short(Pv):
    """Sends less than it says."""

    def encode(self, dbr: int, count: int) -> tuple[int, bytes]:
        """Return the number of elements without them."""
        return super().encode(dbr, count)[0], b""


FAILURES: dict[str, Callable[[], object]] = {
    "no answer": lambda: caget("NONE", timeout=0.02),
    "no answer for one": lambda: caget(["PV", "NONE"], timeout=0.02),
    "impossible name": lambda: caget(""),
    "impossible name among others": lambda: caget(["PV", ""]),
    "impossible name, as a value": lambda: caget(["PV", ""], throw=False)[1],
    "no read access": lambda: caget("SECRET"),
    "connect, no answer": lambda: connect("NONE", timeout=0.02),
    "connect, impossible name": lambda: connect(["PV", ""]),
    "connect, as a value": lambda: connect(["PV", ""], throw=False)[1],
    "text that is no number": lambda: caput("LONG", "x", datatype=int),
    "NaN among others": lambda: caput(["PV", "LONG"], [1, float("nan")]),
    "NaN, as a value": lambda: caput(["PV", "LONG"], [1, float("nan")], throw=False)[1],
    "put, no answer": lambda: caput("NONE", 1, timeout=0.02),
    "no write access": lambda: caput("SECRET", 1),
    "lists of two lengths": lambda: caput(["PV", "LONG"], [1]),
    "two dimensions": lambda: caput("WAVE", [[1, 2], [3, 4]]),
    "refused by a hook": lambda: caput(["PV", "REFUSED"], 1),
    "refused by a hook, as a value": lambda: caput(["PV", "REFUSED"], 1, throw=False)[1],
    "first value of a PV": lambda: PV("NONE").sync(0.02),
    "next value of a PV": lambda: PV("NONE").get_next(0.02),
    "reply that cannot be decoded": lambda: caget("WRONG", format=FORMAT_TIME),
    "PVs in an array": lambda: PV_array(["PV", "NONE"]).sync(0.02, throw=True),
}


def caught(work: Callable[[], object]) -> Any:
    """Return the error that comes of some work, thrown or not."""
    try:
        return work()
    except ca_nothing as error:
        return error


def caught_in_a_thread(work: Callable[[], object]) -> Any:
    """Return the error that comes of some work in another thread."""
    found: list[Any] = []
    thread = Thread(target=lambda: found.append(caught(work)))
    thread.start()
    wait_until(lambda: found, "the error")
    thread.join()
    return found.pop()


@pytest.mark.parametrize("where", [caught, caught_in_a_thread])
@pytest.mark.parametrize("what", FAILURES)
def test_error_is_freed_when_nobody_holds_it(
    server: Server, what: str, where: Callable[[Callable[[], object]], Any]
) -> None:
    server.pvs["SECRET"] = Pv([1], rights=0)
    server.pvs["WRONG"] = Short([1.0])
    connect(["PV", "LONG", "WAVE", "SECRET", "WRONG"])
    if "hook" in what:
        put_hooks.add(before=refuse)
    try:
        error = where(FAILURES[what])
    finally:
        put_hooks.remove(before=refuse)
    assert isinstance(error, ca_nothing)
    assert not error.ok
    freed = weakref.ref(error)
    del error
    # What it came through in other threads ends after it.
    wait_until(lambda: freed() is None, "the end of the error", 2)


@pytest.mark.skipif(
    sys.version_info >= (3, 12), reason="asyncio itself makes a cycle of a future that fails"
)
def test_error_that_was_awaited_is_freed(server: Server) -> None:
    async def catch() -> ca_nothing:
        try:
            await aio.caget("NONE", timeout=0.02)
        except ca_nothing as error:
            return error
        raise AssertionError("no error")

    with asyncio.Runner(loop_factory=cothread.GuestLoop) as runner:
        error = runner.run(catch())
    freed = weakref.ref(error)
    del error
    wait_until(lambda: freed() is None, "the end of the error", 2)
