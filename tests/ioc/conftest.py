# SPDX-License-Identifier: Apache-2.0
"""A real IOC for the tests of this directory, and a client that sees nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import catools
from tests.support.ioc import Ioc

RECORDS = Path(__file__).with_name("records.db").read_text()
ACCESS = """
ASG(DEFAULT) { RULE(1, WRITE) }
ASG(READONLY) { RULE(1, READ) }
"""


@pytest.fixture(scope="module")
def shared_ioc() -> Iterator[Ioc]:
    """An IOC for all tests of a module, none of which may harm it."""
    with Ioc(RECORDS, acf=ACCESS) as ioc:
        yield ioc


@pytest.fixture
def see(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Make the client of this test see some IOCs; it is closed afterwards."""

    def look_at(*iocs: Ioc, **settings: str) -> None:
        catools.close_client()
        for name, value in iocs[0].env.items():
            monkeypatch.setenv(name, value)
        addresses = " ".join(f"{host}:{port}" for host, port in (ioc.address for ioc in iocs))
        monkeypatch.setenv("EPICS_CA_ADDR_LIST", addresses)
        for name, value in settings.items():
            monkeypatch.setenv(name, value)

    yield look_at
    catools.close_client()


@pytest.fixture
def ioc(shared_ioc: Ioc, see: Callable[..., None]) -> Ioc:
    """The shared IOC, seen by this test's client."""
    see(shared_ioc)
    return shared_ioc


@pytest.fixture
def own_ioc(see: Callable[..., None]) -> Iterator[Ioc]:
    """An IOC that this test may kill, freeze and restart."""
    with Ioc(RECORDS, acf=ACCESS) as ioc:
        see(ioc)
        yield ioc
