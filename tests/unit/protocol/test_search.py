# SPDX-License-Identifier: Apache-2.0
"""The search policy, with a clock that the tests move."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catools.protocol import commands as c
from catools.protocol.framing import HEADER, datagram_frames, datagram_version, frame
from catools.protocol.search import Search, search_replies, server_address


def cids(datagrams: Iterable[bytes]) -> list[int]:
    """Return the identifiers searched for in some datagrams."""
    return [m[4] for data in datagrams for m in datagram_frames(data) if m[0] == c.SEARCH]


def run(search: Search, until: float, start: float = 0.0) -> list[tuple[float, int]]:
    """Return when which identifier is searched for while nobody answers."""
    now, seen = start, []
    while now <= until:
        seen += [(now, cid) for cid in cids(search.due(now))]
        deadline = search.deadline()
        if deadline is None:
            break
        now = max(deadline, now + 1e-6)
    return seen


def test_one_missing_name_backs_off() -> None:
    search = Search(60.0)
    search.add(1, b"MISSING", 0.0)
    times = [when for when, _ in run(search, 600.0)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert times[0] == 0.0
    assert gaps[:5] == pytest.approx([0.03, 0.06, 0.12, 0.24, 0.48], rel=0.01)
    assert gaps[-1] == pytest.approx(60.0)
    assert len(times) < 25


def test_nothing_to_do_means_no_deadline() -> None:
    search = Search()
    assert search.deadline() is None
    search.add(1, b"PV", 0.0)
    assert search.deadline() == 0.0
    assert search.answered(1, 0.0)
    assert search.deadline() is None
    assert not search.answered(1, 0.0)
    assert search.due(1.0) == []


def test_datagrams_open_with_version_and_stay_small() -> None:
    search = Search()
    for cid in range(1, 300):
        search.add(cid, b"A:RATHER:LONG:PV:NAME:%d" % cid, 0.0)
    datagrams = search.due(0.0)
    assert sorted(cids(datagrams)) == list(range(1, 300))
    for sequence, data in enumerate(datagrams, 1):
        assert len(data) <= 1024
        assert data.startswith(datagram_version(sequence))
    assert len(datagrams) <= 299 // 18


def test_name_too_long_for_a_datagram_gets_its_own() -> None:
    search = Search()
    search.add(1, b"x" * 1007, 0.0)
    search.add(2, b"short", 0.0)
    assert sorted(cids(search.due(0.0))) == [1, 2]


def test_ten_thousand_names_go_out_as_fast_as_they_are_answered() -> None:
    search = Search()
    for cid in range(1, 10_001):
        search.add(cid, b"SR-DI-BPM-%05d:X" % cid, 0.0)
    now, rounds = 0.0, 0
    while len(search):
        for cid in cids(search.due(now)):
            assert search.answered(cid, now)
        now += 0.001
        rounds += 1
    assert rounds < 20


def test_missing_names_cost_little() -> None:
    search = Search()
    for cid in range(1, 20_001):
        search.add(cid, b"MISSING:%d" % cid, 0.0)
    run(search, 600.0)
    sent = search.datagrams
    run(search, 1200.0, 600.0)
    assert search.datagrams - sent < 600 * 20, "more than 20 datagrams a second at the plateau"


def test_burst_is_bounded() -> None:
    search = Search()
    for cid in range(1, 50_001):
        search.add(cid, b"MISSING:%d" % cid, 0.0)
    most = 0
    now = 0.0
    for _ in range(100):
        most = max(most, len(search.due(now)))
        deadline = search.deadline()
        assert deadline is not None
        assert deadline > now
        now = deadline
    assert most <= 2048 / 25


def test_urgent_name_overtakes_a_long_list() -> None:
    search = Search()
    for cid in range(1, 50_001):
        search.add(cid, b"MISSING:%d" % cid, 0.0)
    search.due(0.0)
    search.add(99_999, b"WANTED", 0.001, urgent=True)
    assert 99_999 in cids(search.due(0.001))


def test_hurry_restarts_the_back_off() -> None:
    search = Search()
    search.add(1, b"PV", 0.0)
    run(search, 100.0)
    deadline = search.deadline()
    assert deadline is not None
    assert deadline > 110.0
    search.hurry(1, 101.0)
    assert cids(search.due(101.0)) == [1]
    assert search.deadline() == pytest.approx(101.03)


def test_penalty_delays_the_first_search() -> None:
    search = Search()
    search.add(1, b"TYPO", 0.0, penalty=0)
    search.add(2, b"TYPO", 0.0, penalty=3)
    assert search.due(0.0) == []
    first = {cid: when for when, cid in reversed(run(search, 30.0))}
    assert first == pytest.approx({1: 0.96, 2: 7.68})


def test_boost_brings_long_waiting_names_forward() -> None:
    search = Search()
    for cid in range(1, 11):
        search.add(cid, b"PV%d" % cid, 0.0)
    run(search, 200.0)
    search.boost(201.0)
    assert sorted(cids(search.due(201.0))) == list(range(1, 11))
    again = [when for when, cid in run(search, 215.0, 201.0) if cid == 1]
    assert again[0] == pytest.approx(201.0 + 0.96)
    search.boost(215.5)
    assert len(cids(search.due(215.5))) == 10


def test_lost_channels_are_searched_at_once_and_probed_twice_a_second() -> None:
    search = Search()
    search.lost([(cid, b"PV:%d" % cid) for cid in range(1, 1001)], 50.0)
    first = run(search, 50.2, 50.0)
    assert {cid for _, cid in first} == set(range(1, 1001))
    probed = [when for when, _ in run(search, 110.0, 50.2)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(probed)]
    assert max(gaps) < 0.5
    late = [cid for when, cid in run(search, 170.0, 110.0)]
    assert len(late) < 1000 * 60 / 7 + 24 * 60 * 2.1


def test_first_answer_sends_out_all_its_companions() -> None:
    search = Search()
    search.lost([(cid, b"PV:%d" % cid) for cid in range(1, 1001)], 0.0)
    run(search, 100.0)
    now = 100.3
    while not (asked := cids(search.due(now))):
        now += 0.1
    search.answered(asked[0], now)
    found = set(cids(search.due(now)))
    while len(found) < 999:
        for cid in list(found):
            search.answered(cid, now)
        now += 0.01
        more = cids(search.due(now))
        assert more, f"{len(found)} of 999 after {now}"
        found.update(more)


def test_probe_that_is_removed_is_replaced() -> None:
    search = Search()
    search.lost([(cid, b"PV:%d" % cid) for cid in range(1, 101)], 0.0)
    run(search, 60.0)
    for cid in range(1, 30):
        search.remove(cid, 60.0)
    probed = {cid for _, cid in run(search, 61.1, 60.1)}
    assert len(probed) >= 20
    assert min(probed) == 30


def test_lost_channel_settles_down_after_some_minutes() -> None:
    search = Search()
    search.lost([(1, b"PV")], 0.0)
    run(search, 2000.0)
    assert len(run(search, 2600.0, 2000.0)) <= 3


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["add", "urgent", "lost", "remove", "answered", "hurry", "boost"]),
            st.integers(1, 12),
            st.floats(0.0, 3.0),
        ),
        max_size=60,
    )
)
def test_every_name_is_found_in_the_end_whatever_happens(
    steps: list[tuple[str, int, float]],
) -> None:
    search = Search(60.0)
    now = 0.0
    wanted: set[int] = set()
    for action, cid, pause in steps:
        now += pause
        if action in ("add", "urgent", "lost") and cid not in wanted:
            if action == "lost":
                search.lost([(cid, b"PV")], now)
            else:
                search.add(cid, b"PV", now, urgent=action == "urgent")
            wanted.add(cid)
        elif action == "remove":
            search.remove(cid, now)
            wanted.discard(cid)
        elif action == "answered":
            assert search.answered(cid, now) == (cid in wanted)
            wanted.discard(cid)
        elif action == "hurry":
            search.hurry(cid, now)
        elif action == "boost":
            search.boost(now)
        assert wanted >= set(cids(search.due(now)))
    assert len(search) == len(wanted)
    asked = {cid for _, cid in run(search, now + 61.0, now)}
    assert asked == wanted


def test_a_name_is_asked_for_once_however_often_it_is_brought_forward() -> None:
    search = Search()
    search.lost([(cid, b"PV") for cid in range(100)], 5.0)
    assert search.answered(0, 5.0)
    assert sorted(cids(search.due(5.0))) == list(range(1, 100))
    assert search.due(5.0) == []


def test_many_names_at_once_are_looked_for_like_one_by_one() -> None:
    together, apart = Search(), Search()
    names = [(cid, b"PV:%d" % cid) for cid in range(50)]
    for urgent in (False, True):
        together.add_many(names, 1.0, urgent=urgent)
        for cid, name in names:
            apart.add(cid, name, 1.0, urgent=urgent)
        names = [(cid + 50, name) for cid, name in names]
    together.add_many([], 1.0, urgent=False)
    assert together.due(1.0) == apart.due(1.0)
    assert run(together, 9.0, 1.0) == run(apart, 9.0, 1.0)


def test_addresses() -> None:
    assert server_address(0x7F000001) == "127.0.0.1"
    assert server_address(0) is None
    assert server_address(1) is None
    assert server_address(0xE0000001) is None
    assert server_address(0xFFFFFFFE) is None


def reply(
    port: int = 6064, address: int = 0xFFFFFFFF, payload: bytes = b"\0\x0d", cid: int = 77
) -> bytes:
    return frame(c.SEARCH, payload, dtype=port, p1=address, p2=cid)


def test_replies() -> None:
    here = [((77,), "10.0.0.9", 6064, 13)]
    assert search_replies(datagram_version(9) + reply(), "10.0.0.9") == here
    assert search_replies(reply() * 3, "10.0.0.9") == here * 3
    there = [((77,), "10.0.0.1", 6064, 13)]
    assert search_replies(reply(address=0x0A000001), "10.0.0.9") == there
    old = reply(address=0x0A000001, payload=b"\0\x07")
    assert search_replies(old, "10.0.0.9") == [((77,), "10.0.0.9", 6064, 7)]
    assert search_replies(reply(0, payload=b"\0\x04"), "10.0.0.9", 5064) == [
        ((77,), "10.0.0.9", 5064, 4)
    ]
    assert search_replies(frame(c.SEARCH, dtype=6064, p1=0x0A000001, p2=1), "10.0.0.9") == [
        ((1,), "10.0.0.9", 6064, 0)
    ]


def test_replies_that_are_alike_come_out_together() -> None:
    data = datagram_version(9) + b"".join(reply(cid=cid) for cid in range(30))
    assert search_replies(data, "10.0.0.9") == [(tuple(range(30)), "10.0.0.9", 6064, 13)]
    nowhere = datagram_version(9) + b"".join(reply(80, cid=cid) for cid in range(30))
    assert search_replies(nowhere, "10.0.0.9") == []


ANY_REPLY = st.one_of(
    st.builds(reply, cid=st.integers(0, 3)),
    st.sampled_from(
        [
            reply(80),
            reply(7000),
            reply(address=0x0A000001),
            reply(payload=b"\0\x07"),
            reply(payload=b""),
            reply(payload=bytes(16)),
            frame(c.NOT_FOUND, bytes(8), p2=1),
            frame(c.SEARCH, b"PV\0", dtype=c.DONT_REPLY, count=13, p1=1, p2=1),
            datagram_version(1),
        ]
    ),
)


@given(st.lists(ANY_REPLY, max_size=6))
def test_replies_mean_together_what_they_mean_one_by_one(replies: list[bytes]) -> None:
    def flat(data: bytes) -> list[tuple[int, str, int, int]]:
        found = search_replies(data, "10.0.0.9")
        return [(cid, *where) for cids, *where in found for cid in cids]

    expected = [each for message in replies for each in flat(message)]
    assert flat(b"".join(replies)) == expected
    assert flat(datagram_version(9) + b"".join(replies)) == expected


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"short",
        bytes(15),
        HEADER.pack(c.SEARCH, 100, 6064, 0, 0, 1),
        reply(0),
        reply(80),
        reply(address=0),
        reply(address=1),
        reply(address=0xEFFFFFFA),
        frame(c.SEARCH, b"PV\0", dtype=5, count=13, p1=1, p2=1),
        frame(c.SEARCH, b"PV\0", dtype=10, count=13, p1=1, p2=1),
        frame(c.NOT_FOUND, p1=1, p2=1),
        frame(c.BEACON, dtype=13, count=6064),
    ],
)
def test_what_is_no_reply(data: bytes) -> None:
    assert search_replies(data, "10.0.0.9") == []


def test_trailing_garbage_costs_only_itself() -> None:
    data = reply() + HEADER.pack(c.SEARCH, 0xFFF8, 1, 1, 1, 1) + reply()
    assert len(search_replies(data, "10.0.0.9")) == 1
