# SPDX-License-Identifier: Apache-2.0
"""What all values of PVs have in common: their attributes, and what follows from them."""

from __future__ import annotations

import datetime as _dt
import math
from typing import TYPE_CHECKING, Any

from .protocol.dbr import ALARM_SEVERITY, ALARM_STATUS, EPICS_EPOCH


def severity_word(severity: int) -> str:
    """Return the name of an alarm severity; a number outside the table is shown as such."""
    known = 0 <= severity < len(ALARM_SEVERITY)
    return ALARM_SEVERITY[severity] if known else f"severity {severity}"


def status_word(status: int) -> str:
    """Return the name of an alarm status; a number outside the table is shown as such."""
    known = 0 <= status < len(ALARM_STATUS)
    return ALARM_STATUS[status] if known else f"status {status}"


def alarm_words(severity: int, status: int) -> str:
    """Return an alarm in words, such as "HIHI MAJOR"; "NO_ALARM" when there is none."""
    if not severity and not status:
        return ALARM_SEVERITY[0]
    return f"{status_word(status)} {severity_word(severity)}"


def _without(value: Augmented, what: str, where: str) -> AttributeError:
    """Return the error for asking a value what its format does not bring."""
    name = getattr(value, "name", "the value")
    return AttributeError(f"{name} was read without {what}: read {where}")


class Augmented:
    """The attributes of a value, and what follows from them.

    Each attribute says below which format brings it, where not every value has it; what did not
    come raises AttributeError. `__dict__` shows the attributes and nothing else; what is computed
    from them is a property.
    """

    __slots__ = ()

    name: str
    """The PV, as it was asked for."""
    ok: bool
    """Always true: a value that could not be had is a `ca_nothing`, whose `ok` is false."""
    datatype: int
    """The DBR code that was asked for."""
    element_count: int
    """The most elements the PV can have."""
    status: int
    """The alarm's reason, as a number; `alarm` says it in words. FORMAT_TIME, FORMAT_CTRL."""
    severity: int
    """0 no alarm, 1 minor, 2 major, 3 invalid. FORMAT_TIME, FORMAT_CTRL."""
    timestamp: float
    """When the record was processed, in seconds since 1970 UTC. FORMAT_TIME."""
    raw_stamp: tuple[int, int]
    """The same, exactly: seconds and nanoseconds. FORMAT_TIME."""
    units: str
    """The engineering units of the value and of all limits. FORMAT_CTRL."""
    precision: int
    """Digits after the point that make sense; floating point only. FORMAT_CTRL."""
    upper_disp_limit: float
    """The top of the scale a display should have. FORMAT_CTRL."""
    lower_disp_limit: float
    """The bottom of that scale. FORMAT_CTRL."""
    upper_alarm_limit: float
    """Above it (HIHI) the alarm is major, usually; nan when there is none. FORMAT_CTRL."""
    upper_warning_limit: float
    """Above it (HIGH) the alarm is minor, usually. FORMAT_CTRL."""
    lower_warning_limit: float
    """Below it (LOW) the alarm is minor, usually. FORMAT_CTRL."""
    lower_alarm_limit: float
    """Below it (LOLO) the alarm is major, usually. FORMAT_CTRL."""
    upper_ctrl_limit: float
    """The most that can be put. FORMAT_CTRL."""
    lower_ctrl_limit: float
    """The least that can be put. FORMAT_CTRL."""
    enums: list[str]
    """The texts of all states; enumerations only. FORMAT_CTRL."""
    ackt: int
    """Whether passing alarms wait to be acknowledged. DBR_STSACK_STRING."""
    acks: int
    """The worst alarm not acknowledged yet. DBR_STSACK_STRING."""
    update_count: int
    """How many updates were merged into this one. `camonitor`."""

    @property
    def datetime(self) -> _dt.datetime:
        """The timestamp as local time without a zone."""
        return _dt.datetime.fromtimestamp(self._stamp())

    @property
    def datetime_utc(self) -> _dt.datetime:
        """The timestamp as an aware datetime in UTC."""
        return _dt.datetime.fromtimestamp(self._stamp(), _dt.UTC)

    def _stamp(self) -> float:
        try:
            return self.timestamp
        except AttributeError:
            raise _without(self, "its time", "it with format=FORMAT_TIME") from None

    @property
    def never_processed(self) -> bool:
        """True when the record has not been processed since its IOC started."""
        self._stamp()
        return self.raw_stamp == (EPICS_EPOCH, 0)

    @property
    def alarm(self) -> str:
        """The alarm in words, such as "HIHI MAJOR"; "NO_ALARM" when there is none."""
        try:
            severity, status = self.severity, self.status
        except AttributeError:
            where = "it with format=FORMAT_TIME or FORMAT_CTRL"
            raise _without(self, "its alarm", where) from None
        return alarm_words(severity, status)

    def _states(self) -> list[str]:
        try:
            return self.enums
        except AttributeError:
            where = "an enumeration with format=FORMAT_CTRL"
            raise _without(self, "texts of states", where) from None

    def to_dict(self) -> dict[str, Any]:
        """Return the value and its attributes as a dictionary that JSON can hold.

        Returns:
            "value" first, an array as a list and bytes as latin-1 text, then every attribute.
            Numbers that JSON has no word for (nan, inf) are None.
        """
        result = {"value": _jsonable(self.plain())}
        result.update((key, _jsonable(item)) for key, item in vars(self).items())
        return result

    def plain(self) -> Any:
        """Return the value without attributes, as a built-in type: arrays as lists."""
        raise NotImplementedError


class AugmentedValue(Augmented):
    """What `caget` returns, for annotations: whatever some kind of value can do.

    Which attributes are there depends on the format; `float(value)` or `+value` gives the value.
    """

    if TYPE_CHECKING:

        def __pos__(self) -> Any: ...
        def __float__(self) -> float: ...
        def __int__(self) -> int: ...
        def __add__(self, other: Any, /) -> Any: ...
        def __radd__(self, other: Any, /) -> Any: ...
        def __sub__(self, other: Any, /) -> Any: ...
        def __rsub__(self, other: Any, /) -> Any: ...
        def __mul__(self, other: Any, /) -> Any: ...
        def __rmul__(self, other: Any, /) -> Any: ...
        def __truediv__(self, other: Any, /) -> Any: ...
        def __rtruediv__(self, other: Any, /) -> Any: ...
        def __lt__(self, other: Any, /) -> Any: ...
        def __le__(self, other: Any, /) -> Any: ...
        def __gt__(self, other: Any, /) -> Any: ...
        def __ge__(self, other: Any, /) -> Any: ...
        def __getitem__(self, index: Any, /) -> Any: ...
        def __len__(self) -> int: ...


def _jsonable(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, (list, tuple)):
        return [_jsonable(item) for item in value]
    return value
