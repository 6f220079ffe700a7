# SPDX-License-Identifier: Apache-2.0
"""Runs of updates: the same updates as one by one, whatever stands between them."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catools.protocol import commands as c
from catools.protocol.circuit import Circuit
from catools.protocol.dbr import DBR_DOUBLE, DBR_TIME_DOUBLE, DBR_TIME_LONG
from catools.protocol.framing import frame
from catools.protocol.records import SubscriptionFailed
from catools.protocol.runs import FEWEST, MOST, Run, newest

from .server import connected, greeted

KIND, OTHER_KIND = object(), object()
PVS = 5


def subscribed(*kinds: Any, dbr: int = DBR_TIME_DOUBLE) -> tuple[Circuit, list[int]]:
    """Return a circuit with a subscription of each kind, its token the number, and their idents."""
    circuit = greeted()
    idents = []
    for number, kind in enumerate(kinds):
        channel = connected(circuit, number + 1, number + 101)
        idents.append(circuit.subscribe(channel, dbr, 0, 5, number, kind).ident)
    return circuit, idents


def update(ident: int, number: float, dbr: int = DBR_TIME_DOUBLE, status: int = 1) -> bytes:
    """Return an update of one scalar."""
    element = "d" if dbr == DBR_TIME_DOUBLE else "i"
    pad = "4x" if dbr == DBR_TIME_DOUBLE else ""
    payload = struct.pack(f">hhII{pad}{element}", 0, 0, 1, 2, number)
    return frame(c.EVENT_ADD, payload, dtype=dbr, count=1, p1=status, p2=ident)


def one_by_one(results: list[Any]) -> list[tuple[int, bytes]]:
    """Return (token, payload) of every update, in order."""
    found: list[tuple[int, bytes]] = []
    for item in results:
        if isinstance(item, Run):
            step = len(item.messages) // len(item.tokens)
            found += [
                (token, item.messages[at * step + 16 : at * step + step])
                for at, token in enumerate(item.tokens)
            ]
        else:
            token, index, count, payload = item
            assert (index, count) == (0, 1)
            found.append((token, bytes(payload)))
    return found


def test_updates_that_look_alike_come_out_as_runs() -> None:
    circuit, idents = subscribed(*[KIND] * PVS)
    messages = [update(idents[n % PVS], n) for n in range(220)]
    first, *runs = circuit.receive(b"".join(messages), 1.0)
    assert first[0] == 0
    assert [len(run.tokens) for run in runs] == [MOST, MOST, MOST, 220 - 1 - 3 * MOST]
    assert all(run.kind is KIND for run in runs)
    assert b"".join(run.messages for run in runs) == b"".join(messages[1:])
    tokens = [token for run in runs for token in run.tokens]
    assert tokens == [n % PVS for n in range(1, 220)]


def test_without_a_kind_updates_come_one_by_one() -> None:
    circuit, idents = subscribed(*[None] * PVS)
    results = circuit.receive(b"".join(update(idents[n % PVS], n) for n in range(50)), 1.0)
    assert [type(item) for item in results] == [tuple] * 50


def test_a_few_updates_come_one_by_one() -> None:
    circuit, (ident,) = subscribed(KIND)
    results = circuit.receive(b"".join(update(ident, n) for n in range(FEWEST)), 1.0)
    assert [type(item) for item in results] == [tuple] * FEWEST
    results = circuit.receive(b"".join(update(ident, n) for n in range(FEWEST + 1)), 1.0)
    assert [type(item) for item in results] == [tuple, Run]


@pytest.mark.parametrize("kinds", [(KIND, OTHER_KIND), (KIND, None)])
def test_a_run_is_of_one_kind(kinds: tuple[object, object]) -> None:
    circuit, idents = subscribed(*kinds)
    messages = [update(idents[n % 2], n) for n in range(40)]
    results = circuit.receive(b"".join(messages), 1.0)
    assert one_by_one(results) == [(n % 2, message[16:]) for n, message in enumerate(messages)]
    assert not any(isinstance(item, Run) for item in results)


def test_an_update_after_the_end_of_its_subscription_ends_a_run_and_nothing_else() -> None:
    circuit, idents = subscribed(*[KIND] * PVS)
    gone = circuit.subscriptions[idents[3]]
    circuit.unsubscribe(gone)
    results = circuit.receive(b"".join(update(idents[n % PVS], n) for n in range(100)), 1.0)
    assert [token for token, _ in one_by_one(results)] == [
        n % PVS for n in range(100) if n % PVS != 3
    ]


def test_a_failure_within_a_run() -> None:
    circuit, (ident,) = subscribed(KIND)
    messages = [update(ident, n) for n in range(60)]
    messages[30] = update(ident, 30, status=368)
    results = circuit.receive(b"".join(messages), 1.0)
    failures = [item for item in results if isinstance(item, SubscriptionFailed)]
    assert [failure.status for failure in failures] == [368]
    rest = one_by_one([item for item in results if item is not failures[0]])
    assert [payload for _, payload in rest] == [m[16:] for m in messages if m is not messages[30]]


@pytest.mark.parametrize("count", [2, 0])
def test_arrays_are_no_runs(count: int) -> None:
    circuit, (ident,) = subscribed(KIND, dbr=DBR_DOUBLE)
    message = frame(c.EVENT_ADD, bytes(8 * count or 8), dtype=6, count=count, p1=1, p2=ident)
    results = circuit.receive(message * 40, 1.0)
    assert [item[2] for item in results] == [count] * 40


def test_payloads_larger_than_the_scalar_are_no_runs() -> None:
    circuit, (ident,) = subscribed(KIND, dbr=DBR_DOUBLE)
    message = frame(c.EVENT_ADD, bytes(16), dtype=6, count=1, p1=1, p2=ident)
    results = circuit.receive(message * 40, 1.0)
    assert [type(item) for item in results] == [tuple] * 40


@pytest.mark.parametrize("ask", ["subscribe", "read"])
def test_small_payloads_in_long_headers_one_after_the_other(ask: str) -> None:
    circuit = greeted()
    channel = connected(circuit)
    if ask == "subscribe":
        idents = [circuit.subscribe(channel, DBR_DOUBLE, 0, 5, "token", KIND).ident] * 20
        command = c.EVENT_ADD
    else:
        idents = [circuit.read(channel, DBR_DOUBLE, 0, "token") for _ in range(20)]
        command = c.READ_NOTIFY
    data = b"".join(
        struct.pack(">HHHHIIII", command, 0xFFFF, DBR_DOUBLE, 0, 1, ident, 8, 1)
        + struct.pack(">d", number)
        for number, ident in enumerate(idents)
    )
    results = circuit.receive(data, 1.0)
    assert [struct.unpack(">d", item[3]) for item in results] == [(n,) for n in range(20)]


@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(1, 90)), min_size=1, max_size=8),
    st.lists(st.integers(1, 5000), max_size=6),
)
def test_any_mixture_in_any_pieces(mixture: list[tuple[int, int]], cuts: list[int]) -> None:
    kinds = [KIND] * 4 + [None] + [OTHER_KIND] * 2
    circuit, idents = subscribed(*kinds)
    longs = [
        circuit.subscribe(circuit.channels[n + 1], DBR_TIME_LONG, 0, 5, 7 + n, KIND).ident
        for n in range(2)
    ]
    stream: list[tuple[int, bytes]] = []
    for which, count in mixture:
        for number in range(count):
            if which < 7:
                stream.append((which, update(idents[which], number)))
            else:
                stream.append((which, update(longs[which - 7], number, DBR_TIME_LONG)))
    data = b"".join(message for _, message in stream)
    results: list[Any] = []
    for cut in cuts:
        results += circuit.receive(data[:cut], 1.0)
        data = data[cut:]
    results += circuit.receive(data, 1.0)
    assert one_by_one(results) == [(token, message[16:]) for token, message in stream]


def test_newest_of_one_pv_in_a_run() -> None:
    circuit, idents = subscribed(*[KIND] * PVS)
    messages = [update(idents[n % PVS], n) for n in range(40)]
    _, run = circuit.receive(b"".join(messages), 1.0)
    for number in range(PVS):
        assert newest(run.messages, idents[number]) == messages[35 + number][16:]
