# SPDX-License-Identifier: Apache-2.0
"""What objects that watch PVs have in common: weak callbacks, late closing, the right thread, and
new subscriptions in the child of a fork and after the client was closed.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Sequence
from typing import Any, NoReturn

import cothread

from .client import default
from .client.explain import timed_out
from .client.monitors import Monitor
from .client.threads import in_scheduler
from .errors import ca_nothing
from .protocol.eca import ECA_DISCONN, ECA_TIMEOUT


class Watcher:
    """Keeps monitors as long as somebody holds the object."""

    _monitors: tuple[Monitor, ...] = ()
    _generation: int

    def _watch(self) -> None:
        """Begin to watch, in the scheduler's thread."""
        raise NotImplementedError

    def _forget(self) -> None:
        """Mark what is known as no longer good, whoever told it."""
        raise NotImplementedError

    @in_scheduler
    def _start(self) -> None:
        self._generation = default.generation
        self._watch()

    def _wake(self) -> None:
        """Watch anew if others have ended the monitors: a fork, or whoever closed the client."""
        if self._lost():
            self._watch_anew()

    def _lost(self) -> bool:
        monitors = self._monitors
        return bool(monitors) and (self._generation != default.generation or monitors[0].closed)

    @in_scheduler
    def _watch_anew(self) -> None:
        if self._lost():
            self._forget()
            self._start()

    def _stop(self) -> None:
        monitors, self._monitors = self._monitors, ()
        if self._generation == default.generation:
            close_all(monitors)

    def __reduce__(self) -> NoReturn:
        # Two objects with the same monitors would end them for each other.
        kind = type(self).__name__
        raise TypeError(f"a {kind} watches PVs and is not copied or pickled; its values can be")

    def __del__(self) -> None:
        if self._monitors and self._generation == default.generation:
            close_later(self._monitors)


def store_value(me: weakref.ref[Any], value: Any, *index: int) -> None:
    """Hand an update to its object, known weakly, or it would live as long as its subscription."""
    owner = me()
    if owner is not None:
        owner._take(value, *index)


@in_scheduler
def close_all(monitors: Sequence[Monitor]) -> None:
    """Close several monitors."""
    for monitor in monitors:
        monitor.close()


def close_later(monitors: Sequence[Monitor]) -> None:
    """Close from a finalizer, which runs anywhere: in any thread, or amid the client's own work."""
    if not sys.is_finalizing():
        cothread.Callback(close_all, monitors)


def late(name: str, elapsed_s: float, awaited: str, told: ca_nothing | None = None) -> ca_nothing:
    """Return the error for a value that did not come in time.

    Args:
        told: what the server has said instead, if anything.
    """
    client = default.client()
    channel = client.channels.get(name)
    if channel is None:
        return ca_nothing(name, ECA_TIMEOUT, "the PV object is closed")
    if told is not None and told.errorcode != ECA_DISCONN:
        awaited = f"{awaited}: {told.message}"
    return timed_out(client, channel, elapsed_s, awaited)
