# SPDX-License-Identifier: Apache-2.0
"""Channel Access client: read, write and watch the PVs of an EPICS control system.

    from catools import caget, caput, camonitor
    caget("SR-DI-DCCT:SIGNAL")
    caput("SR-RF:FREQ", 499.65, wait=True)
    camonitor("SR-DI-DCCT:SIGNAL", print)

Importing starts nothing; the first call reads EPICS_CA_* and opens what it needs.
"""

from __future__ import annotations

from typing import Any

from . import dbr as _dbr
from .api import caget, cainfo, camonitor, caput, connect
from .augmented import Augmented
from .client import default as _default
from .client.client import Client
from .client.default import client as default_client
from .client.default import close as close_client
from .client.monitors import Monitor
from .client.put_hooks import Attempt, PutHooks, put_hooks
from .client.statistics import Statistics
from .dbr import *  # noqa: F403
from .errors import CAException, Disconnected, InvalidDatatype, ca_nothing
from .protocol.dbr import DBE_ALARM, DBE_ARCHIVE, DBE_LOG, DBE_PROPERTY, DBE_VALUE
from .values import ca_bytes, ca_float, ca_info, ca_int, ca_str

__all__ = [
    "Attempt",
    "Augmented",
    "CAException",
    "Client",
    "DBE_ALARM",
    "DBE_ARCHIVE",
    "DBE_LOG",
    "DBE_PROPERTY",
    "DBE_VALUE",
    "Disconnected",
    "InvalidDatatype",
    "Monitor",
    "PutHooks",
    "Statistics",
    "ca_bytes",
    "ca_float",
    "ca_info",
    "ca_int",
    "ca_nothing",
    "ca_str",
    "caget",
    "cainfo",
    "camonitor",
    "caput",
    "close_client",
    "connect",
    "default_client",
    "put_hooks",
]
__all__ += _dbr.__all__


def __getattr__(name: str) -> Any:
    # numpy is imported when the first array arrives, or is asked about.
    if name == "ca_array":
        from .arrays import ca_array

        return ca_array
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _ChannelCache:
    """What other packages' tests use to close all channels."""

    @staticmethod
    def purge() -> None:
        """Close every channel; later use of the same names makes new ones."""
        running = _default.running()
        if running is not None:
            running.purge()


_channel_cache = _ChannelCache()
