# SPDX-License-Identifier: Apache-2.0
"""Jobs, monitors, an IOC that keeps crashing, and a shell that is typed at; nothing may grow.

make soak                       an hour
make soak ARGS="--minutes 5"
"""

from __future__ import annotations

import argparse
import os
import secrets
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random

import catools
import cothread
from catools import caget, camonitor, connect
from tests.reliability.load import Load, numbers
from tests.soak.typist import Typist
from tests.support.census import Census
from tests.support.ioc import Ioc

SUBSCRIPTIONS = 1000
MOST_GROWTH = {"resident": 24 << 20, "objects": 400, "cothreads": 4, "timers": 8, "descriptors": 3}
MOST_SHELL_GROWTH = {"resident": 48 << 20, "descriptors": 3, "threads": 2}
"""A shell keeps what was typed and shown, so its memory may grow somewhat."""
SOME_SAMPLES = 8


@dataclass(frozen=True)
class Sample:
    """What this process and the shell held at the end of a cycle."""

    at: float
    census: Census
    shell: tuple[int, int, int]

    def values(self) -> dict[str, int]:
        census = self.census
        return {
            "resident": census.resident,
            "objects": census.objects.total(),
            "cothreads": census.cothreads,
            "timers": census.timers,
            "descriptors": census.descriptors,
        }

    def shell_values(self) -> dict[str, int]:
        return dict(zip(("resident", "descriptors", "threads"), self.shell, strict=True))


class Jobs:
    """Cothreads that open, read and close things as users do."""

    def __init__(self, names: list[str], seed: int, count: int = 8) -> None:
        self.done = 0
        self._names = names
        self._going = True
        self._tasks = [
            cothread.Spawn(self._run, Random(seed + number), raise_on_wait=True)
            for number in range(count)
        ]

    def _run(self, random: Random) -> None:
        while self._going:
            names = random.sample(self._names, 20)
            kind = random.randrange(4)
            if kind == 0:
                seen: list[object] = []
                monitors = camonitor(
                    names, lambda value, _index, seen=seen: seen.append(value), format=1
                )
                cothread.Sleep(random.random())
                for monitor in monitors:
                    monitor.close()
            elif kind == 1:
                missing = [f"{name}:NO" for name in names[:3]]
                caget([*names, *missing], timeout=0.3, throw=False, format=random.randrange(3))
            elif kind == 2:
                connect(names, timeout=0.5, throw=False)
                channel = catools.default_client().channels.get(random.choice(names))
                if channel is not None and not channel.feeds:
                    catools.default_client().close_channel(channel)
            else:
                job = cothread.Spawn(caget, names, timeout=5, throw=False)
                cothread.Sleep(0.01 * random.random())
                job.Cancel()
            self.done += 1
            cothread.Sleep(0.05)

    def close(self) -> None:
        """End the jobs."""
        self._going = False
        for task in self._tasks:
            task.Wait(60)


def grown(samples: list[dict[str, int]], most: dict[str, int]) -> list[str]:
    """Compare the end with the time after the warm-up; say what has grown by too much."""
    quarter = max(1, len(samples) // 4)
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    found = []
    for what, limit in most.items():
        start = statistics.median(sample[what] for sample in early)
        end = statistics.median(sample[what] for sample in late)
        print(f"  {what:12} {start:>14,.0f} after the warm-up, {end:>14,.0f} at the end")
        if end - start > limit:
            found.append(f"{what} grew by {end - start:,.0f}, more than {limit:,}")
    return found


def soak(minutes: float, crash_every_s: float, seed: int, home: Path) -> list[str]:
    """Run for a time; return what is wrong, which should be nothing."""
    samples: list[Sample] = []
    with Ioc(numbers(SUBSCRIPTIONS)) as ioc:
        os.environ.update(ioc.env)
        load = Load(ioc, SUBSCRIPTIONS)
        jobs = Jobs(load.names, seed)
        typist = Typist(ioc.env, load.names[:20], home, seed)
        began = told = time.monotonic()
        while time.monotonic() < began + minutes * 60:
            cothread.Sleep(crash_every_s)
            load.crash()
            samples.append(Sample(time.monotonic() - began, Census.now(), typist.sample()))
            assert typist.trouble is None, typist.trouble
            if time.monotonic() - told > 60:
                told = time.monotonic()
                tell(samples[-1], load, jobs, typist)
        typist.close()
        jobs.close()
        load.settle()
        tell(samples[-1], load, jobs, typist)
        delays = sorted(load.delays)
        print(
            f"{len(delays)} crashes; {SUBSCRIPTIONS} values back after "
            f"{statistics.median(delays):.2f} s in the median, {delays[-1]:.2f} s at worst"
        )
        load.close()
        catools.close_client()
    if len(samples) < SOME_SAMPLES:
        return [f"only {len(samples)} samples: too short to tell whether anything grows"]
    print("this process")
    wrong = grown([sample.values() for sample in samples], MOST_GROWTH)
    print("the shell")
    wrong += [
        f"shell: {text}"
        for text in grown([sample.shell_values() for sample in samples], MOST_SHELL_GROWTH)
    ]
    return wrong


def tell(sample: Sample, load: Load, jobs: Jobs, typist: Typist) -> None:
    """Print how things stand."""
    here, there = sample.values(), sample.shell_values()
    print(
        f"{sample.at / 60:5.1f} min: {here['resident'] >> 20} MiB, {here['descriptors']} fds, "
        f"{here['cothreads']} cothreads; shell {there['resident'] >> 20} MiB, "
        f"{there['descriptors']} fds; {len(load.delays)} crashes, {load.puts.succeeded} puts done, "
        f"{load.puts.failed} failed, {jobs.done} jobs, {typist.typed} lines",
        flush=True,
    )


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--crash-every", type=float, default=20.0, help="seconds between crashes")
    parser.add_argument("--seed", type=int, help="by default a fresh one, which is printed")
    options = parser.parse_args()
    seed = secrets.randbits(24) if options.seed is None else options.seed
    print(f"--seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="soak-") as home:
        wrong = soak(options.minutes, options.crash_every, seed, Path(home))
    print("\n".join(wrong) or "nothing grew")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
