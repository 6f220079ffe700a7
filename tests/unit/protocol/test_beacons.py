# SPDX-License-Identifier: Apache-2.0
"""Beacons, and how long to wait for a server that has been silent."""

from __future__ import annotations

from catools.protocol import commands as c
from catools.protocol.beacons import Beacon, Beacons, Hint, beacons_in
from catools.protocol.framing import frame
from catools.protocol.ids import IdSource
from catools.protocol.patience import Patience

SERVER = ("127.0.0.1", 6064)


def steady(beacons: Beacons, count: int, period: float = 15.0, start: float = 100.0) -> float:
    """Send some beacons of one server; return when the last one came."""
    for number in range(count):
        beacons.heard((*SERVER, number, 13), start + number * period)
    return start + (count - 1) * period


def beacon(counter: int) -> Beacon:
    return (*SERVER, counter, 13)


def test_parsing() -> None:
    golden = bytes.fromhex("000d0000000d1814000000047f000001")
    assert beacons_in(golden, "10.0.0.9") == [("127.0.0.1", 6164, 4, 13)]
    direct = frame(c.BEACON, dtype=13, count=0, p1=5, p2=0)
    assert beacons_in(direct, "10.0.0.9", 5064) == [("10.0.0.9", 5064, 5, 13)]
    assert beacons_in(b"x" * 15, "10.0.0.9") == []
    assert beacons_in(frame(c.SEARCH, dtype=5), "10.0.0.9") == []


def test_steady_server_hints_at_nothing() -> None:
    beacons = Beacons(started=99.0)
    for number in range(20):
        assert beacons.heard(beacon(number), 100.0 + number * 15.0) is Hint.NOTHING


def test_server_that_appears_later_than_we_is_a_change() -> None:
    beacons = Beacons(started=0.0)
    assert beacons.heard(beacon(0), 1000.0) is Hint.NOTHING
    assert beacons.heard(beacon(1), 1000.02) is Hint.CHANGED


def test_restart_is_a_change() -> None:
    beacons = Beacons(started=99.0)
    last = steady(beacons, 10)
    # The first beacons of the new life look like late copies of old ones.
    hints = [beacons.heard(beacon(number), last + 3.0 + 0.02 * number) for number in (0, 0, 1)]
    assert hints == [Hint.NOTHING, Hint.NOTHING, Hint.CHANGED]


def test_pause_is_a_hint() -> None:
    beacons = Beacons(started=99.0)
    last = steady(beacons, 10)
    assert beacons.heard(beacon(10), last + 25.0) is Hint.PROBE
    assert beacons.heard(beacon(11), last + 125.0) is Hint.CHANGED


def test_copies_and_losses_say_nothing() -> None:
    beacons = Beacons(started=99.0)
    last = steady(beacons, 10)
    assert beacons.heard(beacon(9), last + 0.001) is Hint.NOTHING
    assert beacons.heard(beacon(12), last + 45.0) is Hint.NOTHING


def test_memory_is_bounded() -> None:
    beacons = Beacons(started=0.0)
    for number in range(30_000):
        beacons.heard((f"10.0.{number >> 8}.{number & 255}", 5064, 1, 13), float(number))
    assert len(beacons._servers) == 20_000


def test_forgotten_server_is_new() -> None:
    beacons = Beacons(started=99.0)
    last = steady(beacons, 10)
    beacons.forget(*SERVER)
    assert beacons.heard(beacon(0), last + 3.0) is Hint.NOTHING


def test_patience_grows_with_silences_and_wears_off() -> None:
    patience = Patience()
    seen = []
    for now in (0.0, 40.0, 80.0, 120.0, 160.0):
        seen.append(patience.echo_timeout(SERVER, now))
        patience.gave_up(SERVER, now)
    assert seen == [5.0, 10.0, 20.0, 40.0, 40.0]
    assert patience.echo_timeout(("127.0.0.1", 1), 160.0) == 5.0
    assert patience.echo_timeout(SERVER, 500.0) == 5.0


def test_identifiers() -> None:
    ids = IdSource(0xFFFFFFFE)
    assert [ids.take() for _ in range(2)] == [0xFFFFFFFE, 0xFFFFFFFF]
    assert ids.take({1, 2}, {3}) == 4
    assert ids.take_block(10) is None
    fresh = IdSource()
    assert fresh.take_block(10) == 1
    assert fresh.take() == 11
