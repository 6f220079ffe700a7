# SPDX-License-Identifier: Apache-2.0
"""What each reply means, except for data, which the receive loop of `circuit` handles itself.

Law: no reply can do more harm than ending its own circuit; unknown identifiers are counted and
otherwise ignored, because servers do send replies that were meant for somebody else.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Final

from . import commands as c
from .dbr import DBR_DOUBLE
from .eca import ECA_DISCONN
from .eca import name as eca_name
from .framing import EXTENDED, EXTENDED_SIZE, HEADER, HEADER_SIZE, decode_text, frame
from .records import (
    CLEARING,
    CONNECTED,
    CREATING,
    GONE,
    AccessChanged,
    ChannelLost,
    CircuitChannel,
    Created,
    CreateFailed,
    Greeted,
    Item,
    Located,
    ReadFailed,
    ServerNotice,
    SubscriptionFailed,
    WriteDone,
    WriteRefused,
)
from .search import server_address
from .state import CircuitState

Handler = Callable[[CircuitState, int, int, int, int, bytes, list[Item]], None]
"""(circuit, data type, count, p1, p2, payload, results)."""

_PAIR: Final = Struct(HEADER.format + HEADER.format.removeprefix(">"))
"""ACCESS_RIGHTS and the CREATE_CHAN that belongs to it, neither with a payload."""


def _version(
    state: CircuitState, _t: int, count: int, _p1: int, _p2: int, _b: bytes, out: list[Item]
) -> None:
    state.version = count
    state.version_known = True
    out.append(Greeted(count))


def _create_chan(
    state: CircuitState, dtype: int, count: int, cid: int, sid: int, _b: bytes, out: list[Item]
) -> None:
    channel = state.channels.get(cid)
    if channel is None:
        # Nobody waits for it any more; tell the server so that it does not keep it for ever.
        state.strays += 1
        state.send(frame(c.CLEAR_CHANNEL, p1=sid, p2=cid))
        return
    if channel.state is CLEARING and channel.sid < 0:
        channel.sid = sid
        state.send_clear(channel)
        return
    if channel.state is not CREATING:
        state.strays += 1
        return
    channel.sid = sid
    if dtype > DBR_DOUBLE:
        state.send_clear(channel)
        out.append(CreateFailed(channel, f"the server announced the unknown data type {dtype}"))
        return
    channel.native_type = dtype
    channel.native_count = count
    if state.version_known and state.version < c.SINCE_ACCESS_RIGHTS:
        channel.access = c.READ_ACCESS | c.WRITE_ACCESS
    channel.state = CONNECTED
    out.append(Created([channel]))


def more_created(state: CircuitState, data: bytes, start: int, out: list[Item]) -> int:
    """Take the channels that follow one without a gap, as servers create many; return the end."""
    if state.version_known and state.version < c.SINCE_ACCESS_RIGHTS:
        return start
    channels = state.channels
    created: list[CircuitChannel] = []
    whole = (len(data) - start) // _PAIR.size * _PAIR.size
    pairs = _PAIR.iter_unpack(memoryview(data)[start : start + whole])
    for access, size, _, _, cid, rights, create, more, dtype, count, same, sid in pairs:
        if access != c.ACCESS_RIGHTS or create != c.CREATE_CHAN or size or more or cid != same:
            break
        channel = channels.get(cid)
        if channel is None or channel.state is not CREATING or dtype > DBR_DOUBLE:
            break
        channel.access = rights & (c.READ_ACCESS | c.WRITE_ACCESS)
        channel.sid = sid
        channel.native_type = dtype
        channel.native_count = count
        channel.state = CONNECTED
        created.append(channel)
    if created:
        out.append(Created(created))
    return start + len(created) * _PAIR.size


def _access_rights(
    state: CircuitState, _t: int, _n: int, cid: int, rights: int, _b: bytes, out: list[Item]
) -> None:
    channel = state.channels.get(cid)
    if channel is None:
        state.strays += 1
        return
    rights &= c.READ_ACCESS | c.WRITE_ACCESS
    changed = channel.access != rights
    channel.access = rights
    if changed and channel.state is CONNECTED:
        out.append(AccessChanged(channel))


def _create_failed(
    state: CircuitState, _t: int, _n: int, cid: int, _p2: int, _b: bytes, out: list[Item]
) -> None:
    channel = state.channels.get(cid)
    if channel is None or channel.state is CONNECTED:
        state.strays += 1
        return
    del state.channels[cid]
    wanted = channel.state is CREATING
    channel.state = GONE
    if wanted:
        out.append(CreateFailed(channel, "the server answered the search but has no such channel"))


def _server_disconnect(
    state: CircuitState, _t: int, _n: int, cid: int, _p2: int, _b: bytes, out: list[Item]
) -> None:
    channel = state.channels.pop(cid, None)
    if channel is None:
        state.strays += 1
        return
    wanted = channel.state is not CLEARING
    channel.state = GONE
    if wanted:
        out.extend(state.drop_requests(channel, ECA_DISCONN, "the server dropped the channel"))
        out.append(ChannelLost(channel))


def _clear_channel(
    state: CircuitState, _t: int, _n: int, _sid: int, cid: int, _b: bytes, _out: list[Item]
) -> None:
    channel = state.channels.get(cid)
    if channel is None or channel.state is not CLEARING:
        state.strays += 1
        return
    channel.state = GONE
    del state.channels[cid]


def _write_notify(
    state: CircuitState, _t: int, _n: int, status: int, ident: int, _b: bytes, out: list[Item]
) -> None:
    put = state.puts.pop(ident, None)
    if put is None:
        state.strays += 1
        return
    out.append(WriteDone(put.token, put.index, status))
    state.put_ended(put, out)


def _echo(
    state: CircuitState, _t: int, _n: int, _p1: int, _p2: int, _b: bytes, out: list[Item]
) -> None:
    state.answered(out)


def _search(
    _s: CircuitState, dtype: int, _n: int, p1: int, cid: int, _b: bytes, out: list[Item]
) -> None:
    if p1 == c.SAME_ADDRESS:
        out.append(Located(cid, None, 0))
        return
    address = server_address(p1)
    if address is not None and dtype > 0:
        out.append(Located(cid, address, dtype))


def _ignored(
    _s: CircuitState, _t: int, _n: int, _p1: int, _p2: int, _b: bytes, _out: list[Item]
) -> None:
    """Take a reply that asks nothing of us."""


def _error(
    state: CircuitState, _t: int, _n: int, _cid: int, status: int, body: bytes, out: list[Item]
) -> None:
    if len(body) < HEADER_SIZE:
        out.append(ServerNotice(status, "an ERROR reply that embeds no request"))
        return
    command, size, _dtype, _count, _p1, ident = HEADER.unpack_from(body)
    text = decode_text(body[EXTENDED_SIZE if size == EXTENDED else HEADER_SIZE :])
    if command == c.EVENT_ADD and ident in state.subscriptions:
        out.append(SubscriptionFailed(state.subscriptions[ident].token, status, text))
    elif command == c.READ_NOTIFY and ident in state.reads:
        token, index, _, _ = state.reads.pop(ident)
        out.append(ReadFailed(token, index, status, text))
    elif command == c.WRITE_NOTIFY and ident in state.puts:
        put = state.puts.pop(ident)
        out.append(WriteDone(put.token, put.index, status, text))
        state.put_ended(put, out)
    elif command == c.WRITE and ident in state.recent_writes:
        put = state.recent_writes.pop(ident)
        out.append(WriteRefused(put.channel, put.token, put.index, status, text))
    elif command == c.EVENT_CANCEL:
        state.cancelled(ident)
    else:
        note = f"{eca_name(status)} for {c.command_name(command)}: {text}"
        out.append(ServerNotice(status, note))


REPLIES: Final[dict[int, Handler]] = {
    c.VERSION: _version,
    c.CREATE_CHAN: _create_chan,
    c.ACCESS_RIGHTS: _access_rights,
    c.CREATE_CH_FAIL: _create_failed,
    c.SERVER_DISCONN: _server_disconnect,
    c.CLEAR_CHANNEL: _clear_channel,
    c.WRITE_NOTIFY: _write_notify,
    c.ECHO: _echo,
    c.READ_SYNC: _echo,
    c.SEARCH: _search,
    c.NOT_FOUND: _ignored,
    c.ERROR: _error,
}
"""Handlers by command; a command that is not here is skipped and counted as stray."""
