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
    """PVs that are known by name."""
    connected: int
    """Of these, the ones that are connected."""
    searching: int
    """Of these, the ones that no server has answered for."""
    circuits: int
    """Connections to servers that are up."""
    monitors: int
    """Subscriptions of this program; several may share one on the wire."""
    updates: int
    """Callbacks that have been made, since the client started."""
    waiting_updates: int
    """Updates that wait for their callback."""
    held_circuits: int
    """Circuits that are not read at present, because too many updates wait."""
    bytes_in: int
    """Bytes received, over TCP and UDP, since the client started."""
    bytes_out: int
    """Bytes sent, likewise."""
    backlog: int
    """Bytes that wait to be sent."""
    search_datagrams: int
    """Search datagrams sent, since the client started."""
    search_replies: int
    """Replies to searches received, since the client started."""
    strays: int
    """Messages on the present circuits that nobody waited for."""


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
