# SPDX-License-Identifier: Apache-2.0
"""Frames, whole and in pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catools.protocol import framing
from catools.protocol.framing import Frame, FrameReader, ProtocolError, frame

frames = st.builds(
    Frame,
    command=st.integers(0, 0xFFFE),
    dtype=st.integers(0, 0xFFFF),
    count=st.integers(0, 0xFFFFFFFF),
    p1=st.integers(0, 0xFFFFFFFF),
    p2=st.integers(0, 0xFFFFFFFF),
    payload=st.binary(max_size=100).map(framing.padded),
)


def encoded(message: Frame) -> bytes:
    return frame(
        message.command,
        message.payload,
        dtype=message.dtype,
        count=message.count,
        p1=message.p1,
        p2=message.p2,
    )


@given(st.lists(frames, max_size=8), st.data())
def test_any_chunking_gives_the_same_frames(messages: list[Frame], data: st.DataObject) -> None:
    stream = b"".join(encoded(message) for message in messages)
    reader = FrameReader()
    seen: list[Frame] = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        seen += reader.feed(stream[:size])
        stream = stream[size:]
    assert seen == messages


@given(st.binary(max_size=200))
def test_any_bytes_give_frames_or_a_protocol_error(data: bytes) -> None:
    reader = FrameReader(max_payload=1000)
    try:
        for message in reader.feed(data):
            assert len(message.payload) % 8 == 0
    except ProtocolError:
        pass


@given(st.binary(max_size=300))
def test_any_datagram_gives_frames(data: bytes) -> None:
    total = sum(16 + len(message[5]) for message in framing.datagram_frames(data))
    assert total <= len(data)


@pytest.mark.parametrize(
    ("size", "count", "extended"),
    [
        (65528, 8191, False),
        (65536, 8192, True),
        (0, 65534, False),
        (0, 65535, True),
        (0, 70000, True),
    ],
)
def test_extended_header_exactly_when_needed(size: int, count: int, extended: bool) -> None:
    head = framing.header(15, size, 6, count, 1, 2)
    assert len(head) == (24 if extended else 16)
    (message,) = FrameReader().feed(head + bytes(size))
    assert (len(message.payload), message.count) == (size, count)


def test_golden_bytes() -> None:
    assert framing.search_frame(1, b"NOPE:1").hex() == (
        "000600080005000d0000000100000001" + "4e4f50453a310000"
    )
    assert framing.datagram_version(1).hex() == "000000000001000d0000000100000000"
    assert framing.header(15, 0, 6, 70000, 0, 0).hex() == (
        "000fffff00060000" + "0000000000000000" + "0000000000011170"
    )


def test_names() -> None:
    assert framing.encode_name("PV:µ") == "PV:µ".encode()
    for bad in ("", "a\0b"):
        with pytest.raises(ValueError, match="PV name"):
            framing.encode_name(bad)


def test_text_ends_at_its_first_nul() -> None:
    assert framing.decode_text(b"abc\0garbage\0") == "abc"
    assert framing.decode_text(b"\xb5A") == "�A"
    assert framing.text_payload(b"1234567") == b"1234567\0"
    assert framing.text_payload(b"12345678") == b"12345678" + bytes(8)
