# SPDX-License-Identifier: Apache-2.0
"""How an outcome looks: a table of medians and ratios, the goals below it, and a JSON record."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from .harness import Outcome

__all__ = ["machine", "save", "text"]

RESULTS = Path(__file__).resolve().parent / "results"


def text(outcome: Outcome) -> str:
    """Draw the table: a row for each contender, a column for each figure, and the goals."""
    return "\n".join(_lines(outcome))


def _lines(outcome: Outcome) -> Iterator[str]:
    benchmark = outcome.benchmark
    yield f"{benchmark.name}: {benchmark.question}"
    rows = [["", *(figure.title for figure in benchmark.figures)]]
    if any(figure.unit for figure in benchmark.figures):
        rows.append(["", *(figure.unit for figure in benchmark.figures)])
    ours = benchmark.contenders[0].name
    for contender in benchmark.contenders:
        if contender.name in outcome.samples:
            cells = [_cell(outcome, ours, contender.name, f.key) for f in benchmark.figures]
            rows.append([contender.name, *cells])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        first, *rest = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {row[0]:{len(first)}}  {'  '.join(rest)}".rstrip()
    for name, reason in outcome.absent.items():
        yield f"  {name}: not measured, {reason}"
    if benchmark.note:
        yield f"  {benchmark.note}"
    titles = {figure.key: figure.title for figure in benchmark.figures}
    for goal, verdict, met in outcome.verdicts():
        yield f"  {'met   ' if met else 'MISSED'}  {titles[goal.figure]}: {verdict}"


def _cell(outcome: Outcome, ours: str, contender: str, figure: str) -> str:
    value = outcome.median(contender, figure)
    if value is None:
        return "-"
    mine = outcome.median(ours, figure)
    ratio = f" {value / mine:6.2f}×" if mine and contender != ours else " " * 8
    return f"{_number(value)}{ratio}"


def _number(value: float) -> str:
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def machine() -> dict[str, str]:
    """Describe where the measurement was made, without naming the machine."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {
        "processor": model,
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load": " ".join(f"{load:.1f}" for load in os.getloadavg()),
    }


def save(outcome: Outcome) -> Path:
    """Write the record to `results/`.

    Returns:
        The file.
    """
    benchmark = outcome.benchmark
    record = {
        "benchmark": benchmark.name,
        "question": benchmark.question,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": dict(sorted(outcome.versions.items())),
        "units": {figure.key: figure.unit for figure in benchmark.figures},
        "median": {
            contender: {key: outcome.median(contender, key) for key in figures}
            for contender, figures in outcome.samples.items()
        },
        "samples": outcome.samples,
        "not measured": outcome.absent,
        "goals": [
            {"figure": goal.figure, "verdict": verdict, "met": met}
            for goal, verdict, met in outcome.verdicts()
        ],
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{benchmark.name}.json"
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return path
