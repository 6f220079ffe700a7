# SPDX-License-Identifier: Apache-2.0
"""softioc's dispatcher for cothread: an IOC whose records are served by cothreads."""

import json

from tests.support.ioc import LOOPBACK, free_port


def test_an_ioc_processes_its_records_in_cothreads(run_with_packages, monkeypatch):
    for name, value in {
        "EPICS_CA_SERVER_PORT": str(free_port()),
        "EPICS_CA_REPEATER_PORT": str(free_port()),
        "EPICS_CAS_INTF_ADDR_LIST": LOOPBACK,
        "EPICS_CAS_BEACON_ADDR_LIST": LOOPBACK,
        "EPICS_PVAS_INTF_ADDR_LIST": LOOPBACK,
        "EPICS_PVAS_SERVER_PORT": str(free_port()),
        "EPICS_PVAS_BROADCAST_PORT": str(free_port()),
    }.items():
        monkeypatch.setenv(name, value)
    output = run_with_packages("-c", SCRIPT)
    result = json.loads(next(line for line in output.splitlines() if line.startswith("{")))
    assert result == {"seen": [[3.0, True], [4.0, True]], "readback": 8.0, "ticked": True}


SCRIPT = """
import json
from softioc import builder, softioc
import cothread

builder.SetDeviceName("TEST")
readback = builder.aIn("READBACK", initial_value=5)
seen, ticks = [], []

def update(value):
    cothread.Sleep(0.02)
    seen.append([value, cothread.current() is not None])
    readback.set(value * 2)
    if len(seen) == 2:
        cothread.Quit()

demand = builder.aOut("DEMAND", initial_value=1, always_update=True, on_update=update)
builder.LoadDatabase()
softioc.iocInit()
ticker = cothread.Timer(0.001, lambda: ticks.append(1), retrigger=True)
demand.set(3.0)
cothread.Timer(0.1, lambda: demand.set(4.0))
cothread.WaitForQuit()
print()
print(json.dumps({"seen": seen, "readback": readback.get(), "ticked": len(ticks) > 3}))
"""
