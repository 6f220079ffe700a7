# SPDX-License-Identifier: Apache-2.0
"""What a value is written to: a PV's type and length, and the ways of refusing a value for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .datatypes import is_long_string
from .errors import BadShape, BadValue, CAException, OutOfRange, WrongType
from .protocol import eca
from .protocol.dbr import DBR_CHAR, DBR_ENUM, DBR_TYPES, ENUM_STATES
from .values import ca_info

LONGEST_STRING: Final = 39
"""Bytes of text that fit a DBR_STRING in front of its NUL."""

_SHOWN: Final = 60


@dataclass(slots=True)
class Target:
    """One PV to write to, and how strict to be about it."""

    name: str
    native: int
    native_count: int
    strict: bool
    enum_strings: Callable[[], Sequence[str]] | None

    @property
    def kind(self) -> str:
        """The native type in words."""
        return ca_info.datatype_strings[self.native]

    @property
    def long_string(self) -> bool:
        """True when the name asks for a field's text as characters."""
        return self.native == DBR_CHAR and is_long_string(self.name)

    @property
    def holds_characters(self) -> bool:
        """True when text goes to this PV character by character."""
        return self.native == DBR_CHAR and (self.native_count != 1 or is_long_string(self.name))

    def states(self) -> Sequence[str]:
        """Return the states of an enumerated PV, empty when they are not known.

        Suspends: where `enum_strings` does.
        """
        if self.native != DBR_ENUM or self.enum_strings is None:
            return ()
        return self.enum_strings()

    def check_count(self, count: int) -> None:
        """Refuse more elements than the PV holds, and none at all for a scalar.

        Raises:
            CAException, BadValue.
        """
        if count > self.native_count:
            plural = "s" if self.native_count != 1 else ""
            raise CAException(
                self.name,
                eca.ECA_BADCOUNT,
                f"{count} elements for a PV that holds {self.native_count} element{plural}",
            )
        if not count and self.native_count == 1:
            raise BadValue(self.name, eca.ECA_BADCOUNT, "an empty list holds no value to write")

    def check_state(self, index: int) -> None:
        """When strict, refuse the index of a state that an enumerated PV does not have.

        Raises:
            OutOfRange.

        Suspends: where `enum_strings` does.
        """
        if not self.strict:
            return
        names = self.states()
        # A server names at most 16 states; a menu may have more, and then nothing can be said.
        if 0 < len(names) < ENUM_STATES and not 0 <= index < len(names):
            raise OutOfRange(
                self.name, eca.ECA_PUTFAIL, f"no state {index}; states: {states_text(names)}"
            )

    def no_number(self, text: str) -> BadValue:
        """Return the error for text that should have been a number."""
        return BadValue(
            self.name,
            eca.ECA_NOCONVERT,
            f"{shown(text)} is not a number, the PV is {self.kind}",
        )

    def no_conversion(self, value: Any, code: int) -> WrongType:
        """Return the error for an object that no type can hold."""
        return WrongType(
            self.name,
            eca.ECA_NOCONVERT,
            f"{type(value).__name__} {shown(value)} cannot be written as {type_word(code)}",
        )

    def lossy(self, value: Any, code: int, hint: str = "") -> BadValue:
        """Return the error for a number that would arrive as another number."""
        text = f"{shown(value)} would lose something as {type_word(code)}"
        return BadValue(self.name, eca.ECA_NOCONVERT, f"{text}; {hint}" if hint else text)

    def out_of_range(self, value: Any, code: int) -> OutOfRange:
        """Return the error for a number that does not fit."""
        return OutOfRange(
            self.name, eca.ECA_NOCONVERT, f"{shown(value)} does not fit {type_word(code)}"
        )

    def not_finite(self, value: Any, code: int) -> BadValue:
        """Return the error for nan or inf where only integers go."""
        return BadValue(
            self.name, eca.ECA_NOCONVERT, f"cannot convert {shown(value)} to {type_word(code)}"
        )

    def too_many_dimensions(self) -> BadShape:
        """Return the error for an array of arrays."""
        return BadShape(
            self.name, eca.ECA_BADCOUNT, "Can't put multidimensional arrays! Flatten it first"
        )


def shown(value: Any) -> str:
    """Return a value as it may stand in an error message: on one line and not endless."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def type_word(code: int) -> str:
    """Return a DBR code in words, such as "double"."""
    return DBR_TYPES[code].name.removeprefix("DBR_").lower()


def states_text(names: Sequence[str]) -> str:
    """Return the states of an enumeration for an error message."""
    return ", ".join(f"{index} {name!r}" for index, name in enumerate(names))
