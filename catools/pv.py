# SPDX-License-Identifier: Apache-2.0
"""PVs as objects: the newest value at hand, and whether it can still be trusted.

A PV object keeps a monitor while somebody holds the object; dropping the last reference ends the
subscription. After a disconnect the last value stays readable, but its `ok` is false, as is the
object's. Values are stored as they come off the circuit, before any monitor callback runs, so it
is safe to wait for a PV inside a callback. The child of a fork has the objects of its parent, which
subscribe anew when they are used there, as all do that are used after the client was closed; until
they hear something, the values of before are stale.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any, Final, cast

from cothread import Event, Timedout
from cothread.clock import Timeout, expiry, monotonic

from .api import caget, camonitor, caput
from .arguments import check_callback
from .client import default
from .client.threads import in_scheduler
from .conversion import check_request, event_mask
from .dbr import FORMAT_RAW
from .errors import ca_nothing, no_name
from .protocol.eca import ECA_DISCONN
from .pv_array import PV_array
from .watched import Watcher, late, store_value

__all__ = ["PV", "PV_array"]

_NO_WAIT: Final = ()


class PV(Watcher):
    """One PV, watched.

    Args:
        on_update: called with this object after each update.
        initial_value: what `get` returns before the first update.
        caput_wait: `caput` waits until the server has processed the value.
        initial_timeout: how long, from now, `get` may wait for the first update; without it `get`
            returns None until then.
        datatype, format, count, events, all_updates: as for `camonitor`.
        notify_disconnect: also call `on_update` when the PV disconnects; `ok` is false then.
        connect_timeout: call `on_update` once when the PV has not connected by then.

    Attributes:
        name: of the PV.
        error: the `ca_nothing` that says why there is no good value, None while there is one.

    Thread: any may read; the methods that wait are forwarded to the scheduler's thread.
    """

    def __init__(
        self,
        pv: str,
        on_update: Callable[[PV], object] | None = None,
        initial_value: Any = None,
        caput_wait: bool = False,
        initial_timeout: Timeout | tuple[()] = _NO_WAIT,
        *,
        datatype: Any = None,
        format: int = FORMAT_RAW,
        count: int = 0,
        events: int | None = None,
        all_updates: bool = False,
        notify_disconnect: bool = False,
        connect_timeout: Timeout = None,
    ) -> None:
        if initial_value is not None and initial_timeout != _NO_WAIT:
            raise AssertionError("give initial_value or initial_timeout, not both")
        if not isinstance(pv, str):
            raise no_name(pv)
        check_request(datatype, format, count)
        if on_update is not None:
            check_callback(on_update, "on_update")
        self.name = pv
        self.on_update = on_update
        self.caput_wait = caput_wait
        self.datatype = datatype
        self.format = format
        self.count = count
        self.error: ca_nothing | None = ca_nothing(pv, ECA_DISCONN, "no value has come yet")
        self._started = monotonic()
        self._initial_timeout = initial_timeout
        self._waits = initial_timeout != _NO_WAIT
        self._deadline = expiry(cast("Timeout", initial_timeout)) if self._waits else None
        self._value = initial_value
        self._updated_at: float | None = None
        self._first: Event[None] = Event(auto_reset=False)
        self._next: Event[None] = Event()
        self._mask = event_mask(pv, events, format)
        self._all_updates = all_updates
        self._notify_disconnect = notify_disconnect
        self._connect_timeout = connect_timeout
        self._start()

    def _watch(self) -> None:
        me = weakref.ref(self)
        store = default.client().monitor(
            self.name,
            partial(store_value, me),
            datatype=self.datatype,
            format=self.format,
            count=self.count,
            mask=self._mask,
            notify_disconnect=True,
            direct=True,
        )
        self._monitors = (store,)
        if self.on_update is not None:
            # Shares the subscription, and gives on_update its turn among all callbacks.
            told = camonitor(
                self.name,
                partial(_tell, me, self._all_updates),
                datatype=self.datatype,
                format=self.format,
                count=self.count,
                events=self._mask,
                all_updates=self._all_updates,
                notify_disconnect=self._notify_disconnect,
                connect_timeout=self._connect_timeout,
            )
            self._monitors = (store, told)

    def _forget(self) -> None:
        end = "the fork" if self._generation != default.generation else "the client was closed"
        self._take(ca_nothing(self.name, ECA_DISCONN, f"no value has come since {end}"))
        self._updated_at = None
        self._started = monotonic()
        if self._waits:
            self._deadline = expiry(cast("Timeout", self._initial_timeout))
        self._first = Event(auto_reset=False)
        self._next = Event()

    def _take(self, value: Any) -> None:
        """Take an update, or the news that there are none for now; must not suspend."""
        if isinstance(value, ca_nothing):
            self.error = value
            if self._updated_at is not None:
                self._value = copy.copy(self._value)
                self._value.ok = False
            return
        self.error = None
        self._value = value
        self._updated_at = monotonic()
        self._first.Signal()
        self._next.Signal()

    def close(self) -> None:
        """Stop watching; `on_update` is not called after this. Harmless when repeated."""
        self._stop()
        if self.error is None:
            self._take(ca_nothing(self.name, ECA_DISCONN, "the PV object is closed"))

    def __enter__(self) -> PV:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "ok" if self.ok else "not ok" if self.connected else "disconnected"
        return f"<PV {self.name} {self._value!r} {state}>"

    # What is known

    @property
    def ok(self) -> bool:
        """True while the PV is connected and the value is its newest."""
        self._wake()
        return self.error is None

    @property
    def connected(self) -> bool:
        """True while the PV is connected."""
        self._wake()
        channel = self._monitors[0].channel if self._monitors else None
        return channel is not None and channel.record is not None

    @property
    def age(self) -> float | None:
        """Seconds since the newest update came; None before the first."""
        return None if self._updated_at is None else monotonic() - self._updated_at

    def get(self) -> Any:
        """Return the newest value; None, or `initial_value`, before there is one.

        After a disconnect it is the last value, with `ok` false.

        Raises:
            ca_nothing: `initial_timeout` has passed without a first value.
        Suspends: until the first value, if there is an `initial_timeout`.
        """
        self._wake()
        if self._waits and self._updated_at is None:
            self.sync()
        return self._value

    value = property(get, lambda self, value: self.caput(value), doc="`get`, or `caput` when set.")

    def get_next(self, timeout: Timeout = None, reset: bool = False) -> Any:
        """Return the first value since the last `get_next` or `reset`, waiting for it if need be.

        Args:
            reset: disregard what has come so far.

        Raises:
            ca_nothing: none came in time.
        Suspends: unless there is one.
        """
        self._wake()
        if reset:
            self.reset()
        self._wait(self._next, expiry(timeout), "no update")
        return self._value

    def reset(self) -> None:
        """Forget that there has been an update, so that `get_next` waits for another."""
        self._wake()
        self._next.Reset()

    def sync(self, timeout: Timeout | tuple[()] = _NO_WAIT) -> None:
        """Wait until there has been an update.

        Args:
            timeout: by default what is left of `initial_timeout`.

        Raises:
            ca_nothing: none came in time.
        Suspends: unless there has been one.
        """
        self._wake()
        if timeout != _NO_WAIT:
            deadline = expiry(cast("Timeout", timeout))
        elif self._waits:
            deadline = self._deadline
        else:
            raise AssertionError("Must specify sync timeout: this PV has no initial_timeout")
        self._wait(self._first, deadline, "no value has come")

    @in_scheduler
    def _wait(self, event: Event[None], deadline: float | None, awaited: str) -> None:
        started = monotonic()
        left = None if deadline is None else max(0.0, deadline - started)
        try:
            event.Wait(left)
        except Timedout as timeout:
            elapsed = monotonic() - (self._started if event is self._first else started)
            raise late(self.name, elapsed, awaited, self.error) from timeout

    # Other operations

    def caget(self, **kargs: Any) -> Any:
        """Read the PV now; datatype and format are this object's unless given.

        Suspends: until the value has come.
        """
        mine = {"datatype": self.datatype, "format": self.format, "count": self.count}
        return caget(self.name, **{**mine, **kargs})

    def caput(self, value: Any, **kargs: Any) -> ca_nothing:
        """Write a value; arguments as for `caput`, `wait` by default as `caput_wait` says.

        Suspends: as `caput` does.
        """
        result: ca_nothing = caput(self.name, value, **{"wait": self.caput_wait, **kargs})
        return result


def _tell(me: weakref.ref[PV], every: bool, value: Any) -> None:
    owner = me()
    if owner is None or owner.on_update is None:
        return
    if every and owner.ok and not isinstance(value, ca_nothing):
        # Whoever asks for every update wants to find this one; the newest comes to its turn too.
        owner._value = value
    owner.on_update(owner)
