# SPDX-License-Identifier: Apache-2.0
"""Who we say we are is what arrives: on the wire, and in an IOC's access security."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Callable

import pytest

import catools
from catools import ca_nothing, caget, cainfo, caput
from catools.protocol import commands as c
from catools.protocol.framing import until_nul
from catools.testing import Pv, Server
from tests.support.ioc import Ioc

RULES = """
UAG(us) {{ {user} }}
HAG(here) {{ {host} }}
ASG(DEFAULT) {{ RULE(1, READ) }}
ASG(OURS) {{ RULE(1, READ) RULE(1, WRITE) {{ UAG(us) HAG(here) }} }}
"""
DB = 'record(ao, "$(P)OURS") { field(ASG, "OURS") }\n'


def test_names_go_out_before_any_channel(see: Callable[..., None]) -> None:
    with Server({"PV": Pv([1.5])}, speaks_first=False) as server:
        see(server)
        assert caget("PV") == 1.5
        first = server.connection.received[:4]
        assert [message.command for message in first] == [
            c.VERSION,
            c.CLIENT_NAME,
            c.HOST_NAME,
            c.CREATE_CHAN,
        ]
        assert first[0].count == c.MINOR_VERSION
        assert until_nul(first[1].payload).decode() == getpass.getuser()
        assert until_nul(first[2].payload).decode() == socket.gethostname()
        catools.close_client()


@pytest.mark.parametrize(
    ("user", "host", "granted"),
    [("", "", True), ("somebody-else", "", False), ("", "another-host.example", False)],
)
def test_access_security_knows_user_and_host(
    see: Callable[..., None], user: str, host: str, granted: bool
) -> None:
    rules = RULES.format(user=user or getpass.getuser(), host=host or socket.gethostname())
    with Ioc(DB, acf=rules) as ioc:
        see(ioc)
        info = cainfo(ioc.name("OURS"))
        assert (info.read, info.write) == (True, granted)
        if granted:
            caput(ioc.name("OURS"), 3, wait=True)
            assert caget(ioc.name("OURS")) == 3
        else:
            with pytest.raises(ca_nothing) as refused:
                caput(ioc.name("OURS"), 3)
            assert refused.value.errorcode == 376
        catools.close_client()
