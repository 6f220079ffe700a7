# SPDX-License-Identifier: Apache-2.0
"""The errors of Channel Access: one family, every member names its PV.

`ca_nothing` is both an exception and a value: with `throw=False` it stands in the place of a value
that could not be had, and a put that went well returns one whose `ok` is true. Everything that is
refused before a byte is sent is a `CAException` as well. Where a plain Python caller would expect
a ValueError, TypeError or OverflowError, the error is that too.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn, TypeVar

from .protocol import eca

__all__ = [
    "BadReply",
    "BadShape",
    "BadValue",
    "CAException",
    "Disconnected",
    "InvalidDatatype",
    "OutOfRange",
    "WrongType",
    "ca_nothing",
]


class ca_nothing(Exception):
    """Success or failure of one operation on one PV, without a value.

    Attributes:
        name: the PV.
        ok: true for ECA_NORMAL only.
        errorcode: an ECA code.
        detail: what is known beyond the code: how far things got, what to do next.
    """

    failing: tuple[str, ...] = ()
    """The names of all PVs that failed in the same call, when this error was raised for a list."""

    # What `success` leaves at that.
    ok: bool = True
    errorcode: int = eca.ECA_NORMAL
    detail: str = ""

    def __init__(self, name: str, errorcode: int = eca.ECA_NORMAL, detail: str = "") -> None:
        super().__init__(name, errorcode)
        self.ok = errorcode == eca.ECA_NORMAL
        self.name = name
        self.errorcode = errorcode
        self.detail = detail

    @property
    def message(self) -> str:
        """The text of the error code, without name and detail."""
        return eca.message(self.errorcode)

    def __str__(self) -> str:
        # A line break read with a name from a file must be seen, and must not break the line.
        name = self.name if self.name.isprintable() else repr(self.name)
        text = f"{name}: {self.message}"
        return f"{text}; {self.detail}" if self.detail else text

    def __format__(self, spec: str) -> str:
        # Tables give their cells a width, whatever stands in them.
        return format(str(self), spec)

    def __bool__(self) -> bool:
        return self.ok

    def __iter__(self) -> NoReturn:
        # Without this, unpacking the result of a failed caget would ask for __getitem__ and say
        # less; programs compare with this text.
        raise TypeError("iteration over non-sequence")

    def to_dict(self) -> dict[str, Any]:
        """Return name, success, code and text as a dictionary that JSON can hold."""
        return {
            "name": self.name,
            "ok": self.ok,
            "errorcode": self.errorcode,
            "error": eca.name(self.errorcode),
            "message": str(self),
        }


def success(name: str) -> ca_nothing:
    """Return `ca_nothing(name)`, in half the time: a list of puts needs one for each."""
    # Exception.__new__ keeps the arguments; __init__ would only repeat what the class says.
    result = _make(ca_nothing, name, eca.ECA_NORMAL)
    result.name = name
    return result


_make: Final = ca_nothing.__new__


_E = TypeVar("_E", bound=ca_nothing)


def bare(error: _E) -> _E:
    """Return an error that is kept as a value, without the frames it was raised through.

    Whatever keeps it stands in one of them, and the two would keep each other.
    """
    error.__context__ = None
    return error.with_traceback(None)


class CAException(ca_nothing):
    """A request was refused by this client; nothing was sent."""


class Disconnected(CAException):
    """A channel was used after its circuit broke."""

    def __init__(self, name: str, errorcode: int = eca.ECA_DISCONN, detail: str = "") -> None:
        super().__init__(name, errorcode, detail)

    def __str__(self) -> str:
        text = f"Channel {self.name} disconnected"
        return f"{text}; {self.detail}" if self.detail else text


class BadReply(CAException):
    """A server sent data that does not hold what its header promises."""


class BadValue(CAException, ValueError):
    """The value cannot be written to this PV."""


class OutOfRange(BadValue, OverflowError):
    """The number does not fit the type of this PV."""


class WrongType(BadValue, TypeError):
    """No Channel Access type can hold this kind of object."""


class BadShape(BadValue, AssertionError):
    """The value has more than one dimension."""


class InvalidDatatype(ValueError):
    """The `datatype` or `format` argument names nothing that can be asked for."""


def no_name(value: object) -> TypeError:
    """Return the error for something that cannot be the name of a PV."""
    return TypeError(f"a PV name must be a str such as 'SR-DI-DCCT:SIGNAL', not {value!r}")
