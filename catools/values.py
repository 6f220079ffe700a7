# SPDX-License-Identifier: Apache-2.0
"""What a PV's value is: an ordinary Python value that also knows where it came from.

`ca_int`, `ca_float`, `ca_str`, `ca_bytes` and `ca_array` are the built-in types (and
`numpy.ndarray`) with attributes. Which attributes depends on the format that was asked for:

=============  ==================================================================================
always         name, ok (True), datatype (the DBR code asked for), element_count
FORMAT_TIME    status, severity, timestamp (epoch seconds), raw_stamp (seconds, nanoseconds)
FORMAT_CTRL    status, severity, and units, eight limits, precision (floats only) — or enums
STSACK_STRING  status, severity, ackt, acks
camonitor      update_count: how many updates were merged into this one
=============  ==================================================================================

Strings have nothing to control, so FORMAT_CTRL of a string is FORMAT_TIME. A record whose type is
a 64-bit integer arrives as a `ca_float`, because Channel Access has no such type: above 2**53 ask
for `datatype=str` to see every digit.

`+value` gives the plain value back. All of them pickle, copy and compare like the plain value;
the attributes survive pickling and copying. Arithmetic gives plain values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from .augmented import Augmented, AugmentedValue, alarm_words, severity_word, status_word

if TYPE_CHECKING:
    from .arrays import ca_array

__all__ = [
    "Augmented",
    "AugmentedValue",
    "alarm_words",
    "ca_array",
    "ca_bytes",
    "ca_float",
    "ca_info",
    "ca_int",
    "ca_str",
    "severity_word",
    "status_word",
]


_ATTRIBUTES: Final = (
    "name",
    "ok",
    "element_count",
    "datatype",
    "status",
    "severity",
    "timestamp",
    "raw_stamp",
    "update_count",
)


def __getattr__(name: str) -> Any:
    # numpy costs a tenth of a second to import, and most programs never see an array.
    if name == "ca_array":
        from .arrays import ca_array

        return ca_array
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class ca_int(Augmented, int):
    """The value of an integer PV, or the number of an enumerated PV's state."""

    @property
    def enum_str(self) -> str:
        """The text of this state of an enumeration; "" when the server names no such state.

        Raises:
            AttributeError: the value was not read with FORMAT_CTRL.
        """
        names = self._states()
        return names[self] if 0 <= self < len(names) else ""

    def plain(self) -> int:
        """Return the number alone."""
        return int(self)


class _Number(float):
    """A number with room for attributes that updates do not bring."""


_further: Final[Any] = vars(_Number)["__dict__"]


class ca_float(Augmented, _Number):
    """The value of a floating point PV, in the PV's `units` (which FORMAT_CTRL brings).

    `__dict__` shows the attributes; writing into it changes nothing.
    """

    # Most updates are doubles, and a dictionary costs three times as much.
    __slots__ = _ATTRIBUTES

    @property
    def __dict__(self) -> dict[str, Any]:
        known = {key: getattr(self, key) for key in _ATTRIBUTES if hasattr(self, key)}
        return {**known, **_further.__get__(self)}

    @__dict__.setter
    def __dict__(self, attributes: dict[str, Any]) -> None:
        for key in vars(self):
            delattr(self, key)
        for key, attribute in attributes.items():
            setattr(self, key, attribute)

    def __getstate__(self) -> dict[str, Any]:
        return vars(self)

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        self.__dict__ = attributes

    def plain(self) -> float:
        """Return the number alone."""
        return float(self)


class ca_str(Augmented, str):
    """The value of a text PV, or of an array of characters read as text."""

    def __pos__(self) -> str:
        return str(self)

    def plain(self) -> str:
        """Return the text alone."""
        return str(self)


class ca_bytes(Augmented, bytes):
    """The value of a text PV read as bytes."""

    def __pos__(self) -> bytes:
        return bytes(self)

    def plain(self) -> bytes:
        """Return the bytes alone."""
        return bytes(self)


class ca_info:
    """What is known about the connection of one PV.

    Attributes:
        ok: always true.
        name: the PV.
        state: an index into `state_strings`.
        host: "name:port" of the server.
        read, write: whether the server lets this client read and write.
        count: the most elements it can have.
        datatype: its native DBR code, 7 while there is none.
        alternates: "name:port" of other servers that have this PV, too.
    """

    state_strings: ClassVar = ["never connected", "previously connected", "connected", "closed"]
    datatype_strings: ClassVar = [
        "string",
        "short",
        "float",
        "enum",
        "char",
        "long",
        "double",
        "no access",
    ]
    NEVER_CONNECTED: ClassVar = 0
    PREVIOUSLY_CONNECTED: ClassVar = 1
    CONNECTED: ClassVar = 2
    CLOSED: ClassVar = 3
    NO_ACCESS: ClassVar = 7

    def __init__(
        self,
        name: str,
        state: int = NEVER_CONNECTED,
        host: str = "<disconnected>",
        read: bool = False,
        write: bool = False,
        count: int = 0,
        datatype: int = NO_ACCESS,
        alternates: tuple[str, ...] = (),
    ) -> None:
        self.ok = True
        self.name = name
        self.state = state
        self.host = host
        self.read = read
        self.write = write
        self.count = count
        self.datatype = datatype
        self.alternates = alternates

    @property
    def connected(self) -> bool:
        """True while the PV is connected."""
        return self.state == self.CONNECTED

    @property
    def state_str(self) -> str:
        """The state in words."""
        return self.state_strings[self.state]

    @property
    def datatype_str(self) -> str:
        """The native type in words."""
        return self.datatype_strings[min(self.datatype, self.NO_ACCESS)]

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if isinstance(other, ca_info) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.name)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as a dictionary that JSON can hold."""
        return {**vars(self), "state": self.state_str, "datatype": self.datatype_str}

    def __str__(self) -> str:
        return (
            f"{self.name}:\n"
            f"    State: {self.state_str}\n"
            f"    Host: {self.host}\n"
            f"    Access: {self.read}, {self.write}\n"
            f"    Data type: {self.datatype_str}\n"
            f"    Count: {self.count}"
        )

    def __repr__(self) -> str:
        return (
            f"<ca_info {self.name} {self.state_str} {self.host} {self.datatype_str}[{self.count}]>"
        )
