# SPDX-License-Identifier: Apache-2.0
"""The table of Channel Access commands, and the protocol revisions that gate them.

Law: every command number, protocol constant and revision gate is stated here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

VERSION: Final = 0
EVENT_ADD: Final = 1
EVENT_CANCEL: Final = 2
READ: Final = 3
WRITE: Final = 4
SNAPSHOT: Final = 5
SEARCH: Final = 6
BUILD: Final = 7
EVENTS_OFF: Final = 8
EVENTS_ON: Final = 9
READ_SYNC: Final = 10
ERROR: Final = 11
CLEAR_CHANNEL: Final = 12
BEACON: Final = 13
NOT_FOUND: Final = 14
READ_NOTIFY: Final = 15
READ_BUILD: Final = 16
REPEATER_CONFIRM: Final = 17
CREATE_CHAN: Final = 18
WRITE_NOTIFY: Final = 19
CLIENT_NAME: Final = 20
HOST_NAME: Final = 21
ACCESS_RIGHTS: Final = 22
ECHO: Final = 23
REPEATER_REGISTER: Final = 24
SIGNAL: Final = 25
CREATE_CH_FAIL: Final = 26
SERVER_DISCONN: Final = 27


@dataclass(frozen=True, slots=True)
class Command:
    """One row: who may send a command, over which transport, and since which minor revision."""

    number: int
    name: str
    sent_by_client: bool
    sent_by_server: bool
    tcp: bool
    udp: bool
    since: int = 0


def _rows() -> dict[int, Command]:
    both, client, server = (True, True), (True, False), (False, True)
    tcp, udp, any_transport = (True, False), (False, True), (True, True)
    never = (False, False)
    table = (
        (VERSION, "VERSION", both, any_transport, 0),
        (EVENT_ADD, "EVENT_ADD", both, tcp, 0),
        (EVENT_CANCEL, "EVENT_CANCEL", client, tcp, 0),
        (READ, "READ", both, tcp, 0),
        (WRITE, "WRITE", client, tcp, 0),
        (SNAPSHOT, "SNAPSHOT", never, tcp, 0),
        (SEARCH, "SEARCH", both, any_transport, 0),
        (BUILD, "BUILD", never, tcp, 0),
        (EVENTS_OFF, "EVENTS_OFF", client, tcp, 0),
        (EVENTS_ON, "EVENTS_ON", client, tcp, 0),
        (READ_SYNC, "READ_SYNC", both, tcp, 0),
        (ERROR, "ERROR", server, any_transport, 0),
        (CLEAR_CHANNEL, "CLEAR_CHANNEL", both, tcp, 0),
        (BEACON, "BEACON", server, udp, 0),
        (NOT_FOUND, "NOT_FOUND", server, any_transport, 0),
        (READ_NOTIFY, "READ_NOTIFY", both, tcp, 0),
        (READ_BUILD, "READ_BUILD", never, tcp, 0),
        (REPEATER_CONFIRM, "REPEATER_CONFIRM", server, udp, 0),
        (CREATE_CHAN, "CREATE_CHAN", both, tcp, 0),
        (WRITE_NOTIFY, "WRITE_NOTIFY", both, tcp, 1),
        (CLIENT_NAME, "CLIENT_NAME", client, tcp, 1),
        (HOST_NAME, "HOST_NAME", client, tcp, 1),
        (ACCESS_RIGHTS, "ACCESS_RIGHTS", server, tcp, 2),
        (ECHO, "ECHO", both, tcp, 3),
        (REPEATER_REGISTER, "REPEATER_REGISTER", client, udp, 0),
        (SIGNAL, "SIGNAL", never, tcp, 0),
        (CREATE_CH_FAIL, "CREATE_CH_FAIL", server, tcp, 4),
        (SERVER_DISCONN, "SERVER_DISCONN", server, tcp, 4),
    )
    return {n: Command(n, name, *who, *how, since) for n, name, who, how, since in table}


COMMANDS: Final = _rows()
"""Every command a peer may name, by number."""

MINOR_VERSION: Final = 13
"""The revision this client speaks."""

SINCE_ACCESS_RIGHTS: Final = 2
SINCE_ECHO: Final = 3
SINCE_PORT_IN_SEARCH_REPLY: Final = 5
SINCE_ADDRESS_IN_SEARCH_REPLY: Final = 8
SINCE_LARGE_ARRAYS: Final = 9
SINCE_BEACON_COUNTER: Final = 10
SINCE_TCP_SEARCH: Final = 12
SINCE_CURRENT_LENGTH: Final = 13

SERVER_PORT: Final = 5064
REPEATER_PORT: Final = 5065
MAX_DATAGRAM: Final = 1024
OLD_TCP_LIMIT: Final = 16384
"""Largest message, header included, that peers before revision 9 take."""
SAME_ADDRESS: Final = 0xFFFFFFFF
"""In a search reply: the server is where the reply came from."""

DONT_REPLY: Final = 5
DO_REPLY: Final = 10

LAST_PLAUSIBLE: Final = 0xFF
"""A later revision may add commands, but not so many: the peer speaks something else."""

READ_ACCESS: Final = 1
WRITE_ACCESS: Final = 2

ECHO_TIMEOUT_S: Final = 5.0
"""How long a server may take to answer an ECHO; a constant of the protocol, not a setting."""

MAX_NAME: Final = 1007
"""Longest PV name, in bytes; the C client refuses longer ones at creation."""


def command_name(number: int) -> str:
    """Return the name of a command, or its number when nobody defines it."""
    row = COMMANDS.get(number)
    return row.name if row else f"command {number}"
