# SPDX-License-Identifier: Apache-2.0
"""What the measured programs share; the standard library only, because peers run it too."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import monotonic, perf_counter, process_time, time
from typing import Any

__all__ = [
    "NAP_S",
    "ROUNDS",
    "Sink",
    "Updates",
    "cpu_us",
    "in_time",
    "lap",
    "names",
    "report",
    "resident_kb",
]

NAP_S = 12.0
"""How long sleepers sleep: the last one must lie down before the first one gets up."""
ROUNDS = 20
"""Short measurements are taken so often, and the least counts."""
SAMPLED = 16
"""The lag of every so many updates is kept."""


def cpu_us(work: Callable[[int], object], count: int, rounds: int = 1) -> float:
    """Return the processor time of `work(count)` in microseconds, for each of `count`.

    The time of the processor, not of the wall, and of several rounds the least: other programs
    run on this machine, and take the caches away even where they leave a processor.
    """
    work(count // 10)
    best = float("inf")
    for _ in range(rounds):
        began = process_time()
        work(count)
        best = min(best, process_time() - began)
    return best * 1e6 / count


def lap(work: Callable[[], object], rounds: int, items: int = 1, warm: int = 1) -> dict[str, float]:
    """Do `work` again and again, and return its time for each item, in microseconds.

    Returns:
        wall_us: the time that passes; cpu_us: the processor time of all threads of the process.
    """
    for _ in range(warm):
        work()
    began, began_cpu = perf_counter(), process_time()
    for _ in range(rounds):
        work()
    wall, cpu = perf_counter() - began, process_time() - began_cpu
    return {"wall_us": wall * 1e6 / rounds / items, "cpu_us": cpu * 1e6 / rounds / items}


def resident_kb() -> float:
    """Return the memory that this process holds, in kB."""
    try:
        with open("/proc/self/statm") as status:
            return int(status.read().split()[1]) * resource.getpagesize() / 1000
    except FileNotFoundError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 1000 if sys.platform == "darwin" else peak * 1.024


def in_time(until: float) -> None:
    """Fail unless everybody was asleep before it was time to get up."""
    if monotonic() > until:
        raise SystemExit(f"not all were asleep within {NAP_S} s; is the machine busy?")


def names(prefix: str, count: int) -> list[str]:
    """Return the names of the first `count` records of the benchmarks' database."""
    return [f"{prefix}{number}" for number in range(count)]


class Updates:
    """Counts the updates of many PVs; each PV counts up by one, so that lost ones are missed."""

    def __init__(self, pvs: int) -> None:
        self.number = 0
        self.last: list[float | None] = [None] * pvs
        self.lost = 0
        self.lags: list[float] = []
        self.began = self.began_cpu = 0.0

    def count(self, _value: Any, _index: int) -> None:
        """Take an update, at the least cost."""
        self.number += 1

    def check(self, value: Any, index: int) -> None:
        """Take an update, see what is missing before it, and how late it is."""
        self.number += 1
        last = self.last[index]
        if last is not None and value != last + 1:
            self.lost += int(value - last - 1)
        self.last[index] = float(value)
        if not self.number % SAMPLED:
            self.lags.append(time() - value.timestamp)

    def start(self) -> None:
        """Begin to measure."""
        self.number = self.lost = 0
        self.lags.clear()
        self.began, self.began_cpu = monotonic(), process_time()

    def figures(self) -> dict[str, float]:
        """Return what was measured since `start`."""
        cpu, wall = process_time() - self.began_cpu, monotonic() - self.began
        figures = {
            "rate": self.number / wall,
            "cpu_us": cpu * 1e6 / max(self.number, 1),
            "load": 100 * cpu / wall,
        }
        if self.lags:
            self.lags.sort()
            figures["p50_ms"] = self.lags[len(self.lags) // 2] * 1e3
            figures["p99_ms"] = self.lags[len(self.lags) * 99 // 100] * 1e3
            figures["lost"] = self.lost
        return figures


class Sink:
    """A process that takes in searches and never answers them."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("sink.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        port = self._process.stdout.readline().strip()
        self.environment = {
            "EPICS_CA_ADDR_LIST": f"127.0.0.1:{port}",
            "EPICS_CA_AUTO_ADDR_LIST": "NO",
            "EPICS_CA_NAME_SERVERS": "",
        }

    def received(self) -> int:
        """Return how many datagrams have come so far."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())


def report(*distributions: str, **figures: float) -> None:
    """Print the figures, and the versions of what was measured, as the program's last word."""
    versions = {}
    for name in distributions:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue  # the checkout's own
    print(json.dumps({"figures": figures, "versions": versions}), flush=True)
    # Some of the peers' libraries do not end when Python does.
    os._exit(0)
