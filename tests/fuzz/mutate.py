# SPDX-License-Identifier: Apache-2.0
"""How good bytes are made bad. Everything is drawn from one `Random`, so a seed repeats it."""

from __future__ import annotations

from random import Random

from catools.protocol.framing import EXTENSION, HEADER, HEADER_SIZE

NASTY_16 = (0, 1, 2, 7, 8, 15, 16, 17, 38, 39, 0x7F, 0xFF, 0x7FFF, 0x8000, 0xFFF8, 0xFFFE, 0xFFFF)
NASTY_32 = (*NASTY_16, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF8, 0xFFFFFFFE, 0xFFFFFFFF)


def number(random: Random, bits: int) -> int:
    """Return a number that is likely to hit an edge."""
    if random.random() < 0.7:
        return random.choice(NASTY_16 if bits == 16 else NASTY_32)
    return random.getrandbits(bits)


def header_field(random: Random, data: bytearray) -> None:
    """Change one field of a leading header."""
    if len(data) < HEADER_SIZE:
        return
    fields = list(HEADER.unpack_from(data))
    # Commands change less often: a frame that nobody looks at finds nothing.
    which = random.choice((0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5))
    small = which < 4
    fields[which] = random.randrange(30) if which == 0 else number(random, 16 if small else 32)
    HEADER.pack_into(data, 0, *fields)


def flip_bits(random: Random, data: bytearray) -> None:
    """Turn over a few bits anywhere."""
    for _ in range(random.randint(1, 8)):
        if data:
            data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def set_bytes(random: Random, data: bytearray) -> None:
    """Overwrite a stretch with one byte, or with noise."""
    if not data:
        return
    at = random.randrange(len(data))
    size = min(random.choice((1, 2, 4, 8, 40)), len(data) - at)
    data[at : at + size] = (
        random.randbytes(size) if random.random() < 0.5 else bytes([random.getrandbits(8)]) * size
    )


def cut(random: Random, data: bytearray) -> None:
    """Take a piece out, or everything behind a point."""
    at = random.randrange(len(data) + 1)
    del data[at : at + random.choice((1, 3, 8, 16, len(data)))]


def insert(random: Random, data: bytearray) -> None:
    """Put noise in."""
    at = random.randrange(len(data) + 1)
    data[at:at] = random.randbytes(random.choice((1, 4, 8, 16, 33)))


def extend_header(random: Random, data: bytearray) -> None:
    """Turn a header into the extended form, rightly or wrongly."""
    if len(data) < HEADER_SIZE:
        return
    command, size, dtype, count, p1, p2 = HEADER.unpack_from(data)
    if random.random() < 0.5:
        size, count = number(random, 32), number(random, 32)
    HEADER.pack_into(data, 0, command, 0xFFFF, dtype, number(random, 16), p1, p2)
    data[HEADER_SIZE:HEADER_SIZE] = EXTENSION.pack(size, count)


MUTATIONS = (header_field, header_field, header_field, flip_bits, set_bytes, cut, insert)


def message(random: Random, good: bytes) -> bytes:
    """Return a message that is no longer quite what it was; sometimes it still is."""
    if random.random() < 0.35:
        return good
    data = bytearray(good)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        change = extend_header if random.random() < 0.06 else random.choice(MUTATIONS)
        change(random, data)
    return bytes(data)


def framed(random: Random, good: bytes) -> bytes:
    """Return a message that was changed, but whose header still tells its size.

    Without these nearly every stream would end at its first bad header, and what lies behind the
    framing would hardly be tried.
    """
    if random.random() < 0.5 or good[2:4] == b"\xff\xff":
        return good
    data = bytearray(good)
    random.choice((header_field, flip_bits, set_bytes, insert))(random, data)
    size = min(len(data) - HEADER_SIZE, 0xFFF8) // 8 * 8
    data[2:4] = size.to_bytes(2, "big")
    return bytes(data[: HEADER_SIZE + size])


def sequence(random: Random, good: list[bytes]) -> list[bytes]:
    """Return messages shuffled a little, doubled, left out and changed."""
    result: list[bytes] = []
    change = framed if random.random() < 0.6 else message
    for one in good:
        copies = random.choice((0, 1, 1, 1, 1, 1, 2))
        result += [change(random, one) for _ in range(copies)]
    if random.random() < 0.3:
        random.shuffle(result)
    return result


def chunks(random: Random, data: bytes) -> list[bytes]:
    """Cut a stream as a network might."""
    kind = random.random()
    if kind < 0.4:
        return [data]
    if kind < 0.5 and len(data) < 400:
        return [data[at : at + 1] for at in range(len(data))]
    result = []
    at = 0
    while at < len(data):
        size = random.choice((1, 7, 16, 24, 40, 100, 1000))
        result.append(data[at : at + size])
        at += size
    return result
