# SPDX-License-Identifier: Apache-2.0
"""Runs: updates of one type that follow one another without a gap.

Law: a run is taken only where every header differs from the first in nothing but the identifier,
so that what is true of the first message is true of all.

Servers send what one scan has processed in one go, hundreds of messages that look alike.  A run
stays the bytes that it came as; looking at its headers column by column costs a few hundredths of
a microsecond for each message, and making objects of them ten times as much.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from struct import Struct
from typing import TYPE_CHECKING, Any, Final

from .framing import HEADER, HEADER_SIZE

if TYPE_CHECKING:
    from .records import Subscription

__all__ = ["FEWEST", "MOST", "Run", "newest", "payloads", "take_runs"]

FEWEST: Final = 8
"""Fewer messages than these are not worth a run."""
MOST: Final = 64
"""Runs are no longer, because whoever keeps one message of a run keeps all of it."""

_HEAD_SIZE: Final = 12
"""All of a header but the identifier."""
_FIRST_LOOK: Final = 32


class Run:
    """Updates of one scalar each, with whom they are for.

    Attributes:
        kind: what was given to `subscribe`, the same for all of them.
        tokens: whom each is for.
        messages: header and payload of each, all of one size.
    """

    __slots__ = ("kind", "messages", "tokens")

    def __init__(self, kind: Any, tokens: list[Any], messages: bytes) -> None:
        self.kind = kind
        self.tokens = tokens
        self.messages = messages


def take_runs(
    data: bytes,
    head: bytes,
    start: int,
    step: int,
    subscriptions: Mapping[int, Subscription],
    kind: Any,
) -> list[Run]:
    """Return the updates that follow one another from `start` on, as far as they are alike.

    Args:
        head: what each begins with.
        step: the size of each message.
        kind: that of each one's subscription.
    """
    runs: list[Run] = []
    find = subscriptions.__getitem__
    left = _alike(data, head, start, step)
    while left >= FEWEST:
        count = min(left, MOST)
        messages = data[start : start + count * step]
        idents = _identifiers(count, step).unpack(messages)
        try:
            tokens = [sub.token for sub in map(find, idents) if sub.kind is kind]
        except KeyError:
            # Somebody has unsubscribed.
            break
        if len(tokens) < count:
            break
        runs.append(Run(kind, tokens, messages))
        start += count * step
        left -= count
    return runs


def _alike(data: bytes, head: bytes, start: int, step: int) -> int:
    """Return how many messages begin with `head`; a few count as none."""
    count = min((len(data) - start) // step, _FIRST_LOOK)
    if count < FEWEST or not data.startswith(head, start + (FEWEST - 1) * step):
        return 0
    count = _leading(data, head, start, step, count)
    if count < _FIRST_LOOK:
        return count
    return _leading(data, head, start, step, (len(data) - start) // step)


def _leading(data: bytes, head: bytes, start: int, step: int, count: int) -> int:
    for column in range(_HEAD_SIZE):
        expected = head[column : column + 1]
        found = data[start + column : start + count * step : step]
        if found != expected * count:
            count -= len(found.lstrip(expected))
    return count


@lru_cache(maxsize=4 * MOST)
def _identifiers(count: int, step: int) -> Struct:
    """Return how to read the identifiers of so many messages."""
    return Struct(">" + f"{_HEAD_SIZE}xI{step - HEADER_SIZE}x" * count)


def payloads(messages: bytes) -> Iterator[tuple[bytes]]:
    """Return the payload of each message of a run, in a tuple of one."""
    return _payload(HEADER.unpack_from(messages)[1]).iter_unpack(messages)


@lru_cache(maxsize=64)
def _payload(size: int) -> Struct:
    return Struct(f">{HEADER_SIZE}x{size}s")


def newest(messages: bytes, ident: int) -> bytes:
    """Return the payload of the last message of a run with this identifier; there must be one."""
    step = HEADER_SIZE + HEADER.unpack_from(messages)[1]
    idents = _identifiers(len(messages) // step, step).unpack(messages)
    at = len(messages) - step * (1 + idents[::-1].index(ident))
    return messages[at + HEADER_SIZE : at + step]
