# SPDX-License-Identifier: Apache-2.0
"""Host the demo machine's records in this process, until standard input ends.

Started by `coshell.demo.machine` as a program of its own, so it imports nothing of coshell: EPICS
runs its own threads and stays out of the shell's process. It dies with the shell, whatever ends the
shell: standard input is a pipe that only the shell holds open, and on Linux the kernel kills this
process when its parent has gone, which also reaches a process that is stopped or stuck.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import os
import random
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

DATABASE = Path(__file__).parent / "db"
SPECTRUM_PERIOD_S = 0.2
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
DBR_DOUBLE = 10  # dbFldTypes.h: the numbering inside the IOC, not that of Channel Access


def die_with(parent: int, by_kernel: bool) -> None:
    """Have the kernel kill this process when `parent` ends; exit now if it already has."""
    if by_kernel and sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


class Field:
    """A record's field, read and written in this process through the IOC's own database access."""

    def __init__(self, library: ctypes.CDLL, name: str) -> None:
        self._library = library
        # struct dbAddr has 40 bytes in base 7; the rest is room for a newer one.
        self._address = ctypes.create_string_buffer(256)
        if library.dbNameToAddr(name.encode(), self._address):
            raise LookupError(f"no record {name}")

    def get(self) -> float:
        """Read the field as a double.

        Returns:
            The value, NaN when it cannot be read.
        """
        value = ctypes.c_double(math.nan)
        self._library.dbGetField(
            self._address,
            DBR_DOUBLE,
            ctypes.byref(value),
            None,
            ctypes.byref(ctypes.c_long(1)),
            None,
        )
        return value.value

    def put(self, values: Sequence[float]) -> None:
        """Write the field and process its record."""
        block = (ctypes.c_double * len(values))(*values)
        self._library.dbPutField(self._address, DBR_DOUBLE, block, ctypes.c_long(len(values)))


def spectrum(tunes: Sequence[tuple[float, float]], points: int = 1000) -> list[float]:
    """Make a beam spectrum: one peak for each tune above a noise floor.

    Args:
        tunes: for each peak its frequency, as a fraction of the revolution, and its height above
            the floor [dB].
        points: how many, spread evenly over 0 to 0.5.

    Returns:
        Amplitudes in dB.
    """
    width = 0.003
    floor = [random.gauss(-78.0, 1.5) for _ in range(points)]
    for tune, height in tunes:
        for index in range(points):
            distance = (0.5 * index / points - tune) / width
            floor[index] += height / (1.0 + distance * distance)
    return floor


def start_spectrum(library: ctypes.CDLL, prefix: str) -> None:
    """Fill the spectrum now, and five times a second for as long as the process lives."""
    horizontal, vertical, charge = (
        Field(library, prefix + name) for name in ("TUNE:X", "TUNE:Y", "SIM:CHARGE")
    )
    target = Field(library, prefix + "TUNE:SPECTRUM")

    def fill() -> None:
        beam = min(1.0, charge.get() / 300.0)
        target.put(spectrum([(horizontal.get(), 55.0 * beam), (vertical.get(), 40.0 * beam)]))

    def run() -> None:
        pause = threading.Event()
        while not pause.wait(SPECTRUM_PERIOD_S):
            fill()

    fill()
    threading.Thread(target=run, daemon=True).start()


def load(ioc: Any, prefix: str) -> None:
    """Load the records and start the IOC."""
    ioc.iocshRegisterCommon()
    steps = (
        ("base.dbd", lambda: ioc.dbLoadDatabase(b"base.dbd", ioc.DEFAULT_DBD_PATH.encode(), None)),
        ("drivers", lambda: ioc.registerRecordDeviceDriver(ioc.pdbbase)),
        ("records", lambda: ioc.ioc(f'dbLoadTemplate("ring.substitutions", "P={prefix}")')),
        ("access", lambda: ioc.dbCore.asSetFilename(os.fsencode(DATABASE / "access.acf"))),
        ("substitutions", lambda: ioc.dbCore.asSetSubstitutions(f"P={prefix}".encode())),
        ("start", ioc.iocInit),
    )
    for step, run in steps:
        if run():
            raise RuntimeError(f"the IOC failed at: {step}")


def server_port() -> int:
    """Return the port the Channel Access server has got."""
    getenv = ctypes.CDLL(None).getenv
    getenv.restype = ctypes.c_char_p
    # Set by the server itself; os.environ is a copy from before that.
    return int(getenv(b"RSRV_SERVER_PORT"))


def record_names(ioc: Any) -> list[str]:
    """Return the names of all records."""
    with tempfile.TemporaryDirectory() as directory:
        listing = Path(directory) / "names"
        ioc.ioc(f'dbl > "{listing}"')
        return listing.read_text().split()


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--parent", type=int, required=True, help="process to die with")
    parser.add_argument("--by-kernel", action="store_true", help="also where our input stays open")
    parser.add_argument("--ready-fd", type=int, required=True, help="for port and names, as JSON")
    arguments = parser.parse_args()
    die_with(arguments.parent, arguments.by_kernel)
    os.chdir(DATABASE)

    from epicscorelibs import ioc

    load(ioc, arguments.prefix)
    start_spectrum(ioc.dbCore, arguments.prefix)
    with os.fdopen(arguments.ready_fd, "w") as ready:
        json.dump({"port": server_port(), "names": record_names(ioc)}, ready)
    sys.stdin.read()
    # Nothing here outlives the records; the IOC's own way out waits for each of its threads.
    os._exit(0)


if __name__ == "__main__":
    main()
