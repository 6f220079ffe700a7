# SPDX-License-Identifier: Apache-2.0
"""What importing a module costs, with everything that it imports."""

from __future__ import annotations

import importlib
import sys
import threading
from time import perf_counter

from measuring import report, resident_kb

before_kb, began = resident_kb(), perf_counter()
importlib.import_module(sys.argv[1])
report(
    *sys.argv[2:],
    wall_ms=(perf_counter() - began) * 1e3,
    memory_kb=resident_kb() - before_kb,
    threads=threading.active_count(),
)
