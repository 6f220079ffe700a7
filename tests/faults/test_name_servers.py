# SPDX-License-Identifier: Apache-2.0
"""Name servers: they say where PVs are, over TCP, and may have none themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import catools
from catools import ca_nothing, caget, cainfo, camonitor
from catools.protocol import commands as c
from catools.protocol.framing import Frame, frame, until_nul
from catools.testing import Connection, Pv, Server
from tests.support.waiting import wait_until

LOCALHOST = 0x7F000001


def directory(places: dict[str, Server]) -> Callable[[Connection, Frame], None]:
    """Return how a name server answers that knows where some PVs are."""

    def answer(connection: Connection, message: Frame) -> None:
        place = places.get(until_nul(message.payload).decode())
        if place is not None:
            reply = frame(c.SEARCH, dtype=place.port, p1=LOCALHOST, p2=message.p2)
            connection.send(reply)

    return answer


def ask(see: Callable[..., None], *name_servers: Server) -> None:
    """Have the client ask name servers and nobody else."""
    listed = " ".join(f"127.0.0.1:{server.port}" for server in name_servers)
    see(*name_servers, EPICS_CA_ADDR_LIST="", EPICS_CA_NAME_SERVERS=listed)


def test_name_server_points_elsewhere(see: Callable[..., None]) -> None:
    with Server({}) as names, Server({"ONE": Pv([1.0])}) as one, Server({"TWO": Pv([2.0])}) as two:
        places = {"ONE": one, "TWO": two}
        names.on(c.SEARCH, directory(places))
        ask(see, names)
        assert caget(["ONE", "TWO"]) == [1, 2]
        assert cainfo("TWO").host == f"127.0.0.1:{two.port}"
        assert [server.searches for server in (names, one, two)] == [[], [], []]
        # A PV moves, and the name server knows.
        seen: list[Any] = []
        monitor = camonitor("TWO", seen.append, notify_disconnect=True)
        wait_until(lambda: seen, "the value")
        one.pvs["TWO"] = Pv([22.0])
        places["TWO"] = one
        two.close()
        wait_until(lambda: seen[-1] == 22, "the value from the other place")
        assert [value.ok for value in seen] == [True, False, True]
        monitor.close()


def test_name_server_that_is_lost_costs_no_channel(see: Callable[..., None]) -> None:
    with Server({}) as names, Server({"ONE": Pv([1.0]), "TWO": Pv([2.0])}) as one:
        names.on(c.SEARCH, directory({"ONE": one, "TWO": one}))
        ask(see, names)
        assert caget("ONE") == 1
        first = names.connection
        first.reset()
        assert caget("ONE") == 1
        # It is asked again by itself.
        assert caget("TWO", timeout=20) == 2
        assert names.connection is not first


def test_answers_of_name_servers_that_make_no_sense(see: Callable[..., None]) -> None:
    with Server({}) as names, Server({"ONE": Pv([1.0])}) as one:
        right = directory({"ONE": one})

        def answer(connection: Connection, message: Frame) -> None:
            for port, cid in ((0, message.p2), (one.port, message.p2 + 4711), (65535, 0xFFFFFFFF)):
                connection.send(frame(c.SEARCH, dtype=port, p1=LOCALHOST, p2=cid))
            right(connection, message)
            right(connection, message)

        names.on(c.SEARCH, answer)
        ask(see, names)
        assert caget("ONE") == 1
        assert catools.default_client().statistics().circuits == 2


def test_server_too_old_to_be_asked_is_not(see: Callable[..., None]) -> None:
    with Server({"ONE": Pv([1.0])}, version=11) as old, Server({"TWO": Pv([2.0])}) as new:
        ask(see, old, new)
        assert caget("TWO") == 2
        with pytest.raises(ca_nothing, match="no answer"):
            caget("ONE", timeout=0.1)
        assert old.connection.count(c.SEARCH) == 0
        assert new.connection.count(c.SEARCH) > 0
