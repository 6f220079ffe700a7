# SPDX-License-Identifier: Apache-2.0
"""caget, caput, camonitor, connect, cainfo: what users call.

All of them take one PV name, and then return one result, or any iterable of names, and then return
a list in the same order. A list is worked on in parallel under one deadline. They may be called
from any thread; in a thread other than the scheduler's the call is handed over and the thread
blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, overload

import cothread
from cothread.clock import Timeout, expiry

from .arguments import check_callback, name_list, names_of
from .client import default
from .client.connect import connect_all, tell_unconnected
from .client.explain import summary
from .client.get import Get
from .client.monitors import Monitor
from .client.one import get_one
from .client.put import Put
from .conversion import check_put, check_request, event_mask
from .dbr import FORMAT_RAW
from .errors import BadShape, bare, ca_nothing
from .forward import any_thread
from .protocol.eca import ECA_BADCOUNT
from .values import AugmentedValue, ca_info

__all__ = ["caget", "cainfo", "camonitor", "caput", "connect"]


def _finish(results: list[Any], throw: bool) -> list[Any]:
    """Raise for the first failure, or return the results with failures among them."""
    if throw:
        errors = [result for result in results if isinstance(result, ca_nothing) and not result.ok]
        if errors:
            try:
                raise summary(errors, len(results))
            finally:
                # The error knows the frames it comes through: what stands there keeps it.
                errors.clear()
                results.clear()
    return results


@overload
def caget(  # type: ignore[overload-overlap]
    pvs: str,
    *,
    timeout: Timeout = 5,
    datatype: Any = None,
    format: int = FORMAT_RAW,
    count: int = 0,
    throw: Literal[True] = True,
) -> AugmentedValue: ...
@overload
def caget(  # type: ignore[overload-overlap]
    pvs: str,
    *,
    timeout: Timeout = 5,
    datatype: Any = None,
    format: int = FORMAT_RAW,
    count: int = 0,
    throw: bool,
) -> AugmentedValue | ca_nothing: ...
@overload
def caget(
    pvs: Iterable[str],
    *,
    timeout: Timeout = 5,
    datatype: Any = None,
    format: int = FORMAT_RAW,
    count: int = 0,
    throw: Literal[True] = True,
) -> list[AugmentedValue]: ...
@overload
def caget(
    pvs: Iterable[str],
    *,
    timeout: Timeout = 5,
    datatype: Any = None,
    format: int = FORMAT_RAW,
    count: int = 0,
    throw: bool,
) -> list[AugmentedValue | ca_nothing]: ...
@any_thread
def caget(
    pvs: str | Iterable[str],
    *,
    timeout: Timeout = 5,
    datatype: Any = None,
    format: int = FORMAT_RAW,
    count: int = 0,
    throw: bool = True,
) -> Any:
    """Read one PV or many.

    Args:
        timeout: seconds for the whole call, `(deadline,)`, or None to wait for ever.
        datatype: how the server should convert the value: a DBR_* code, a Python type such as `str`
            or a numpy dtype; None for the PV's own type.
        format: FORMAT_RAW, FORMAT_TIME (adds alarm and timestamp) or FORMAT_CTRL (adds units and
            limits).
        count: at most that many elements of an array; 0 for all there are, -1 for the full size.
        throw: False returns a `ca_nothing` in the place of each value that could not be had.
    Returns:
        An augmented value, or a list of them in the order of `pvs`.
    Raises:
        ca_nothing: the first PV in order that failed; the text names all of them.
        InvalidDatatype: `datatype` or `format` names nothing.
    Suspends: until every value has come, or the timeout expires.
    Thread: any.
    """
    if datatype is not None or format != FORMAT_RAW or type(count) is not int:
        check_request(datatype, format, count)
    key = (datatype, format, count)
    client = default.client()
    if not isinstance(pvs, str):
        return _finish(Get(client, name_list(pvs), timeout, key).run(), throw)
    channel = client.channels.get(pvs)
    if channel is not None and channel.record is not None:
        result = get_one(client, channel, timeout, key)
    else:
        (result,) = Get(client, (pvs,), timeout, key).run()
    if throw and isinstance(result, ca_nothing):
        try:
            raise summary([result], 1)
        finally:
            del result
    return result


@overload
def caput(
    pvs: str,
    values: Any,
    *,
    repeat_value: bool = False,
    datatype: Any = None,
    wait: bool = False,
    timeout: Timeout = 5,
    callback: Callable[[ca_nothing], object] | None = None,
    throw: bool = True,
    strict: bool = False,
) -> ca_nothing: ...
@overload
def caput(
    pvs: Iterable[str],
    values: Any,
    *,
    repeat_value: bool = False,
    datatype: Any = None,
    wait: bool = False,
    timeout: Timeout = 5,
    callback: Callable[[ca_nothing], object] | None = None,
    throw: bool = True,
    strict: bool = False,
) -> list[ca_nothing]: ...
@any_thread
def caput(
    pvs: str | Iterable[str],
    values: Any,
    *,
    repeat_value: bool = False,
    datatype: Any = None,
    wait: bool = False,
    timeout: Timeout = 5,
    callback: Callable[[ca_nothing], object] | None = None,
    throw: bool = True,
    strict: bool = False,
) -> Any:
    """Write one PV or many; those that are connected get their values in the order of `pvs`.

    Args:
        values: one value, or for many PVs as many values; text and numbers are given to all.
        repeat_value: give one value that is itself a list to all PVs.
        datatype: the type in which to send; None derives it from value and PV.
        wait: wait until the server has processed the put, instead of until it is sent.
        timeout: seconds for the whole call, `(deadline,)`, or None to wait for ever.
        callback: called with a `ca_nothing` for each PV once its put, having been sent, has ended.
        throw: False returns the errors instead of raising the first.
        strict: refuse None, NaN for integers, and everything else that would arrive changed.
    Returns:
        A `ca_nothing` whose `ok` is true, or a list of them.
    Raises:
        ca_nothing: the first PV in order that failed; the text names all of them.
    Suspends: until sent, or with `wait` completed; not for connected PVs without `wait`, unless
        text has to be looked up among the states of an enumeration, or the server has stopped
        reading and 64 MiB wait for it already.
    Thread: any.
    """
    check_put(datatype)
    if callback is not None:
        check_callback(callback)
    client = default.client()
    names, value_list = _pairs(pvs, values, repeat_value)
    notify = None if callback is None else partial(cothread.Callback, callback)
    try:
        results = Put(
            client,
            names,
            value_list,
            datatype=datatype,
            wait=wait,
            timeout=timeout,
            notify=notify,
            strict=strict,
        ).run()
    except ca_nothing as refusal:
        # A `before` hook keeps the whole call off the wire.
        if throw:
            raise
        results = [bare(refusal)] * len(names)
    results = _finish(results, throw)
    return results[0] if isinstance(pvs, str) else results


def _pairs(
    pvs: str | Iterable[str], values: Any, repeat_value: bool
) -> tuple[list[str], Sequence[Any]]:
    names = names_of(pvs)
    one = isinstance(pvs, str)
    return names, [values] if one else _value_list(names, values, repeat_value)


def _value_list(names: Sequence[str], values: Any, repeat_value: bool) -> Sequence[Any]:
    # An array without dimensions is one value, though its type says that it can be iterated.
    one = isinstance(values, str | bytes) or getattr(values, "ndim", 1) == 0
    if repeat_value or one or not isinstance(values, Iterable):
        return [values] * len(names)
    if isinstance(values, (Mapping, set, frozenset)):
        kind = type(values).__name__
        raise TypeError(f"values must come in the order of the PVs, such as a list, not a {kind}")
    value_list = list(values)
    if len(value_list) != len(names):
        raise BadShape(
            names[0] if names else "caput",
            ECA_BADCOUNT,
            f"PV and value lists must match in length: {len(names)} PVs, {len(value_list)} values",
        )
    return value_list


@overload
def camonitor(
    pvs: str,
    callback: Callable[[Any], object],
    *,
    events: int | None = None,
    datatype: Any = None,
    format: int = FORMAT_RAW,
    count: int = 0,
    all_updates: bool = False,
    notify_disconnect: bool = False,
    connect_timeout: Timeout = None,
) -> Monitor: ...
@overload
def camonitor(
    pvs: Iterable[str],
    callback: Callable[[Any, int], object],
    *,
    events: int | None = None,
    datatype: Any = None,
    format: int = FORMAT_RAW,
    count: int = 0,
    all_updates: bool = False,
    notify_disconnect: bool = False,
    connect_timeout: Timeout = None,
) -> list[Monitor]: ...
@any_thread
def camonitor(
    pvs: str | Iterable[str],
    callback: Callable[..., object],
    *,
    events: int | None = None,
    datatype: Any = None,
    format: int = FORMAT_RAW,
    count: int = 0,
    all_updates: bool = False,
    notify_disconnect: bool = False,
    connect_timeout: Timeout = None,
) -> Any:
    """Have a function called with every new value of one PV or many, on one cothread, in order.

    A callback that raises ends its own subscription.

    Args:
        callback: called with the value; for many PVs with the value and the PV's index.
        events: DBE_* bits; by default what the format shows.
        datatype, format, count: as for `caget`.
        all_updates: deliver every update, instead of the newest of those that are pending; the
            value's `update_count` says how many it stands for.
        notify_disconnect: also call with a `ca_nothing` whenever the PV disconnects.
        connect_timeout: call once with a `ca_nothing` when the PV has not connected by then.
    Returns:
        A `Monitor`, or a list of them; `close()` ends it, and no callback begins after that.
    Raises:
        InvalidDatatype: `datatype` or `format` names nothing.
        CAException: `events` is not within 1 to 255, or a name is impossible.
    Suspends: never.
    Thread: any.
    """
    check_request(datatype, format, count)
    check_callback(callback)
    one = isinstance(pvs, str)
    names = names_of(pvs)
    mask = event_mask(names[0] if names else "camonitor", events, format)
    deadline = expiry(connect_timeout)
    client = default.client()
    for name in names:
        # An impossible name is refused before anything is subscribed.
        client.channel(name)
    monitors = [
        client.monitor(
            name,
            callback,
            datatype=datatype,
            format=format,
            count=count,
            mask=mask,
            index=None if one else index,
            all_updates=all_updates,
            notify_disconnect=notify_disconnect,
        )
        for index, name in enumerate(names)
    ]
    if deadline is not None:
        tell_unconnected(client, monitors, deadline)
    return monitors[0] if one else monitors


@overload
def connect(  # type: ignore[overload-overlap]
    pvs: str,
    *,
    cainfo: Literal[True],
    wait: bool = True,
    timeout: Timeout = 5,
    throw: bool = True,
) -> ca_info: ...
@overload
def connect(  # type: ignore[overload-overlap]
    pvs: str,
    *,
    cainfo: bool = False,
    wait: bool = True,
    timeout: Timeout = 5,
    throw: bool = True,
) -> ca_nothing: ...
@overload
def connect(
    pvs: Iterable[str],
    *,
    cainfo: bool = False,
    wait: bool = True,
    timeout: Timeout = 5,
    throw: bool = True,
) -> list[Any]: ...
@any_thread
def connect(
    pvs: str | Iterable[str],
    *,
    cainfo: bool = False,
    wait: bool = True,
    timeout: Timeout = 5,
    throw: bool = True,
) -> Any:
    """Connect one PV or many.

    Args:
        cainfo: return a `ca_info` for each PV instead of a `ca_nothing`.
        wait: False only begins to search and succeeds at once.
        timeout: seconds for the whole call, `(deadline,)`, or None to wait for ever.
        throw: False returns the errors instead of raising the first.
    Returns:
        One result, or a list in the order of `pvs`.
    Raises:
        ca_nothing: the first PV in order that did not connect; the text names all of them.
    Suspends: until all are connected, or the timeout expires; not at all without `wait`.
    Thread: any.
    """
    one = isinstance(pvs, str)
    names = names_of(pvs)
    results = _finish(connect_all(default.client(), names, timeout, info=cainfo, wait=wait), throw)
    return results[0] if one else results


@overload
def cainfo(  # type: ignore[overload-overlap]
    pvs: str, *, timeout: Timeout = 5, throw: bool = True
) -> ca_info: ...
@overload
def cainfo(pvs: Iterable[str], *, timeout: Timeout = 5, throw: bool = True) -> list[ca_info]: ...
def cainfo(pvs: str | Iterable[str], *, timeout: Timeout = 5, throw: bool = True) -> Any:
    """Return what is known about the connection of one PV or many, connecting them first.

    Args, Raises, Suspends, Thread: as for `connect`.
    """
    return connect(pvs, cainfo=True, timeout=timeout, throw=throw)
