# SPDX-License-Identifier: Apache-2.0
"""IOCs to be harmed, a client that sees nothing else, and a place for measured times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import catools
from tests.reliability.load import numbers
from tests.support.ioc import Ioc

FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture
def see(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Make the client of this test see some IOCs or scripted servers; it is closed afterwards."""

    def look_at(*servers: Any, **settings: str) -> None:
        catools.close_client()
        addresses = " ".join(f"127.0.0.1:{server.port}" for server in servers)
        # Nobody listens at that repeater's port, so no beacons come from outside.
        defaults = {"EPICS_CA_REPEATER_PORT": "5999", **servers[0].env}
        for name, value in {**defaults, "EPICS_CA_ADDR_LIST": addresses, **settings}.items():
            monkeypatch.setenv(name, value)

    catools.close_client()
    yield look_at
    catools.close_client()


@pytest.fixture(scope="module")
def shared_ioc() -> Iterator[Ioc]:
    """One IOC with twenty numbers, for all tests of a module that do it no harm."""
    with Ioc(numbers(20)) as ioc:
        yield ioc


@pytest.fixture
def ioc_of(see: Callable[..., None]) -> Iterator[Callable[..., Ioc]]:
    """Start IOCs with some records; the first is seen by this test's client."""
    started: list[Ioc] = []

    def start(db: str, **options: Any) -> Ioc:
        ioc = Ioc(db, **options)
        started.append(ioc)
        ioc.start()
        see(ioc)
        return ioc

    yield start
    # The client first: an IOC that goes away under it would have it search until the end.
    catools.close_client()
    for ioc in started:
        ioc.close()


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Record a measurement: it is printed at the end of the run and never asserted."""
    figures = request.config.stash.setdefault(FIGURES, [])

    def note(text: str) -> None:
        figures.append(f"{request.node.name}: {text}")

    return note


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print what was measured."""
    figures = config.stash.get(FIGURES, [])
    if figures:
        terminalreporter.section("measured", sep="-")
        for line in figures:
            terminalreporter.line(line)
