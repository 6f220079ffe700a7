# SPDX-License-Identifier: Apache-2.0
"""The settings of the Channel Access benchmarks: real IOCs on loopback, and a sink for searches."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from tests.support.ioc import Ioc

from .harness import PROGRAMS, ROOT, SIZES, Unavailable

__all__ = ["PREFIX", "counting", "flood", "instruments", "many", "records", "silence"]

PREFIX = "BENCH:"
COUNT = 10_000
BIG = 1_000_000


@contextmanager
def _ioc(database: str) -> Iterator[Mapping[str, str]]:
    ioc = Ioc(database, prefix=PREFIX)
    # libca starts a repeater that outlives everybody, unless the port is taken.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as repeater:
        repeater.bind(("127.0.0.1", ioc.repeater_port))
        with ioc:
            yield ioc.env


@contextmanager
def records() -> Iterator[Mapping[str, str]]:
    """Serve 10,000 quiet numbers and an array of a million."""
    database = [f'record(ao, "$(P){number}") {{field(VAL, "1.5")}}' for number in range(COUNT)]
    database.append(f'record(waveform, "$(P)BIG") {{field(FTVL, "DOUBLE") field(NELM, "{BIG}")}}')
    with _ioc("\n".join(database)) as environment:
        _fill(environment)
        yield environment


def many() -> AbstractContextManager[Mapping[str, str]]:
    """Serve so many quiet numbers that each size of a curve has its own."""
    return _ioc("\n".join(f'record(ao, "$(P){number}") {{}}' for number in range(sum(SIZES))))


def _fill(environment: Mapping[str, str]) -> None:
    text = f"from catools import caput\ncaput({PREFIX + 'BIG'!r}, range({BIG}), timeout=60)"
    subprocess.run([sys.executable, "-c", text], env=dict(environment), cwd=ROOT, check=True)


def counting(count: int, period: str) -> AbstractContextManager[Mapping[str, str]]:
    """Serve numbers that count up by one every period.

    Args:
        period: a choice of SCAN, such as ".1 second".
    """
    record = (
        'record(calc, "$(P){0}") {{field(SCAN, "{1}") field(INPA, "$(P){0}") field(CALC, "A+1")}}'
    )
    return _ioc("\n".join(record.format(number, period) for number in range(count)))


@contextmanager
def instruments(count: int, points: int, rate: float) -> Iterator[Mapping[str, str]]:
    """Serve numbers that change ten times a second, and an array that changes at a rate."""
    record = 'record(calc, "$(P){0}") {{field(SCAN, ".1 second") field(CALC, "RNDM*100")}}'
    array = f'record(waveform, "$(P)WAVE") {{field(FTVL, "DOUBLE") field(NELM, "{points}")}}'
    with _ioc("\n".join([*map(record.format, range(count)), array])) as environment:
        command = [sys.executable, str(PROGRAMS / "feeding.py"), f"{PREFIX}WAVE"]
        feeder = subprocess.Popen(
            [*command, str(points), str(rate)], env=dict(environment), cwd=ROOT
        )
        try:
            yield environment
        finally:
            feeder.terminate()
            feeder.wait()


@contextmanager
def silence() -> Iterator[Mapping[str, str]]:
    """Serve nothing, and keep libca from starting a repeater."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as repeater:
        repeater.bind(("127.0.0.1", 0))
        yield {"EPICS_CA_REPEATER_PORT": str(repeater.getsockname()[1])}


@contextmanager
def flood(count: int, rate: float = 0.0) -> Iterator[Mapping[str, str]]:
    """Serve numbers that change as fast as the client takes them, or at a rate of updates/s."""
    command = [sys.executable, str(PROGRAMS / "flood.py"), PREFIX, str(count), str(rate)]
    with (
        silence() as quiet,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server,
    ):
        assert server.stdout is not None
        assert server.stdin is not None
        port = server.stdout.readline().strip()
        if not port:
            raise Unavailable("the flooding server did not start")
        try:
            yield {
                **quiet,
                "EPICS_CA_ADDR_LIST": f"127.0.0.1:{port}",
                "EPICS_CA_AUTO_ADDR_LIST": "NO",
                "EPICS_CA_NAME_SERVERS": "",
            }
        finally:
            server.stdin.close()
            server.wait()
