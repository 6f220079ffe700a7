# SPDX-License-Identifier: Apache-2.0
"""Errors for people: how far things got, where we looked, how long it took, what failed with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ..errors import ca_nothing
from ..protocol.dbr import DBR_TYPES
from ..protocol.eca import ECA_GETFAIL, ECA_TIMEOUT
from ..values import ca_info
from .channel import FOUND, Channel

if TYPE_CHECKING:
    from .client import Client

MOST_NAMES: Final = 20
"""Names listed in the text of one error; `failing` holds all of them."""


def timed_out(client: Client, channel: Channel, elapsed_s: float, awaited: str) -> ca_nothing:
    """Return the error for an operation whose deadline passed.

    Args:
        awaited: what was missing if the channel is connected, such as "no reply".
    """
    return ca_nothing(
        channel.name, ECA_TIMEOUT, f"{progress(client, channel, awaited)} ({elapsed_s:.1f} s)"
    )


def progress(client: Client, channel: Channel, awaited: str = "") -> str:
    """Say how far a channel has got."""
    if channel.record is not None:
        where = f"connected to {channel.server}"
        return f"{where}, but {awaited}" if awaited else where
    if channel.phase is FOUND:
        return f"found at {channel.server}, which has not connected the channel"
    if channel.refusals:
        return f"found, but {channel.lost_reason}"
    searched = f"no answer from {searched_addresses(client)}"
    tries = client.finder.search.tries(channel.cid)
    if tries:
        searched += f", asked {tries} {'time' if tries == 1 else 'times'}"
    if channel.disconnected_at is not None:
        return f"{channel.lost_reason}; since then {searched}"
    if channel.name != channel.name.strip():
        searched += "; there is blank space at an end of the name"
    return searched


def read_failed(channel: Channel, dbr: int, status: int, detail: str) -> ca_nothing:
    """Return the error for a read that the server refused: what it was asked, if it does not say.

    Args:
        dbr: the code that was asked for.
    """
    base = DBR_TYPES[dbr].base
    record = channel.record
    if not detail and status == ECA_GETFAIL and record is not None and base != record.native_type:
        names = ca_info.datatype_strings
        detail = f"{names[record.native_type]} was asked for as {names[base]}"
    return ca_nothing(channel.name, status, detail)


def searched_addresses(client: Client) -> str:
    """List the addresses that are searched."""
    config = client.config
    listed = [f"{host}:{port}" for host, port in config.addresses]
    listed += [f"{host}:{port} (name server)" for host, port in config.name_servers]
    return ", ".join(listed) or "anywhere, since no address is configured"


def summary(errors: Sequence[ca_nothing], total: int) -> ca_nothing:
    """Return the first of several errors, with the names of all that failed."""
    first = errors[0]
    first.failing = tuple(error.name for error in errors)
    if len(errors) > 1:
        names = ", ".join(first.failing[:MOST_NAMES])
        more = len(errors) - MOST_NAMES
        rest = f" and {more} more" if more > 0 else ""
        note = f"{len(errors)} of {total} PVs failed: {names}{rest}"
        first.detail = f"{first.detail}; {note}" if first.detail else note
    return first
