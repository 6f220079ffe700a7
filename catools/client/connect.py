# SPDX-License-Identifier: Apache-2.0
"""Connecting many PVs at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cothread.clock import Timeout, expiry, monotonic

from ..errors import ca_nothing
from ..values import ca_info
from .batch import Batch
from .channel import Channel, Phase
from .explain import timed_out
from .get import URGENT

if TYPE_CHECKING:
    from .client import Client


def connect_all(
    client: Client, names: Sequence[str], timeout: Timeout, *, info: bool, wait: bool
) -> list[Any]:
    """Connect PVs and return a result for each: a `ca_nothing`, or a `ca_info` with `info`.

    Suspends: with `wait`, until all are connected or the deadline has passed.
    """
    started = monotonic()
    deadline = expiry(timeout)
    urgent = len(names) <= URGENT
    batch = Batch(len(names))
    channels: list[Channel | ca_nothing] = []
    missing: dict[int, Channel] = {}
    for index, name in enumerate(names):
        try:
            channel = client.channel(name)
        except ca_nothing as error:
            channels.append(error)
            continue
        channels.append(channel)
        if not wait:
            channel.pinned = True
            client.want(channel, urgent=urgent)
        elif channel.record is None:
            missing[index] = channel
            client.wait_for(channel, batch, index, urgent=urgent)
    try:
        while missing and batch.wait(deadline):
            for index in (*batch.take_ready(), *batch.failures):
                missing.pop(index, None)
    finally:
        for index, channel in missing.items():
            client.forget_waiter(channel, batch, index)
    results: list[Any] = []
    for index, found in enumerate(channels):
        if isinstance(found, ca_nothing):
            results.append(found)
        elif index in batch.failures:
            results.append(ca_nothing(found.name, *batch.failures[index]))
        elif index in missing:
            results.append(timed_out(client, found, monotonic() - started, "it has been lost"))
        else:
            results.append(channel_info(found) if info else ca_nothing(found.name))
    return results


def channel_info(channel: Channel) -> ca_info:
    """Return what is known about a channel now."""
    record = channel.record
    if record is not None:
        return ca_info(
            channel.name,
            ca_info.CONNECTED,
            channel.server,
            record.readable,
            record.writable,
            record.native_count,
            record.native_type,
        )
    if channel.phase is Phase.CLOSED:
        return ca_info(channel.name, ca_info.CLOSED)
    if channel.disconnected_at is not None and not channel.refusals:
        return ca_info(channel.name, ca_info.PREVIOUSLY_CONNECTED)
    return ca_info(channel.name, ca_info.NEVER_CONNECTED)
