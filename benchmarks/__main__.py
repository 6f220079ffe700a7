# SPDX-License-Identifier: Apache-2.0
"""Run benchmarks by name, all of them without one: `make bench ARGS="switching one_caget"`."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys

from . import peers, questions, table
from .harness import Benchmark, run


def load() -> dict[str, list[Benchmark]]:
    """Import every module of `questions`.

    Returns:
        The benchmarks of each module, by the module's name.
    """
    names = sorted(module.name for module in pkgutil.iter_modules(questions.__path__))
    return {
        name: list(importlib.import_module(f"{questions.__name__}.{name}").BENCHMARKS)
        for name in names
    }


def progress(what: str) -> None:
    """Show on a terminal who is being measured."""
    if sys.stderr.isatty():
        print(f"\r\x1b[2K  measuring {what} …", end="\r", file=sys.stderr, flush=True)


def main() -> int:
    """Measure, print the tables, and keep the records.

    Returns:
        The exit status: numbers never make it fail.
    """
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help="questions or single benchmarks; default: all")
    parser.add_argument("-l", "--list", action="store_true", help="list them and stop")
    parser.add_argument("-n", "--repetitions", type=int, help="how often each one is measured")
    parser.add_argument("-k", "--keep-records", action="store_true", help="do not write results/")
    arguments = parser.parse_args()
    modules = load()
    known = {benchmark.name: [benchmark] for group in modules.values() for benchmark in group}
    known |= modules
    unknown = [name for name in arguments.names if name not in known]
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    chosen = {
        benchmark.name: benchmark
        for name in arguments.names or modules
        for benchmark in known[name]
    }
    for benchmark in chosen.values():
        if arguments.list:
            print(f"{benchmark.name:20} {benchmark.question}")
            continue
        outcome = run(benchmark, peers.python, arguments.repetitions, progress)
        print(table.text(outcome), flush=True)
        if not arguments.keep_records:
            table.save(outcome)
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
