# SPDX-License-Identifier: Apache-2.0
"""Messages larger than the user allows cost the request they answer, and nothing else."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catools.protocol import commands as c
from catools.protocol.circuit import Circuit, CircuitSettings
from catools.protocol.eca import ECA_TOLARGE
from catools.protocol.framing import EXTENDED, EXTENSION, HEADER, frame
from catools.protocol.records import Fault, ReadFailed, SubscriptionFailed
from catools.protocol.state import MAX_PAYLOAD

from .server import connected, version_reply

ALLOWED = 800


def limited() -> Circuit:
    """Return a circuit that takes hundred doubles and no more."""
    circuit = Circuit(CircuitSettings(max_payload=ALLOWED), 0.0)
    circuit.receive(version_reply(), 0.0)
    return circuit


def doubles(command: int, ident: int, count: int) -> bytes:
    """Return an update or a reply with so many doubles."""
    payload = struct.pack(f">{count}d", *range(count))
    return frame(command, payload, dtype=6, count=count, p1=1, p2=ident)


def described(items: list[Any]) -> list[tuple[Any, ...]]:
    """Return what came, in a form to compare."""
    return [
        (item.token, item.status)
        if isinstance(item, ReadFailed | SubscriptionFailed)
        else (item[0], item[2], bytes(item[3]))
        for item in items
    ]


@pytest.mark.parametrize("count", [101, 9000], ids=["short header", "long header"])
@given(cuts=st.lists(st.integers(1, 30_000), max_size=30))
def test_what_is_too_large_fails_alone_however_it_is_cut(count: int, cuts: list[int]) -> None:
    circuit = limited()
    channel = connected(circuit, count=count)
    sub = circuit.subscribe(channel, 6, 0, 5, "monitor")
    big, small = (circuit.read(channel, 6, 0, token) for token in ("big", "small"))
    stream = (
        doubles(c.EVENT_ADD, sub.ident, 2)
        + doubles(c.EVENT_ADD, sub.ident, count)
        + doubles(c.READ_NOTIFY, big, count)
        + doubles(c.READ_NOTIFY, small, 3)
        + doubles(c.EVENT_ADD, sub.ident, 100)
    )
    items: list[Any] = []
    for cut in [*cuts, len(stream)]:
        items += circuit.receive(stream[:cut], 0.0)
        stream = stream[cut:]
    assert described(items) == [
        ("monitor", 2, struct.pack(">2d", 0, 1)),
        ("monitor", ECA_TOLARGE),
        ("big", ECA_TOLARGE),
        ("small", 3, struct.pack(">3d", 0, 1, 2)),
        ("monitor", 100, struct.pack(">100d", *range(100))),
    ]
    assert circuit.strays == 0
    assert circuit.large is None


def test_what_is_too_large_and_belongs_to_nobody() -> None:
    circuit = limited()
    sub = circuit.subscribe(connected(circuit, count=9000), 6, 0, 5, "monitor")
    circuit.unsubscribe(sub)
    assert circuit.receive(doubles(c.EVENT_ADD, sub.ident, 9000), 0.0) == []
    assert circuit.strays == 0
    stray = doubles(c.EVENT_ADD, 4711, 9000) + doubles(c.READ_NOTIFY, 4711, 9000)
    assert circuit.receive(stray, 0.0) == []
    assert circuit.strays == 2


@pytest.mark.parametrize(
    ("command", "size"),
    [
        (c.ECHO, ALLOWED + 8),
        (c.READ_NOTIFY, ALLOWED + 1),
        (c.READ_NOTIFY, MAX_PAYLOAD + 8),
        (c.EVENT_ADD, 0xFFFFFFF8),
        (c.LAST_PLAUSIBLE + 1, 8),
    ],
)
def test_what_no_server_sends_ends_the_circuit(command: int, size: int) -> None:
    circuit = limited()
    ident = circuit.read(connected(circuit), 6, 0, "read")
    header = HEADER.pack(command, EXTENDED, 6, 0, 1, ident) + EXTENSION.pack(size, 1)
    read, fault = circuit.receive(header, 0.0)
    assert isinstance(read, ReadFailed)
    assert isinstance(fault, Fault)
