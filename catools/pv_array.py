# SPDX-License-Identifier: Apache-2.0
"""Many PVs of one type, watched, with their values in one numpy array."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from cothread import Event, Timedout
from cothread.clock import Timeout, monotonic

from .api import caget, camonitor, caput
from .arguments import check_callback, name_list
from .client import default
from .client.explain import summary
from .client.threads import in_scheduler
from .conversion import check_request, event_mask
from .dbr import FORMAT_TIME
from .errors import ca_nothing
from .watched import Watcher, late, store_value

if TYPE_CHECKING:
    import numpy as np

__all__ = ["PV_array"]


class PV_array(Watcher):
    """Many PVs of one type, their newest values in one numpy array.

    Args:
        dtype: of the array, and the datatype asked for.
        count: elements kept of each PV; a shorter one is filled up with zeros.
        on_update: called with this object and the index of the PV after each update.
        caput_wait: `caput` waits until the server has processed the values.
        events, all_updates: as for `camonitor`.

    Attributes:
        names: of the PVs, as a list.
        shape: (PVs,), or (PVs, count) unless count is 1.
        seen: which PVs have ever had a value.
    """

    def __init__(
        self,
        pvs: Iterable[str],
        dtype: Any = float,
        count: int = 1,
        on_update: Callable[[PV_array, int], object] | None = None,
        caput_wait: bool = False,
        *,
        events: int | None = None,
        all_updates: bool = False,
    ) -> None:
        import numpy as np

        if isinstance(pvs, str):
            raise TypeError(f"PV_array takes an iterable of PV names, not one name: {pvs!r}")
        self.names = name_list(pvs)
        self.dtype = dtype
        check_request(dtype, FORMAT_TIME, count)
        if count < 1:
            raise ValueError(f"count must be 1 or more, not {count}: each PV has as many places")
        if on_update is not None:
            check_callback(on_update, "on_update")
        self.count = count
        self.on_update = on_update
        self.caput_wait = caput_wait
        self.shape = (len(self.names),) if count == 1 else (len(self.names), count)
        exact = np.dtype(dtype)
        if exact.kind in "SU" and not exact.itemsize:
            exact = np.dtype(f"{exact.kind}40")
        total = len(self.names)
        self._value = np.zeros(self.shape, exact)
        self._ok = np.zeros(total, bool)
        self._errors: dict[int, ca_nothing] = {}
        self.seen = np.zeros(total, bool)
        self._timestamp = np.zeros(total)
        self._severity = np.zeros(total, "i2")
        self._status = np.zeros(total, "i2")
        self._started = monotonic()
        self._first: Event[None] = Event(auto_reset=False)
        self._mask = event_mask(", ".join(self.names[:1]), events, FORMAT_TIME)
        self._all_updates = all_updates
        self._start()

    def _watch(self) -> None:
        me = weakref.ref(self)
        options = {"datatype": self.dtype, "format": FORMAT_TIME, "count": self.count}
        client = default.client()
        stores = [
            client.monitor(
                name,
                partial(store_value, me),
                mask=self._mask,
                index=index,
                notify_disconnect=True,
                direct=True,
                **options,
            )
            for index, name in enumerate(self.names)
        ]
        self._monitors = tuple(stores)
        if self.on_update is not None:
            # Shares the subscriptions, and gives on_update its turn among all callbacks.
            told = camonitor(
                self.names,
                partial(_tell, me),
                events=self._mask,
                all_updates=self._all_updates,
                **options,
            )
            self._monitors = (*stores, *told)

    def _forget(self) -> None:
        self._ok[:] = False
        self.seen[:] = False
        self._started = monotonic()
        self._first = Event(auto_reset=False)

    def _take(self, value: Any, index: int) -> None:
        if isinstance(value, ca_nothing):
            self._ok[index] = False
            self._errors[index] = value
            return
        row = self._value[index : index + 1].reshape(-1)
        elements = value[: len(row)] if hasattr(value, "dtype") else (value,)
        row[: len(elements)] = elements
        row[len(elements) :] = 0
        self._timestamp[index] = value.timestamp
        self._severity[index] = value.severity
        self._status[index] = value.status
        self._ok[index] = True
        if not self.seen[index]:
            self.seen[index] = True
            if self.seen.all():
                self._first.Signal()

    def close(self) -> None:
        """Stop watching; `on_update` is not called after this. Harmless when repeated."""
        self._stop()
        self._ok[:] = False

    def __enter__(self) -> PV_array:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"<PV_array of {len(self.names)} PVs, {int(self.ok.sum())} ok>"

    @property
    def ok(self) -> np.ndarray[Any, Any]:
        """Which PVs are connected and have a value; a copy, as all these are."""
        self._wake()
        return self._ok.copy()

    @property
    def all_ok(self) -> bool:
        """True while all PVs are connected and have a value."""
        return bool(self.ok.all())

    @property
    def timestamp(self) -> np.ndarray[Any, Any]:
        """The time of each value, in seconds since 1970; zero where there has been none."""
        return self._timestamp.copy()

    @property
    def severity(self) -> np.ndarray[Any, Any]:
        """The alarm severity of each value."""
        return self._severity.copy()

    @property
    def status(self) -> np.ndarray[Any, Any]:
        """The alarm status of each value."""
        return self._status.copy()

    def get(self) -> np.ndarray[Any, Any]:
        """Return a copy of the newest values; zero where there has been none."""
        self._wake()
        return self._value.copy()

    value = property(get, lambda self, value: self.caput(value), doc="`get`, or `caput` when set.")

    def sync(self, timeout: Timeout = 5, throw: bool = True) -> None:
        """Wait until every PV has had a value.

        Raises:
            ca_nothing: some had none in time, and `throw` is true; it names them all.
        Suspends: unless all have.
        """
        self._wake()
        self._wait(timeout, throw)

    @in_scheduler
    def _wait(self, timeout: Timeout, throw: bool) -> None:
        if not self.names:
            return
        try:
            self._first.Wait(timeout)
        except Timedout as timeout_:
            if throw:
                raise self._missing() from timeout_

    def _missing(self) -> ca_nothing:
        """Return the error that names the PVs that have had no value."""
        elapsed = monotonic() - self._started
        errors = [
            late(name, elapsed, "no value has come", self._errors.get(index))
            for index, name in enumerate(self.names)
            if not self.seen[index]
        ]
        return summary(errors, len(self.names))

    def caget(self, **kargs: Any) -> list[Any]:
        """Read all PVs now; arguments as for `caget`.

        Suspends: until the values have come.
        """
        mine = {"datatype": self.dtype, "count": self.count, "format": FORMAT_TIME}
        results: list[Any] = caget(self.names, **{**mine, **kargs})
        return results

    def caput(self, value: Any, **kargs: Any) -> list[ca_nothing]:
        """Write one value for each PV, or a single number to all; arguments as for `caput`.

        Suspends: as `caput` does.
        """
        results: list[ca_nothing] = caput(self.names, value, **{"wait": self.caput_wait, **kargs})
        return results


def _tell(me: weakref.ref[PV_array], _value: Any, index: int) -> None:
    owner = me()
    if owner is not None and owner.on_update is not None:
        owner.on_update(owner, index)
