# SPDX-License-Identifier: Apache-2.0
"""What a good server would answer to a circuit: the raw material of the mutations."""

from __future__ import annotations

import struct
from random import Random

from catools.protocol import commands as c
from catools.protocol.dbr import DBR_TYPES, LAST_DBR
from catools.protocol.framing import datagram_version, frame, header

STATUSES = (1, 1, 1, 1, 1, 1, 48, 72, 152, 160, 192, 368, 376, 480, 0, 0xFFFFFFFF)


def value(random: Random, dbr: int, count: int) -> bytes:
    """Return a payload of one type: sometimes zeros, sometimes noise, sometimes text."""
    size = DBR_TYPES[dbr].size(count) if dbr <= LAST_DBR else 8
    kind = random.random()
    if kind < 0.3:
        return bytes(size)
    if kind < 0.4:
        return (b"\x1b[2J[red]\xff\xfe\xc3\0" * (size // 10 + 1))[:size]
    return random.randbytes(size)


def update(random: Random, ident: int, dbr: int, count: int) -> bytes:
    """Return an EVENT_ADD."""
    count = random.choice((count, count, 1, 0, 3))
    payload = value(random, dbr, count)
    return frame(c.EVENT_ADD, payload, dtype=dbr, count=count, p1=random.choice(STATUSES), p2=ident)


def reading(random: Random, ident: int, dbr: int, count: int) -> bytes:
    """Return a READ_NOTIFY."""
    count = random.choice((count, count, 1, 0, 3))
    payload = value(random, dbr, count)
    return frame(
        c.READ_NOTIFY, payload, dtype=dbr, count=count, p1=random.choice(STATUSES), p2=ident
    )


def written(random: Random, ident: int) -> bytes:
    """Return a WRITE_NOTIFY completion."""
    return header(c.WRITE_NOTIFY, 0, 6, 1, random.choice(STATUSES), ident)


def created(random: Random, cid: int, sid: int) -> bytes:
    """Return ACCESS_RIGHTS and CREATE_CHAN for a channel."""
    rights = frame(c.ACCESS_RIGHTS, p1=cid, p2=random.choice((3, 3, 3, 1, 2, 0, 0xFFFFFFFF)))
    dtype = random.choice((0, 1, 2, 3, 4, 5, 6, 7, 38))
    count = random.choice((1, 1, 1, 10, 0, 0xFFFF, 0xFFFFFFFF))
    return rights + frame(c.CREATE_CHAN, dtype=dtype, count=count, p1=cid, p2=sid)


def complaint(random: Random, command: int, ident: int) -> bytes:
    """Return an ERROR that embeds a request."""
    embedded = header(command, random.choice((0, 0, 8, 0x20000)), 6, 1, 1, ident)
    text = random.choice((b"", b"no\0", b"text without an end", b"\xff\xfe\x1b]0;x\x07"))
    return frame(c.ERROR, embedded + text, p1=random.getrandbits(4), p2=random.choice(STATUSES))


def rare(random: Random, cid: int, sid: int) -> bytes:
    """Return one of the messages that come seldom."""
    command = random.choice(
        (
            c.VERSION,
            c.ECHO,
            c.READ_SYNC,
            c.CREATE_CH_FAIL,
            c.SERVER_DISCONN,
            c.CLEAR_CHANNEL,
            c.SEARCH,
            c.NOT_FOUND,
            c.EVENT_CANCEL,
            c.BEACON,
            c.SIGNAL,
            28,
            0xFFFF,
        )
    )
    first, second = (sid, cid) if command == c.CLEAR_CHANNEL else (cid, sid)
    count = random.choice((0, 3, 4, 8, 9, 13, 13, 0x7FFD))
    payload = random.choice((b"", b"", bytes(8), b"text\0"))
    return frame(command, payload, dtype=random.choice((0, 5064)), count=count, p1=first, p2=second)


def search_reply(random: Random, cid: int) -> bytes:
    """Return one answer to a search, as it stands in a datagram."""
    version = random.choice((13, 13, 12, 11, 4, 0, 0x7FFD))
    payload = random.choice((struct.pack(">H", version) + bytes(6), b"", bytes(8)))
    address = random.choice((c.SAME_ADDRESS, 0x7F000001, 0, 0xE0000001, 0xFFFFFFFE, 0x0A000001))
    port = random.choice((5064, 6064, 0, 1, 80, 65535))
    return frame(c.SEARCH, payload, dtype=port, count=0, p1=address, p2=cid)


def beacon(random: Random, counter: int) -> bytes:
    """Return a beacon."""
    address = random.choice((0, 0x7F000001, random.getrandbits(32)))
    port = random.choice((5064, 5064, 0, random.getrandbits(16)))
    return frame(c.BEACON, dtype=random.choice((13, 13, 0)), count=port, p1=counter, p2=address)


def datagram(random: Random, messages: list[bytes]) -> bytes:
    """Return messages as one datagram, mostly with the VERSION that belongs there."""
    start = datagram_version(random.getrandbits(32)) if random.random() < 0.8 else b""
    return start + b"".join(messages)
