# SPDX-License-Identifier: Apache-2.0
"""What a client has done and holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .client import Client


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a client has done and holds at one moment."""

    channels: int
    connected: int
    searching: int
    circuits: int
    monitors: int
    updates: int
    waiting_updates: int
    held_circuits: int
    bytes_in: int
    bytes_out: int
    backlog: int
    search_datagrams: int
    search_replies: int
    strays: int


def statistics(client: Client) -> Statistics:
    """Return what a client has done and holds at this moment."""
    links = list(client.links.values())
    channels = client.channels.values()
    bytes_in, bytes_out = client.closed_bytes
    return Statistics(
        channels=len(channels),
        connected=sum(channel.record is not None for channel in channels),
        searching=len(client.finder.search),
        circuits=sum(link.up for link in links),
        monitors=sum(len(feed.monitors) for ch in channels for feed in ch.feeds.values()),
        updates=client.dispatcher.delivered,
        waiting_updates=client.dispatcher.waiting,
        held_circuits=client.dispatcher.held,
        bytes_in=bytes_in + client.finder.bytes_in + sum(link.bytes_in for link in links),
        bytes_out=bytes_out + client.finder.bytes_out + sum(link.bytes_out for link in links),
        backlog=sum(link.backlog for link in links),
        search_datagrams=client.finder.search.datagrams,
        search_replies=client.finder.replies,
        strays=sum(link.circuit.strays for link in links if link.up),
    )
