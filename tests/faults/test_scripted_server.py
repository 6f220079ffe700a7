# SPDX-License-Identifier: Apache-2.0
"""The scripted server itself: how it comes by its port."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable

import pytest

from catools import caget
from catools.testing import Pv, Server


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
