# SPDX-License-Identifier: Apache-2.0
"""The scripted server itself: how it comes by its port."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import Any

import pytest

from catools import ca_nothing, caget, camonitor, caput
from catools.testing import Pv, Server
from tests.support.waiting import wait_until


class Unlucky(Server):
    """Finds its port taken a few times."""

    failures = 3

    def listen(self) -> None:
        """Accept connections, sooner or later."""
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EADDRINUSE, "Address already in use")
        super().listen()


def test_port_that_is_taken_for_one_protocol_is_not_chosen(see: Callable[..., None]) -> None:
    with Unlucky({"PV": Pv([1.5])}) as server:
        see(server)
        assert caget("PV") == 1.5


def test_port_that_was_asked_for_is_the_only_one_tried() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            Server({}, port=taken.getsockname()[1]).start()


def test_conversion_that_cannot_be_made_is_a_refusal(server: Server) -> None:
    seen: list[Any] = []
    with pytest.raises(ca_nothing) as get:
        caget("TEXT", datatype=int)
    monitor = camonitor("TEXT", seen.append, datatype=float)
    with pytest.raises(ca_nothing) as put:
        caput("PV", "no number", wait=True)
    wait_until(lambda: seen, "the notice")
    assert [error.errorcode for error in (get.value, put.value, seen[0])] == [152, 160, 152]
    caput("TEXT", 1.5, datatype=float, wait=True)
    assert caget(["PV", "TEXT"]) == [1.5, "1.5"]
    wait_until(lambda: seen[-1] == 1.5, "the value that is a number")
    monitor.close()
