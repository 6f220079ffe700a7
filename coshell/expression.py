# SPDX-License-Identifier: Apache-2.0
"""Arithmetic over PVs: `I1 - I2`, `mean(SR-BPM-{01..12}:X)`, `A > 3 and not B`.

Law: an expression is parsed once into nested functions of a mapping from PV to number, and nothing
in it is ever given to Python's own `eval`.

PV names hold `:`, `.`, `-` and braces, so a minus belongs to the name unless a blank stands before
it: `A-B` is a PV, `A - B` a difference. A name with other characters stands between quotes. Numbers
are doubles, conditions give 1 or 0, a division by zero gives nan.

Grammar, weakest first: `or`, `and`, `not`, comparisons, `+ -`, `* / %`, sign, `**`, and then
numbers, names, `f(a, b, …)` and parentheses.
"""

from __future__ import annotations

import math
import operator
import re
import statistics
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from coshell.names import PatternError, expand

Node = Callable[[Mapping[str, Any]], float]

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w:]))
    | (?P<name>[A-Za-z_0-9$](?:[\w:.$;\[\]]|-(?=[\w{])|\{[^{}]*\})*)
    | '(?P<single>[^']*)' | "(?P<double>[^"]*)"
    | (?P<op>\*\*|<=|>=|==|!=|[-+*/%(),<>])
    )""",
    re.VERBOSE,
)
_OPERATOR = re.compile(r"\s[-+*/%<>=!]|[-+*/%<>=!]\s|[()]|^not\s")
DEEPEST: Final = 60
LONGEST: Final = 1000


class ExpressionError(ValueError):
    """Say what in an expression cannot be understood, and where."""


def _quiet(function: Callable[..., float]) -> Callable[..., float]:
    """Return a function that gives nan or inf where Python would raise."""

    def safely(*arguments: float) -> float:
        try:
            result = function(*arguments)
        except (ZeroDivisionError, ValueError, statistics.StatisticsError):
            return math.nan
        except OverflowError:
            return math.inf
        return math.nan if isinstance(result, complex) else float(result)

    return safely


def _power(base: float, exponent: float) -> float:
    return math.pow(base, exponent)


def _mean(*values: float) -> float:
    return sum(values) / len(values)


def _deviation(*values: float) -> float:
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


FUNCTIONS: Final[Mapping[str, tuple[Callable[..., float], bool]]] = {
    "mean": (_mean, True),
    "sum": (lambda *values: math.fsum(values), True),
    "min": (lambda *values: min(values), True),
    "max": (lambda *values: max(values), True),
    "median": (lambda *values: statistics.median(values), True),
    "std": (_deviation, True),
    "span": (lambda *values: max(values) - min(values), True),
    "abs": (abs, True),
    "hypot": (math.hypot, True),
    "rms": (lambda *values: math.sqrt(_mean(*(v * v for v in values))), True),
    "sqrt": (math.sqrt, False),
    "exp": (math.exp, False),
    "log": (math.log, False),
    "log10": (math.log10, False),
    "sin": (math.sin, False),
    "cos": (math.cos, False),
    "tan": (math.tan, False),
    "atan2": (math.atan2, False),
    "floor": (math.floor, False),
    "ceil": (math.ceil, False),
}
"""Each function, and whether its result has the units of its arguments."""

_BINARY: Final[tuple[Mapping[str, Callable[[float, float], float]], ...]] = (
    {
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
        "==": operator.eq,
        "!=": operator.ne,
    },
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": operator.truediv, "%": operator.mod},
)
"""Binary operators by level, weakest first."""


def is_expression(text: str) -> bool:
    """Return whether text is arithmetic rather than a PV or a glob, which hold no blanks."""
    return _OPERATOR.search(text.strip()) is not None and ".{" not in text


class Expression:
    """One parsed expression.

    Attributes:
        text: as it was written.
        names: the PVs in it, each once, ranges expanded.
        keeps_units: whether the result has the units of the PVs, if those agree.
    """

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        if len(text) > LONGEST:
            raise ExpressionError(f"{text[:40]}…: longer than {LONGEST} characters")
        self.names: list[str] = []
        self.keeps_units = True
        self._tokens = self._read(text)
        self._at = 0
        self._depth = 0
        self._node = self._or()
        kind, token, at = self._tokens[self._at]
        if kind != "end":
            raise ExpressionError(f"{self.text}: did not expect {token!r} at position {at + 1}")
        if not self.names:
            raise ExpressionError(f"{self.text}: there is no PV in it")

    def __repr__(self) -> str:
        return f"<Expression {self.text}>"

    def __call__(self, values: Mapping[str, Any]) -> float:
        """Return the value, from a number (or numeric array) for each name.

        Raises:
            ExpressionError: a PV holds text, or an array where one number is needed.
        """
        return self._node(values)

    # Reading -------------------------------------------------------------------------------

    def _read(self, text: str) -> list[tuple[str, str, int]]:
        tokens = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise ExpressionError(f"{text.strip()}: cannot read {text[at:].strip()[:12]!r}")
            kind = str(match.lastgroup)
            tokens.append((kind, match.group(kind), match.start(kind)))
            at = match.end()
        return [*tokens, ("end", "its end", len(text))]

    def _take(self, *wanted: str) -> str | None:
        """Return the next operator or word and step past it, if it is one of these."""
        kind, token, _ = self._tokens[self._at]
        if token in wanted and kind in ("op", "name"):
            self._at += 1
            return token
        return None

    # Grammar -------------------------------------------------------------------------------

    def _or(self) -> Node:
        self._deeper()
        left = self._and()
        while self._take("or"):
            left = self._logical(left, self._and(), either=True)
        self._depth -= 1
        return left

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExpressionError(f"{self.text[:40]}…: too many parentheses inside each other")

    def _and(self) -> Node:
        left = self._not()
        while self._take("and"):
            left = self._logical(left, self._not(), either=False)
        return left

    def _logical(self, left: Node, right: Node, either: bool) -> Node:
        self.keeps_units = False
        if either:
            return lambda values: float(bool(left(values)) or bool(right(values)))
        return lambda values: float(bool(left(values)) and bool(right(values)))

    def _not(self) -> Node:
        turns = 0
        while self._take("not"):
            turns += 1
        node = self._binary(0)
        if not turns:
            return node
        self.keeps_units = False
        wanted = turns % 2 == 0
        return lambda values: float(bool(node(values)) is wanted)

    def _binary(self, level: int) -> Node:
        if level == len(_BINARY):
            return self._sign()
        left = self._binary(level + 1)
        while symbol := self._take(*_BINARY[level]):
            if symbol not in "+-":
                self.keeps_units = False
            left = self._joined(_quiet(_BINARY[level][symbol]), left, self._binary(level + 1))
        return left

    def _joined(self, function: Callable[..., float], left: Node, right: Node) -> Node:
        return lambda values: function(left(values), right(values))

    def _sign(self) -> Node:
        negative = False
        while symbol := self._take("+", "-"):
            negative ^= symbol == "-"
        node = self._powered()
        return (lambda values: -node(values)) if negative else node

    def _powered(self) -> Node:
        base = self._atom()
        if not self._take("**"):
            return base
        self.keeps_units = False
        self._deeper()
        node = self._joined(_quiet(_power), base, self._sign())
        self._depth -= 1
        return node

    def _atom(self) -> Node:
        kind, token, _ = self._tokens[self._at]
        self._at += 1
        if kind == "number":
            number = float(token)
            return lambda _values: number
        if kind in ("single", "double"):
            return self._scalar(self._name(token, token))
        if kind == "name" and self._tokens[self._at][1:2] == ("(",):
            return self._call(token)
        if kind == "name":
            names = self._expanded(token)
            if len(names) > 1:
                raise ExpressionError(
                    f"{self.text}: {token} is {len(names)} PVs; put it in mean(…) or sum(…)"
                )
            return self._scalar(self._name(names[0], token))
        if (kind, token) == ("op", "("):
            node = self._or()
            self._close()
            return node
        raise ExpressionError(f"{self.text}: expected a PV or a number, found {token}")

    def _close(self) -> None:
        if not self._take(")"):
            token, at = self._tokens[self._at][1:]
            raise ExpressionError(f"{self.text}: expected ) at position {at + 1}, found {token}")

    def _call(self, function: str) -> Node:
        if function not in FUNCTIONS:
            known = ", ".join(FUNCTIONS)
            raise ExpressionError(f"{self.text}: no function {function}; there are {known}")
        self._at += 1
        compute, keeps = FUNCTIONS[function]
        self.keeps_units &= keeps
        parts = [self._argument()]
        while self._take(","):
            parts.append(self._argument())
        self._close()
        quiet = _quiet(compute)

        def call(values: Mapping[str, Any]) -> float:
            arguments = [number for part in parts for number in part(values)]
            try:
                return quiet(*arguments)
            except TypeError as exc:
                raise ExpressionError(
                    f"{self.text}: {function} cannot take {len(arguments)} numbers"
                ) from exc

        return call

    def _argument(self) -> Callable[[Mapping[str, Any]], Iterable[float]]:
        """Return what gives one argument: several numbers when it is a range or an array."""
        kind, token, _ = self._tokens[self._at]
        following = self._tokens[self._at + 1][1] if kind == "name" else ""
        if kind == "name" and following in (",", ")"):
            self._at += 1
            names = [self._name(name, token) for name in self._expanded(token)]
            return lambda values: [n for name in names for n in self._numbers(name, values)]
        node = self._or()
        return lambda values: (node(values),)

    # PVs -----------------------------------------------------------------------------------

    def _expanded(self, token: str) -> list[str]:
        try:
            return expand(token)
        except PatternError as exc:
            raise ExpressionError(str(exc)) from exc

    def _name(self, name: str, token: str) -> str:
        if token in ("and", "or", "not") or not name:
            raise ExpressionError(f"{self.text}: expected a PV or a number, found {token!r}")
        if name not in self.names:
            self.names.append(name)
        return name

    def _scalar(self, name: str) -> Node:
        def value(values: Mapping[str, Any]) -> float:
            numbers = self._numbers(name, values)
            if len(numbers) != 1:
                raise ExpressionError(
                    f"{name}: holds {len(numbers)} numbers; put it in mean(…), min(…) or max(…)"
                )
            return numbers[0]

        return value

    def _numbers(self, name: str, values: Mapping[str, Any]) -> list[float]:
        value = values[name]
        try:
            if hasattr(value, "tolist"):
                return [float(item) for item in value.reshape(-1).tolist()]
            return [float(value)]
        except (TypeError, ValueError):
            raise ExpressionError(f"{name}: holds text, which cannot be computed with") from None
