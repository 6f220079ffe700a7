# SPDX-License-Identifier: Apache-2.0
"""A server that does as it is told, and a client that sees nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

import catools
from catools.testing import Pv, Server


@pytest.fixture
def see(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Make the client of this test see some servers; it is closed afterwards."""
    catools.close_client()
    # Nobody listens there, so no beacons come from outside.
    monkeypatch.setenv("EPICS_CA_REPEATER_PORT", "5999")

    def look_at(*servers: Server, **settings: str) -> None:
        catools.close_client()
        addresses = " ".join(f"127.0.0.1:{server.port}" for server in servers)
        for name, value in {**servers[0].env, "EPICS_CA_ADDR_LIST": addresses, **settings}.items():
            monkeypatch.setenv(name, value)

    yield look_at
    catools.close_client()


@pytest.fixture
def server(see: Callable[..., None]) -> Iterator[Server]:
    """A server with a few PVs, seen by this test's client."""
    pvs = {
        "PV": Pv([1.5]),
        "OTHER": Pv([2.5]),
        "LONG": Pv([7], dbr=5),
        "TEXT": Pv([b"text"], dbr=0),
        "WAVE": Pv([1.0, 2.0, 3.0], size=10),
    }
    with Server(pvs) as server:
        see(server)
        yield server
