# SPDX-License-Identifier: Apache-2.0
"""Event masks, status codes and errors under their old import path."""

from __future__ import annotations

from typing import Any

from catools.errors import CAException as CAException
from catools.errors import Disconnected as Disconnected
from catools.protocol import eca as _eca
from catools.protocol.dbr import DBE_ALARM, DBE_LOG, DBE_PROPERTY, DBE_VALUE
from catools.values import ca_info as _ca_info

__all__ = ["DBE_VALUE", "DBE_LOG", "DBE_ALARM", "DBE_PROPERTY"]

cs_never_conn = _ca_info.NEVER_CONNECTED
cs_prev_conn = _ca_info.PREVIOUSLY_CONNECTED
cs_conn = _ca_info.CONNECTED
cs_closed = _ca_info.CLOSED

CA_OP_CONN_UP = 6
CA_OP_CONN_DOWN = 7
TYPENOTCONN = -1

ca_message = _eca.message


def __getattr__(name: str) -> Any:
    if name.startswith("ECA_"):
        return getattr(_eca, name)
    raise AttributeError(
        f"module {__name__!r} has no attribute {name!r}: this client speaks Channel Access "
        "itself, so there is no libca to call"
    )
