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
    caget,
    cainfo,
    camonitor,
    caput,
    connect,
)
from catools import dbr as _dbr
from catools.dbr import *  # noqa: F403
from catools.errors import ca_nothing as ca_nothing
from catools.values import ca_info as ca_info

__all__ = [
    "caput",
    "caget",
    "camonitor",
    "connect",
    "cainfo",
    "DBE_VALUE",
    "DBE_LOG",
    "DBE_ALARM",
    "DBE_PROPERTY",
]
__all__ += _dbr.__all__


def __getattr__(name: str) -> Any:
    return getattr(_catools, name)
