# SPDX-License-Identifier: Apache-2.0
"""The public names of data types and formats.

The numbers of real DBR types come from the protocol table. The names added here never appear on
the wire: a format says which metadata to ask for, and the special datatypes 996..999 say how to
present what arrives.
"""

from __future__ import annotations

from typing import Final

from .protocol.dbr import (
    DBR_CHAR,
    DBR_CLASS_NAME,
    DBR_DOUBLE,
    DBR_ENUM,
    DBR_FLOAT,
    DBR_LONG,
    DBR_PUT_ACKS,
    DBR_PUT_ACKT,
    DBR_SHORT,
    DBR_STRING,
    DBR_STSACK_STRING,
)

__all__ = [
    "DBR_CHAR",
    "DBR_CHAR_BYTES",
    "DBR_CHAR_STR",
    "DBR_CLASS_NAME",
    "DBR_DOUBLE",
    "DBR_ENUM",
    "DBR_ENUM_STR",
    "DBR_FLOAT",
    "DBR_LONG",
    "DBR_PUT_ACKS",
    "DBR_PUT_ACKT",
    "DBR_SHORT",
    "DBR_STRING",
    "DBR_STSACK_STRING",
    "FORMAT_CTRL",
    "FORMAT_RAW",
    "FORMAT_TIME",
    "ca_extra_fields",
]

DBR_ENUM_STR: Final = 996
"""Enumerations as text; every other PV as it would come without a datatype."""
DBR_CHAR_BYTES: Final = 997
"""An array of characters as one `bytes` value."""
DBR_CHAR_STR: Final = 999
"""An array of characters as one `str` value."""

FORMAT_RAW: Final = 0
"""The value alone."""
FORMAT_TIME: Final = 1
"""With alarm status, severity and timestamp."""
FORMAT_CTRL: Final = 2
"""With alarm status, severity, units, limits and precision, or with the strings of an enum."""

ca_extra_fields: Final = [
    "name",
    "ok",
    "datatype",
    "element_count",
    "severity",
    "status",
    "raw_stamp",
    "timestamp",
    "datetime",
    "units",
    "upper_disp_limit",
    "lower_disp_limit",
    "upper_alarm_limit",
    "lower_alarm_limit",
    "upper_warning_limit",
    "lower_warning_limit",
    "upper_ctrl_limit",
    "lower_ctrl_limit",
    "precision",
    "enums",
]
"""Every attribute a value may have in some format; copy these to move them to another object."""
