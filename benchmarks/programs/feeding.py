# SPDX-License-Identifier: Apache-2.0
"""Write a noisy peak into an array again and again: `feeding.py PV POINTS RATE`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from catools import caput
from cothread import SleepUntil
from cothread.clock import monotonic

name, points, rate = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
axis = np.arange(points)
noise = np.random.default_rng(1)
due = monotonic()
while True:
    peak = 50 * np.exp(-(((axis - 430) / 12) ** 2)) + noise.normal(0, 1, points)
    caput(name, peak, timeout=30)
    due += 1 / rate
    SleepUntil(due)
