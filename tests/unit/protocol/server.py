# SPDX-License-Identifier: Apache-2.0
"""What a server would send, and a circuit that has received some of it."""

from __future__ import annotations

from typing import Any

from catools.protocol import commands as c
from catools.protocol.circuit import Circuit, CircuitSettings
from catools.protocol.framing import Frame, FrameReader, frame
from catools.protocol.records import CircuitChannel

SETTINGS = CircuitSettings(user=b"operator", host=b"console")


def greeted(version: int = 13, now: float = 0.0) -> Circuit:
    """Return a circuit whose server has told its revision, with nothing left to send."""
    circuit = Circuit(SETTINGS, now)
    circuit.receive(version_reply(version), now)
    circuit.take_output()
    return circuit


def version_reply(version: int = 13) -> bytes:
    """Return a server's VERSION."""
    return frame(c.VERSION, count=version)


def created(cid: int, sid: int, dbr: int = 6, count: int = 1, rights: int = 3) -> bytes:
    """Return what a server says about a channel it has."""
    return frame(c.ACCESS_RIGHTS, p1=cid, p2=rights) + frame(
        c.CREATE_CHAN, dtype=dbr, count=count, p1=cid, p2=sid
    )


def connected(
    circuit: Circuit, cid: int = 1, sid: int = 101, *, token: Any = None, **described: int
) -> CircuitChannel:
    """Return a connected channel, with nothing left to send."""
    channel = circuit.create(cid, b"PV", token)
    circuit.receive(created(cid, sid, **described), 0.0)
    circuit.take_output()
    return channel


def sent(circuit: Circuit) -> list[Frame]:
    """Return the messages that the circuit wants to send."""
    return FrameReader().feed(circuit.take_output())


def error(status: int, request: bytes, text: bytes = b"because", cid: int = 0xFFFFFFFF) -> bytes:
    """Return an ERROR that embeds a request."""
    return frame(c.ERROR, request + text + b"\0", p1=cid, p2=status)
