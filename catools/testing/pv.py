# SPDX-License-Identifier: Apache-2.0
"""A PV of the scripted server: some elements of one type, and how they travel."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..protocol.dbr import DBR_DOUBLE, DBR_STRING, DBR_TYPES, STRING_SIZE
from ..protocol.eca import ECA_GETFAIL, ECA_NORMAL

if TYPE_CHECKING:
    from .connection import Connection

Element = float | int | bytes


class Pv:
    """One PV.

    Args:
        value: its elements; bytes for strings, numbers otherwise.
        dbr: its native type, a basic DBR code.
        size: the most elements it can have; by default as many as it has.
        rights: bit 0 read, bit 1 write.
        status, severity: of its alarm.
    """

    def __init__(
        self,
        value: Sequence[Element],
        dbr: int = DBR_DOUBLE,
        *,
        size: int = 0,
        rights: int = 3,
        status: int = 0,
        severity: int = 0,
    ) -> None:
        self.value = list(value)
        self.dbr = dbr
        self.size = size or len(self.value)
        self.rights = rights
        self.status = status
        self.severity = severity
        self.watchers: list[tuple[Connection, int, int, int]] = []

    def encode(self, dbr: int, count: int) -> tuple[int, bytes]:
        """Return element count and payload as a server sends them for a request."""
        row = DBR_TYPES[dbr]
        elements = self.value if count == 0 else self.value[:count]
        metadata = bytearray(row.value_offset)
        if row.value_offset >= 4:
            struct.pack_into(">hh", metadata, 0, self.status, self.severity)
        if row.base == DBR_STRING:
            body = b"".join(
                _text(element)[: STRING_SIZE - 1].ljust(STRING_SIZE, b"\0") for element in elements
            )
        else:
            convert = float if row.element in "fd" else int
            numbers = [convert(element) for element in elements]
            body = struct.pack(f">{len(numbers)}{row.element}", *numbers)
        return len(elements), bytes(metadata) + body

    def reply(self, dbr: int, count: int) -> tuple[int, int, bytes]:
        """Return ECA status, element count and payload; zeros where the value cannot be had so."""
        try:
            return ECA_NORMAL, *self.encode(dbr, count)
        except (ValueError, OverflowError, struct.error):
            count = count or self.size
            return ECA_GETFAIL, count, bytes(DBR_TYPES[dbr].size(count))

    def decode(self, dbr: int, count: int, payload: bytes) -> None:
        """Take the value that a client has written.

        Raises:
            ValueError: it is text that is no number.
        """
        row = DBR_TYPES[dbr]
        if row.base == DBR_STRING:
            pieces = [payload[at : at + STRING_SIZE] for at in range(0, len(payload), STRING_SIZE)]
            texts = [piece.partition(b"\0")[0] for piece in pieces[:count]]
            is_text = self.dbr == DBR_STRING
            self.value = [text if is_text else float(text) for text in texts]
        else:
            numbers = struct.unpack_from(f">{count}{row.element}", payload)
            self.value = list(map(_text, numbers) if self.dbr == DBR_STRING else numbers)
        self.post(self.value)

    def post(self, value: Sequence[Element]) -> None:
        """Set the value and send an update to everybody who watches."""
        self.value = list(value)
        for connection, dbr, count, ident in list(self.watchers):
            connection.send_update(self, dbr, count, ident)


def _text(element: Element) -> bytes:
    return element if isinstance(element, bytes) else f"{element:g}".encode()
