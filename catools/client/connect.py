# SPDX-License-Identifier: Apache-2.0
"""Connecting many PVs at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from cothread import Spawn
from cothread.clock import Timeout, expiry, monotonic

from ..errors import bare, ca_nothing, success
from ..protocol.eca import ECA_CHANDESTROY, ECA_DISCONN
from ..values import ca_info
from .batch import Batch
from .channel import CLOSED, Channel
from .explain import progress, timed_out
from .get import URGENT

if TYPE_CHECKING:
    from .client import Client
    from .monitors import Monitor


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
            channels.append(bare(error))
            continue
        channels.append(channel)
        if not wait:
            channel.pinned = True
            client.want(channel, urgent=urgent)
        elif channel.record is None:
            missing[index] = channel
    _await(client, batch, missing, deadline, urgent=urgent)
    results: list[Any] = []
    for index, found in enumerate(channels):
        if isinstance(found, ca_nothing):
            results.append(found)
        elif index in batch.failures:
            results.append(ca_nothing(found.name, *batch.failures[index]))
        elif index in missing:
            results.append(timed_out(client, found, monotonic() - started, "it has been lost"))
        else:
            results.append(channel_info(found) if info else success(found.name))
    return results


def _await(
    client: Client,
    batch: Batch,
    missing: dict[int, Channel],
    deadline: float | None,
    *,
    urgent: bool,
) -> None:
    """Leave among the missing only what has not connected at the deadline.

    Suspends: until all are connected or the deadline has passed.
    """
    try:
        client.wait_for(((each, index) for index, each in missing.items()), batch, urgent=urgent)
        while missing and batch.wait(deadline):
            for index in (*batch.take_ready(), *batch.failures):
                missing.pop(index, None)
    finally:
        for index, channel in missing.items():
            client.forget_waiter(channel, batch, index)


def tell_unconnected(client: Client, monitors: Sequence[Monitor], deadline: float) -> None:
    """Tell those monitors whose PVs have not connected by then, from a cothread."""
    Spawn(_tell_unconnected, client, monitors, deadline).name = "catools connect"


def _tell_unconnected(client: Client, monitors: Sequence[Monitor], deadline: float) -> None:
    batch = Batch(len(monitors))
    missing: dict[int, Channel] = {}
    for index, monitor in enumerate(monitors):
        channel = monitor.channel
        if channel is not None and channel.record is None:
            missing[index] = channel
            monitor.on_close = partial(_give_up, client, channel, batch, index)
    _await(client, batch, missing, deadline, urgent=False)
    for monitor in monitors:
        monitor.on_close = None
    for index, channel in missing.items():
        if not client.closed:
            detail = progress(client, channel)
            monitors[index].notice(ca_nothing(channel.name, ECA_DISCONN, detail))


def _give_up(client: Client, channel: Channel, batch: Batch, index: int) -> None:
    """Wait no longer for a channel: its monitor has been closed."""
    client.forget_waiter(channel, batch, index)
    batch.gone(index, ECA_CHANDESTROY, "the monitor was closed")


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
            tuple(f"{host}:{port}" for host, port in channel.alternates),
        )
    if channel.phase is CLOSED:
        return ca_info(channel.name, ca_info.CLOSED)
    if channel.disconnected_at is not None and not channel.refusals:
        return ca_info(channel.name, ca_info.PREVIOUSLY_CONNECTED)
    return ca_info(channel.name, ca_info.NEVER_CONNECTED)
