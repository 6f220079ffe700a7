# SPDX-License-Identifier: Apache-2.0
"""Rows that are computed: an expression over PVs, kept up to date from rows of their own.

The result is in the worst alarm of its inputs and as recent as the newest; it is disconnected as
soon as one of them is. It is computed at most ten times a second, the last change included.
"""

from __future__ import annotations

from collections.abc import Callable
from time import time
from typing import Any, Final

from coshell.expression import Expression, ExpressionError
from coshell.panel.model import Kind, Metadata, Panel, Row
from cothread import Timer
from cothread.clock import monotonic

PERIOD_S: Final = 0.1
DBR_DOUBLE: Final = 6


class Computed(float):
    """A number with the alarm and time stamp of what it was computed from."""

    ok = True
    datatype = DBR_DOUBLE
    update_count = 1

    def __new__(cls, value: float, name: str, inputs: Panel) -> Computed:
        """Compute nothing: take the value, and the worst and newest of the inputs."""
        self = super().__new__(cls, value)
        worst = max(inputs, key=lambda row: row.severity)
        self.name = name
        self.severity = worst.severity
        self.status = worst.status
        self.timestamp = max((row.timestamp or 0.0 for row in inputs), default=0.0)
        return self

    name: str
    severity: int
    status: int
    timestamp: float


def combine(expression: Expression, inputs: Panel) -> Computed | None:
    """Return the value of an expression, None while an input is not connected.

    Raises:
        ExpressionError: an input holds something that cannot be computed with.
    """
    if not all(row.live for row in inputs):
        return None
    values = {row.name: row.value for row in inputs}
    return Computed(expression(values), expression.text, inputs)


def described(expression: Expression, inputs: Panel) -> Metadata:
    """Return the precision of the finest input, and the units when all share them."""
    units = {row.metadata.units for row in inputs}
    digits = [row.metadata.precision for row in inputs if row.metadata.precision is not None]
    return Metadata(
        units=units.pop() if expression.keeps_units and len(units) == 1 else "",
        precision=max(digits, default=None),
    )


class Formula:
    """Keeps one row of a panel computed.

    Args:
        expression: what is computed.
        panel: whose row it is.
        row: the row.
        subscribe: feeds the rows of a panel from their PVs; returns what ends that.
    """

    def __init__(
        self,
        expression: Expression,
        panel: Panel,
        row: Row,
        subscribe: Callable[[Panel, list[Row]], Callable[[], Any]],
    ) -> None:
        self.expression = expression
        self._panel = panel
        self._row = row
        self._timer: Timer | None = None
        self._computed_at = float("-inf")
        self.inputs = Panel(expression.text, expression.names, monotonic())
        self.inputs.observe(self._changed)
        self._unsubscribe = subscribe(self.inputs, self.inputs.rows)

    def _changed(self, _row: Row, kind: Kind, now: float) -> None:
        if kind is Kind.METADATA:
            self._panel.apply_metadata(self._row, described(self.expression, self.inputs), now)
        elif self._timer is None:
            wait = self._computed_at + PERIOD_S - now
            if wait <= 0:
                self._compute(now)
            else:
                self._timer = Timer(wait, self._due)

    def _due(self) -> None:
        self._timer = None
        self._compute(monotonic())

    def _compute(self, now: float) -> None:
        self._computed_at = now
        try:
            value = combine(self.expression, self.inputs)
        except ExpressionError as exc:
            self._panel.apply_failure(self._row, str(exc), now)
            return
        if value is None:
            self._panel.apply_disconnect(self._row, now, time())
        else:
            self._panel.apply_update(self._row, value, now, time())

    def close(self) -> None:
        """Stop computing."""
        self._unsubscribe()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
