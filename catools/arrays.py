# SPDX-License-Identifier: Apache-2.0
"""The value of an array PV. Importing this module imports numpy; nothing else in catools does.

The rule for what keeps the attributes: an array that numpy makes by viewing or copying *this* one
(slices, `reshape`, `astype`, `copy`, pickles) is still this PV's value and keeps them; whatever is
computed is a plain `numpy.ndarray` or number, as `ca_float + 1` is a plain float.
"""

from __future__ import annotations

from functools import wraps
from typing import Any, Final, cast

import numpy as np

from .augmented import Augmented

# As on the wire, and as numbers in this machine; looking a spelling up costs a microsecond.
_DTYPES: Final = {
    spelling: (np.dtype(spelling), np.dtype(spelling).newbyteorder("="))
    for spelling in (">i2", ">f4", ">u2", "u1", ">i4", ">f8")
}


# Functions whose results numpy makes in the type of their argument, though they are computed.
_COMPUTED: Final = frozenset(
    (np.empty_like, np.zeros_like, np.ones_like, np.full_like, np.correlate)
)


def _computing(name: str) -> Any:
    """Return the method of ndarray of that name, with a plain result."""
    method = getattr(np.ndarray, name)

    @wraps(method)
    def compute(self: ca_array, *args: Any, **kargs: Any) -> Any:
        return method(self.view(np.ndarray), *args, **kargs)

    return compute


class ca_array(Augmented, np.ndarray[Any, np.dtype[Any]]):
    """The elements of a PV, in the type that was asked for; writable, and owning its memory."""

    def __array_finalize__(self, obj: Any) -> None:
        """Take over the attributes of the array this one views or copies."""
        if obj is not None and isinstance(obj, ca_array):
            self.__dict__.update(obj.__dict__)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: Any, *inputs: Any, out: Any = None, **kwargs: Any
    ) -> Any:
        """Compute with plain arrays, so that results are plain; in-place operations stay here."""
        if out is not None:
            kwargs["out"] = tuple(_plain(item) for item in out)
        if "where" in kwargs:
            kwargs["where"] = _plain(kwargs["where"])
        result = getattr(ufunc, method)(*(_plain(item) for item in inputs), **kwargs)
        if out is None:
            return result
        return out[0] if len(out) == 1 else out

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Demote results that numpy made in our type without being views or copies of us."""
        result = super().__array_function__(func, types, args, kwargs)
        if isinstance(result, ca_array) and (func in _COMPUTED or not result.__dict__):
            return result.view(np.ndarray)
        return result

    argmax = _computing("argmax")
    argmin = _computing("argmin")
    argpartition = _computing("argpartition")
    argsort = _computing("argsort")
    choose = _computing("choose")
    dot = _computing("dot")
    searchsorted = _computing("searchsorted")
    trace = _computing("trace")

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        """Leave computed results plain."""
        return array[()] if return_scalar else array

    def __reduce__(self) -> Any:
        function, arguments, state = cast("tuple[Any, Any, Any]", super().__reduce__())
        return function, arguments, (state, self.__dict__)

    def __setstate__(self, state: Any) -> None:
        array, attributes = state
        super().__setstate__(array)
        self.__dict__.update(attributes)

    def __pos__(self) -> Any:
        return np.array(self)

    def __format__(self, spec: str) -> str:
        if not spec or not self.ndim:
            return super().__format__(spec)
        return np.array2string(self.view(np.ndarray), formatter={"all": lambda x: format(x, spec)})

    @property
    def enum_str(self) -> list[str]:
        """The text of each element of an enumeration; "" where the server names no such state.

        Raises:
            AttributeError: the value was not read with FORMAT_CTRL.
        """
        names = self._states()
        return [names[item] if 0 <= item < len(names) else "" for item in self.tolist()]

    def plain(self) -> Any:
        """Return the elements as a list."""
        return self.tolist()


def _plain(item: Any) -> Any:
    return item.view(np.ndarray) if isinstance(item, ca_array) else item


def numbers(payload: bytes | memoryview, dtype: str, count: int, offset: int) -> ca_array:
    """Return `count` big-endian numbers found at `offset` as an array in native byte order.

    A payload that may be written to has no other reader: it becomes the memory of the array.

    Raises:
        ValueError: the payload is shorter than that.
    """
    sent, native = _DTYPES[dtype]
    if not count:
        return ca_array((0,), native)
    source = np.frombuffer(payload, sent, count, offset)
    if source.flags.writeable and source.flags.aligned:
        array = source.view(native).view(ca_array)
    else:
        array = ca_array((count,), native)
    array[...] = source
    return array


def memory(size: int) -> memoryview:
    """Return memory that an array may take over; what is in it is left over from before."""
    return np.empty(size, np.uint8).data


def texts(items: list[str] | list[bytes], kind: type) -> ca_array:
    """Return text elements as an array as wide as its longest element."""
    source: np.ndarray[Any, Any] = np.array(items, kind)
    array = ca_array(source.shape, source.dtype)
    array[...] = source
    return array
