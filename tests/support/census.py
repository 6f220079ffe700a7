# SPDX-License-Identifier: Apache-2.0
"""What the client library holds, counted, so that a test can compare."""

from __future__ import annotations

import gc
import os
from collections import Counter
from dataclasses import dataclass

import psutil

import catools
import cothread
from cothread.scheduler import scheduler
from tests.support.waiting import wait_until


@dataclass(frozen=True)
class Census:
    """Counts at one moment."""

    objects: Counter[str]
    cothreads: int
    timers: int
    descriptors: int
    resident: int

    @classmethod
    def now(cls) -> Census:
        """Count."""
        gc.collect()
        # type(), not isinstance: a weak proxy among them may be dead.
        kinds = [type(thing) for thing in gc.get_objects()]
        objects = Counter(
            f"{kind.__module__}.{kind.__name__}"
            for kind in kinds
            if isinstance(kind.__module__, str) and kind.__module__.startswith("catools.")
        )
        return cls(
            objects,
            cothread.Statistics().cothreads,
            sum(alarm.target is not None for _, _, alarm in scheduler.timers),
            len(os.listdir("/proc/self/fd")),
            psutil.Process().memory_info().rss,
        )

    def more_than(self, before: Census, *ignored: str) -> dict[str, int]:
        """Say what there is more of, apart from memory and the kinds of objects ignored."""
        grown: dict[str, int] = {
            kind: count - before.objects[kind]
            for kind, count in self.objects.items()
            if count > before.objects[kind] and not kind.endswith(ignored or ("/",))
        }
        for what in ("cothreads", "timers", "descriptors"):
            more = getattr(self, what) - getattr(before, what)
            if more > 0:
                grown[what] = more
        return grown


def wait_until_no_more_than(before: Census, *ignored: str) -> None:
    """Wait until the library holds no more than before."""
    grown: dict[str, int] = {}

    def same() -> bool:
        nonlocal grown
        grown = Census.now().more_than(before, *ignored)
        return not grown

    try:
        wait_until(same, "everything is given back")
    except AssertionError:
        raise AssertionError(f"there is more than before: {grown}") from None


def outstanding() -> dict[str, int]:
    """Count the requests of the shared client that have not ended."""
    client = catools.default_client()
    circuits = [link.circuit for link in client.links.values() if link.up]
    channels = [channel for circuit in circuits for channel in circuit.channels.values()]
    counts = {
        "reads": sum(len(circuit.reads) for circuit in circuits),
        "puts": sum(len(circuit.puts) for circuit in circuits),
        "cancels": sum(len(circuit.cancelling) for circuit in circuits),
        "queued puts": sum(len(channel.put_queue or ()) for channel in channels),
        "held puts": sum(len(circuit.held) for circuit in circuits),
        "waiters": sum(len(channel.waiters) for channel in client.channels.values()),
    }
    return {what: count for what, count in counts.items() if count}
