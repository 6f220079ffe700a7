# SPDX-License-Identifier: Apache-2.0
"""Run cases until enough messages were made, and watch time and memory meanwhile.

make fuzz                             a million messages from a fresh seed
make fuzz ARGS="--seed 7 --case 4711" one case again
"""

from __future__ import annotations

import argparse
import faulthandler
import gc
import secrets
import sys
import time
import traceback
from collections import Counter
from random import Random

import psutil

from .cases import KINDS, SHARES, Bystander

HANG_S = 60.0
WARM_UP = 0.2
"""Share of the run after which caches are full and memory must have stopped growing."""
MOST_OBJECTS = 2000
MOST_BYTES = 16 << 20


class Memory:
    """What the process holds, when nothing is under way."""

    def __init__(self) -> None:
        gc.collect()
        self.objects = len(gc.get_objects())
        self.resident = psutil.Process().memory_info().rss

    def grown_since(self, before: Memory) -> str:
        """Say what has grown by too much; empty when nothing has."""
        objects, size = self.objects - before.objects, self.resident - before.resident
        if objects > MOST_OBJECTS or size > MOST_BYTES:
            return f"{objects} objects and {size >> 10} KiB more than after the warm-up"
        return ""


def case_random(seed: int, number: int) -> Random:
    """Return the source of everything that one case does."""
    return Random((seed << 40) + number)


def run_case(seed: int, number: int) -> tuple[str, int]:
    """Run one case; return its kind and how many messages it made."""
    random = case_random(seed, number)
    kind = random.choice(SHARES)
    return kind, KINDS[kind](random)


def run(seed: int, first: int, messages: int, quiet: bool = False) -> Counter[str]:
    """Run cases from `first` on until so many messages were made.

    Args:
        quiet: print nothing, and leave hangs to whoever calls.
    Raises:
        AssertionError: something leaked or a case failed; the text says how to repeat it.
    """
    made: Counter[str] = Counter()
    bystander = Bystander()
    started = told = time.monotonic()
    slowest = (0.0, first)
    warm: Memory | None = None
    number = first
    while made.total() < messages:
        if not quiet:
            faulthandler.dump_traceback_later(HANG_S, exit=True)
        began = time.perf_counter()
        try:
            kind, count = run_case(seed, number)
            bystander.check(number)
        except Exception as exc:
            again = f"--seed {seed} --case {number}"
            raise AssertionError(f"repeat it with {again}: {exc!r}") from exc
        slowest = max(slowest, (time.perf_counter() - began, number))
        made[kind] += count
        number += 1
        if warm is None and made.total() > messages * WARM_UP:
            warm = Memory()
        if not quiet and time.monotonic() - told > 10:
            told = time.monotonic()
            print(f"{made.total():>9} messages, next: --first {number}", flush=True)
    if not quiet:
        faulthandler.cancel_dump_traceback_later()
    assert warm is not None
    growth = Memory().grown_since(warm)
    assert not growth, f"memory grew: {growth}"
    if not quiet:
        took = time.monotonic() - started
        shares = ", ".join(f"{kind} {count}" for kind, count in made.most_common())
        print(f"{made.total()} messages in {number - first} cases, {took:.0f} s: {shares}")
        print(f"slowest case {slowest[1]}: {slowest[0] * 1000:.0f} ms")
    return made


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000, help="how many to make")
    parser.add_argument("--seed", type=int, help="by default a fresh one, which is printed")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--case", type=int, help="run this one case alone")
    options = parser.parse_args()
    seed = secrets.randbits(24) if options.seed is None else options.seed
    print(f"--seed {seed}", flush=True)
    if options.case is not None:
        print(run_case(seed, options.case))
        return 0
    try:
        run(seed, options.first, options.messages)
    except AssertionError:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
