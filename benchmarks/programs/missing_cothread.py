# SPDX-License-Identifier: Apache-2.0
"""Names that nobody serves, with catools: the same text for ours and for PyPI's cothread."""

from __future__ import annotations

import os
import sys
from time import monotonic, process_time

from measuring import Sink, report, resident_kb

COUNT, SECONDS = int(sys.argv[1]), float(sys.argv[2])
sink = Sink()
os.environ.update(sink.environment)

# The client reads the environment when it starts, which for some is when it is imported.
from cothread import Sleep, Spawn  # noqa: E402
from cothread.catools import connect  # noqa: E402

began_kb, began, began_cpu = resident_kb(), monotonic(), process_time()
Spawn(connect, [f"MISSING:{number}" for number in range(COUNT)], timeout=3600)
Sleep(1)
while process_time() - began_cpu > 0.5 * (monotonic() - began) and monotonic() - began < 60:
    Sleep(1)  # still making the channels
start = {"wall": monotonic(), "cpu": process_time(), "datagrams": sink.received()}
Sleep(SECONDS)
wall = monotonic() - start["wall"]
report(
    "cothread",
    load=100 * (process_time() - start["cpu"]) / wall,
    datagrams=(sink.received() - start["datagrams"]) / wall,
    memory_kb=(resident_kb() - began_kb) / COUNT,
)
