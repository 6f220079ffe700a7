# SPDX-License-Identifier: Apache-2.0
"""Messages larger than the user allows: what they were for has failed, and they are passed over.

They cost nobody else the circuit: a client that broke it would connect, ask and break it again.
What is written may be of any size, as with libca: the limit is for what servers send.
"""

from __future__ import annotations

from typing import Final

from . import commands as c
from .eca import ECA_TOLARGE
from .records import Item, ReadFailed, SubscriptionFailed
from .state import MAX_PAYLOAD, CircuitState

__all__ = ["UNCOUNTED", "refuse"]

UNCOUNTED: Final = 24
"""Bytes of a message that EPICS_CA_MAX_ARRAY_BYTES does not count: alarm, time and the like."""


def refuse(state: CircuitState, command: int, size: int, ident: int, results: list[Item]) -> bool:
    """End the request that a message with so large a payload answers.

    Returns:
        False when no server means such a message: the bytes are something else.
    """
    if size & 7 or size > MAX_PAYLOAD:
        return False
    detail = (
        f"the server sent {size} bytes, and EPICS_CA_MAX_ARRAY_BYTES allows "
        f"{state.settings.max_payload - UNCOUNTED}; give it more, or set "
        "EPICS_CA_AUTO_ARRAY_BYTES=YES"
    )
    if command == c.READ_NOTIFY:
        read = state.reads.pop(ident, None)
        if read is not None:
            results.append(ReadFailed(read[0], read[1], ECA_TOLARGE, detail))
            return True
    elif command == c.EVENT_ADD:
        subscription = state.subscriptions.get(ident)
        if subscription is not None:
            results.append(SubscriptionFailed(subscription.token, ECA_TOLARGE, detail))
            return True
        if ident in state.cancelling:
            return True
    else:
        return False
    state.strays += 1
    return True
