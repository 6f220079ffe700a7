# SPDX-License-Identifier: Apache-2.0
"""A shell in a terminal that shows windows: `qt_windows.py nothing|table|chart|both`.

How long a key takes to come back, how many pictures a second the windows draw, what it costs.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from measuring import report

from benchmarks.servers import PREFIX
from benchmarks.shell import OURS, echo

PVS = 50
CURVES = 10
KEYS = 250

TABLE = "show('camonitor', '--qt table: ' + ' '.join([*names, wave]))\n"
CHART = f"show('caplot', '--qt chart: ' + ' '.join([*names[:{CURVES}], wave]))\n"
OPEN = {"nothing": "", "table": TABLE, "chart": CHART, "both": TABLE + CHART}

SETUP = """\
import json, time
names = [{prefix!r} + str(number) for number in range({pvs})]
wave = {prefix!r} + 'WAVE'
show = get_ipython().run_line_magic
{opened}
def measure():
    from coshell.session import session
    Sleep(3)
    pictures = dict()
    if session.watches:
        from coshell.qt.windows import windows
        for window in windows(session).open:
            pictures[type(window).__name__] = window._pictures
    drawn = {{kind: drawing.drawn for kind, drawing in pictures.items()}}
    wall, cpu = time.monotonic(), time.process_time()
    Sleep(8)
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    figures = dict(load=100 * cpu / wall)
    for kind, drawing in pictures.items():
        figures[kind] = (drawing.drawn - drawn[kind]) / wall
    with open({file!r}, 'w') as file:
        json.dump(figures, file)
measuring = Spawn(measure)
"""

os.environ["QT_QPA_PLATFORM"] = "offscreen"
with tempfile.TemporaryDirectory() as directory:
    file = Path(directory) / "figures.json"
    setup = SETUP.format(prefix=PREFIX, pvs=PVS, opened=OPEN[sys.argv[1]], file=str(file))
    times_s = sorted(echo(OURS, setup, rows=50, keys=KEYS))
    figures = json.loads(file.read_text())
report(
    p50_ms=times_s[len(times_s) // 2] * 1e3,
    p99_ms=times_s[len(times_s) * 99 // 100] * 1e3,
    load=figures["load"],
    table=figures.get("PanelTable", 0.0),
    chart=figures.get("Chart", 0.0),
)
