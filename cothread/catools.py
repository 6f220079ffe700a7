# SPDX-License-Identifier: Apache-2.0
"""The Channel Access functions under their old import path; `catools` is where they live.

`from cothread.catools import *` gives the historic names and no others. Everything else that
`catools` has, `ca_nothing` above all, can be imported from here by name.
"""

from __future__ import annotations

from typing import Any

import catools as _catools
from catools import (
    DBE_ALARM,
    DBE_LOG,
    DBE_PROPERTY,
    DBE_VALUE,
    DBR_CHAR,
    DBR_CHAR_BYTES,
    DBR_CHAR_STR,
    DBR_CLASS_NAME,
    DBR_DOUBLE,
    DBR_ENUM,
    DBR_ENUM_STR,
    DBR_FLOAT,
    DBR_LONG,
    DBR_PUT_ACKS,
    DBR_PUT_ACKT,
    DBR_SHORT,
    DBR_STRING,
    DBR_STSACK_STRING,
    FORMAT_CTRL,
    FORMAT_RAW,
    FORMAT_TIME,
    ca_extra_fields,
    caget,
    cainfo,
    camonitor,
    caput,
    connect,
)
from catools.errors import ca_nothing as ca_nothing
from catools.values import ca_info as ca_info

__all__ = [
    "caput",
    "caget",
    "camonitor",
    "connect",
    "cainfo",
    "DBR_STRING",
    "DBR_SHORT",
    "DBR_FLOAT",
    "DBR_ENUM",
    "DBR_CHAR",
    "DBR_LONG",
    "DBR_DOUBLE",
    "DBR_CHAR_STR",
    "DBR_ENUM_STR",
    "DBR_CHAR_BYTES",
    "DBR_PUT_ACKT",
    "DBR_PUT_ACKS",
    "DBR_STSACK_STRING",
    "DBR_CLASS_NAME",
    "FORMAT_RAW",
    "FORMAT_TIME",
    "FORMAT_CTRL",
    "ca_extra_fields",
    "DBE_VALUE",
    "DBE_LOG",
    "DBE_ALARM",
    "DBE_PROPERTY",
]


def __getattr__(name: str) -> Any:
    return getattr(_catools, name)
