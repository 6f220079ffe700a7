# SPDX-License-Identifier: Apache-2.0
"""What the measured programs share; the standard library only, because peers run it too."""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from time import monotonic, process_time

__all__ = ["NAP_S", "cpu_us", "in_time", "report", "resident_kb"]

NAP_S = 12.0
"""How long sleepers sleep: the last one must lie down before the first one gets up."""


def cpu_us(work: Callable[[int], object], count: int) -> float:
    """Return the processor time of `work(count)` in microseconds, for each of `count`.

    The time of the processor, not of the wall: other programs run on this machine.
    """
    work(count // 10)
    began = process_time()
    work(count)
    return (process_time() - began) * 1e6 / count


def in_time(until: float) -> None:
    """Fail unless everybody was asleep before it was time to get up."""
    if monotonic() > until:
        raise SystemExit(f"not all were asleep within {NAP_S} s; is the machine busy?")


def resident_kb() -> float:
    """Return the memory that this process holds, in kB."""
    try:
        with open("/proc/self/statm") as status:
            return int(status.read().split()[1]) * resource.getpagesize() / 1000
    except FileNotFoundError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 1000 if sys.platform == "darwin" else peak * 1.024


def report(*distributions: str, **figures: float) -> None:
    """Print the figures, and the versions of what was measured, as the program's last word."""
    versions = {}
    for name in distributions:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "this checkout"
    sys.stdout.flush()
    print(json.dumps({"figures": figures, "versions": versions}), flush=True)
    # Some of the peers' libraries do not end when Python does.
    os._exit(0)
