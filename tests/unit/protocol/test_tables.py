# SPDX-License-Identifier: Apache-2.0
"""The tables against what the C compiler says about the same structures."""

from __future__ import annotations

import pytest

from catools.protocol import commands, dbr, eca

# Padded sizes of scalar replies, measured on the wire, in order of codes 0 to 34.
SCALAR_SIZES = [
    *(40, 8, 8, 8, 8, 8, 8),
    *(48, 8, 8, 8, 8, 8, 16),
    *(56, 16, 16, 16, 16, 16, 24),
    *(48, 32, 48, 424, 24, 40, 72),
    *(48, 32, 56, 424, 24, 48, 88),
]
# offsetof(value) of the C structures whose value does not begin where the metadata format ends.
UNALIGNED = {11: 5, 15: 14, 17: 14, 18: 15, 24: 422, 25: 19, 31: 422, 32: 21}


def test_scalar_sizes() -> None:
    assert [(row.size(1) + 7) & ~7 for row in dbr.DBR_TYPES[:35]] == SCALAR_SIZES
    assert dbr.DBR_TYPES[dbr.DBR_STSACK_STRING].size(1) == 48


@pytest.mark.parametrize(("code", "offset"), UNALIGNED.items())
def test_value_offsets(code: int, offset: int) -> None:
    assert dbr.DBR_TYPES[code].value_offset == offset


def test_rows_stand_at_their_codes() -> None:
    assert [row.code for row in dbr.DBR_TYPES] == list(range(39))
    assert dbr.DBR_TYPES[dbr.DBR_CTRL_DOUBLE].name == "DBR_CTRL_DOUBLE"
    for group in range(5):
        for base in range(7):
            row = dbr.DBR_TYPES[dbr.code_of(group, base)]
            assert (row.group, row.base) == (group, base)


def test_status_codes() -> None:
    assert eca.name(80) == "ECA_TIMEOUT"
    assert eca.message(80) == "User specified timeout on IO operation expired"
    assert eca.message(1) == "Normal successful completion"
    assert eca.message(376) == "Write access denied"
    assert "4711" in eca.message(4711)
    assert eca.name(4711) == "ECA_4711"
    assert eca.is_success(1)
    assert not eca.is_success(80)


def test_commands() -> None:
    assert commands.command_name(15) == "READ_NOTIFY"
    assert commands.command_name(999) == "command 999"
    assert [row.number for row in commands.COMMANDS.values()] == list(range(28))
