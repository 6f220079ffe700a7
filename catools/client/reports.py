# SPDX-License-Identifier: Apache-2.0
"""What becomes of the events of a circuit: who is told what."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..protocol.records import (
    AccessChanged,
    ChannelLost,
    Created,
    CreateFailed,
    DeadlineSet,
    Fault,
    Greeted,
    Located,
    ReadFailed,
    ServerNotice,
    SubscriptionFailed,
    WriteDone,
    WriteRefused,
    WritesDone,
)
from ..protocol.runs import Run
from .monitors import accept_run

if TYPE_CHECKING:
    from .channel import Channel
    from .link import Link


def handlers(link: Link) -> dict[type, Callable[[Any], None]]:
    """Return the function for each kind of event of one link."""
    client = link.client

    def created(event: Created) -> None:
        client.channels_connected(link, event.channels)

    def create_failed(event: CreateFailed) -> None:
        channel: Channel = event.channel.token
        link.channels.pop(channel.cid, None)
        client.channel_refused(channel, f"{link.name}: {event.reason}")
        client.link_idle(link)

    def channel_lost(event: ChannelLost) -> None:
        channel: Channel = event.channel.token
        link.channels.pop(channel.cid, None)
        client.channels_lost([channel], f"{link.name} dropped the channel")
        client.link_idle(link)

    def read_failed(event: ReadFailed) -> None:
        event.token.failed(event.index, event.status, event.detail)

    def write_done(event: WriteDone) -> None:
        if event.token is not None:
            event.token.written(event.index, event.status, event.detail)

    def writes_done(event: WritesDone) -> None:
        if event.token is not None:
            event.token.all_written(event.indexes)

    def located(event: Located) -> None:
        host, port = link.address
        client.located([((event.cid,), event.address or host, event.port or port, 0)])

    return {
        Run: lambda run: accept_run(run, client.dispatcher),
        Greeted: lambda event: client.link_greeted(link, event.version),
        Created: created,
        CreateFailed: create_failed,
        ChannelLost: channel_lost,
        AccessChanged: lambda event: client.access_changed(event.channel.token),
        ReadFailed: read_failed,
        WriteDone: write_done,
        WritesDone: writes_done,
        WriteRefused: lambda event: client.write_refused(link, event),
        SubscriptionFailed: lambda event: event.token.tell(event.status, event.detail),
        Located: located,
        ServerNotice: lambda event: client.note(f"{link.name}: {event.detail}"),
        DeadlineSet: lambda _event: link.watch_sooner(),
        Fault: lambda event: link.down(f"{link.name}: {event.reason}", silent=event.silent),
    }
