# SPDX-License-Identifier: Apache-2.0
"""Which entries of a list wait for which channels."""

from __future__ import annotations

from catools.client.batch import Batch
from catools.client.channel import Channel

A, B = (Channel(name, name.encode(), cid, 0.0) for cid, name in enumerate("AB"))


def expecting(*entries: Channel) -> Batch:
    batch = Batch(len(entries))
    for index, channel in enumerate(entries):
        batch.expect(channel, index)
    return batch


def test_channels_that_connect_are_ready_once_in_list_order() -> None:
    batch = expecting(B, A, B, B)
    batch.connected(A)
    batch.connected(B)
    assert batch.take_ready() == [0, 1, 2, 3]
    assert batch.take_ready() == []
    assert batch.waiting() == []


def test_a_channel_may_be_lost_and_connect_again_before_anybody_looks() -> None:
    batch = expecting(A)
    batch.connected(A)
    batch.expect(A, 3)
    batch.connected(A)
    assert batch.take_ready() == [0, 3]


def test_each_entry_is_taken_back_for_itself() -> None:
    batch = expecting(A, B, A, A)
    assert not batch.forget(A, 0)
    assert sorted(index for _, index in batch.waiting()) == [1, 2, 3]
    assert not batch.forget(A, 3)
    assert batch.forget(A, 2)
    assert batch.waiting() == [(B, 1)]
    batch.connected(B)
    assert batch.take_ready() == [1]


def test_a_channel_that_is_closed_ends_all_entries_that_need_it() -> None:
    batch = expecting(A, B, A)
    batch.closed(A, 160, "closed")
    assert batch.failures == {0: (160, "closed"), 2: (160, "closed")}
    assert batch.left == 1
    assert batch.waiting() == [(B, 1)]
