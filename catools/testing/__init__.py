# SPDX-License-Identifier: Apache-2.0
"""A small Channel Access server that does as it is told, for tests of clients.

    with Server({"PV": Pv([1.5])}) as server:
        os.environ.update(server.env)
        caget("PV")
        server["PV"].post([2.5])

It runs on cothreads in the process of the test. What it does by default is what a well-behaved
server does; `Server.on` replaces the answer to any command by a function of the test, and
`Connection` can send any bytes, in any pieces, at any time.
"""

from __future__ import annotations

from .connection import Connection
from .pv import Pv
from .server import Handler, Server

__all__ = ["Connection", "Handler", "Pv", "Server"]
