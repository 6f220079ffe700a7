# SPDX-License-Identifier: Apache-2.0
"""Frames: a 16-byte header, eight more when the payload is large, and a payload padded to eight.

Law: byte offsets of headers are known here and in the receive loop of `circuit`, which unpacks
with the structures defined here.

Theory: a payload-size field of 0xFFFF, and nothing else, says that size and count follow as two
32-bit numbers. Senders use that form when either would not fit 16 bits. Text in payloads ends at
its first NUL; whatever follows, padding included, is garbage and is never looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Final

from .commands import DONT_REPLY, MINOR_VERSION, SEARCH, VERSION

HEADER: Final = Struct(">HHHHII")
"""command, payload size, data type, data count, parameter 1, parameter 2."""
EXTENSION: Final = Struct(">II")
"""payload size, data count; present when the 16-bit size is EXTENDED."""
MONITOR_BODY: Final = Struct(">fffHH")
"""Payload of EVENT_ADD: three unused floats, the event mask, padding."""

HEADER_SIZE: Final = HEADER.size
EXTENDED_SIZE: Final = HEADER_SIZE + EXTENSION.size
EXTENDED: Final = 0xFFFF
ALIGN: Final = 8
ID_MASK: Final = 0xFFFFFFFF


_ENDS: Final = tuple(bytes(ALIGN - over) for over in range(ALIGN))
"""The zeros that close a text, by the bytes it has beyond a multiple of eight."""

Message = tuple[int, int, int, int, int, bytes]
"""(command, data type, data count, parameter 1, parameter 2, payload)"""


@dataclass(slots=True)
class Frame:
    """One message taken apart, with names; used where speed does not matter."""

    command: int
    dtype: int
    count: int
    p1: int
    p2: int
    payload: bytes


class ProtocolError(Exception):
    """The peer sent bytes that are not Channel Access."""


def padded(payload: bytes) -> bytes:
    """Return the payload with zeros appended up to a multiple of eight."""
    short = -len(payload) % ALIGN
    return payload + bytes(short) if short else payload


def header(command: int, size: int, dtype: int, count: int, p1: int, p2: int) -> bytes:
    """Return a header for an already padded payload of `size` bytes, extended when it must be."""
    if size >= EXTENDED or count >= EXTENDED:
        return HEADER.pack(command, EXTENDED, dtype, 0, p1, p2) + EXTENSION.pack(size, count)
    return HEADER.pack(command, size, dtype, count, p1, p2)


def frame(
    command: int,
    payload: bytes = b"",
    *,
    dtype: int = 0,
    count: int = 0,
    p1: int = 0,
    p2: int = 0,
) -> bytes:
    """Return one complete message; the payload is padded here."""
    body = padded(payload)
    return header(command, len(body), dtype, count, p1, p2) + body


def text_payload(text: bytes) -> bytes:
    """Return text as it travels: closed by a NUL and padded to eight."""
    return text + _ENDS[len(text) % ALIGN]


def text_frame(command: int, text: bytes, *, count: int = 0, p1: int = 0, p2: int = 0) -> bytes:
    """Return a message whose payload is one NUL-terminated text."""
    return frame(command, text + b"\0", count=count, p1=p1, p2=p2)


def search_frame(cid: int, name: bytes) -> bytes:
    """Return the SEARCH message that asks for `name`; answered only by a server that has it."""
    body = text_payload(name)
    return HEADER.pack(SEARCH, len(body), DONT_REPLY, MINOR_VERSION, cid, cid) + body


def datagram_version(sequence: int) -> bytes:
    """Return the VERSION message that must open every datagram sent to a server."""
    return HEADER.pack(VERSION, 0, 1, MINOR_VERSION, sequence & ID_MASK, 0)


def until_nul(raw: bytes) -> bytes:
    """Return the bytes before the first NUL."""
    return raw.partition(b"\0")[0]


def decode_text(raw: bytes) -> str:
    """Return text from the wire for people to read; never raises, whatever the bytes are."""
    return until_nul(raw).decode("utf-8", "replace")


def encode_name(name: str) -> bytes:
    """Return a PV name as bytes.

    Raises:
        ValueError: the name is empty, holds a NUL, or cannot be encoded; the caller's fault.
    """
    if not name:
        raise ValueError("the PV name is empty")
    raw = name.encode("utf-8", "surrogateescape")
    if 0 in raw:
        raise ValueError("the PV name contains a NUL character")
    return raw


def datagram_frames(data: bytes) -> list[Message]:
    """Return the well-formed messages at the front of a datagram.

    The rest is dropped at the first header that does not fit, since nothing after it can be
    trusted. Datagrams never use the extended header.
    """
    frames: list[Message] = []
    position, end = 0, len(data)
    while end - position >= HEADER_SIZE:
        command, size, dtype, count, p1, p2 = HEADER.unpack_from(data, position)
        body = position + HEADER_SIZE
        if size > end - body:
            break
        frames.append((command, dtype, count, p1, p2, data[body : body + size]))
        position = body + size
    return frames


class FrameReader:
    """Cut a byte stream into frames, for peers that read few of them (the scripted server).

    The client's circuit has its own loop, which does not make an object per frame.
    """

    __slots__ = ("_buffer", "_max_payload")

    def __init__(self, max_payload: int = 0x1000000) -> None:
        self._buffer = bytearray()
        self._max_payload = max_payload

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames completed by `data`.

        Raises:
            ProtocolError: a payload is misaligned or larger than allowed; the peer's fault.
        """
        self._buffer += data
        frames: list[Frame] = []
        while (taken := self._first()) is not None:
            frames.append(taken)
        return frames

    def _first(self) -> Frame | None:
        buffer = self._buffer
        if len(buffer) < HEADER_SIZE:
            return None
        command, size, dtype, count, p1, p2 = HEADER.unpack_from(buffer)
        body = HEADER_SIZE
        if size == EXTENDED:
            if len(buffer) < EXTENDED_SIZE:
                return None
            size, count = EXTENSION.unpack_from(buffer, HEADER_SIZE)
            body = EXTENDED_SIZE
        if size % ALIGN:
            raise ProtocolError(f"payload of {size} bytes is not a multiple of {ALIGN}")
        if size > self._max_payload:
            raise ProtocolError(f"payload of {size} bytes exceeds {self._max_payload}")
        if len(buffer) < body + size:
            return None
        payload = bytes(buffer[body : body + size])
        del buffer[: body + size]
        return Frame(command, dtype, count, p1, p2, payload)
