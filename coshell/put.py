# SPDX-License-Identifier: Apache-2.0
"""Put a value as an operator means it: look, convert strictly, write, wait, look again.

Nothing is written unless every word can be converted; what was asked and what the record made of it
are both told. Whoever must know of puts (a panel, a journal, a guard) listens at `put_hooks` of
catools, through which these pass like all others.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import time
from typing import Any, Final

from catools import DBR_CHAR_STR, FORMAT_CTRL, caget, caput, connect
from coshell.convert import CharText, convert
from coshell.panel.model import Metadata, metadata_of
from coshell.panel.style import value_texts
from coshell.panel.text import clip
from cothread.clock import monotonic

CONNECT_S: Final = 5.0
WIDEST_VALUE: Final = 60


@dataclass(frozen=True, slots=True)
class PutResult:
    """What became of one put.

    Attributes:
        name: the PV.
        old: its value before, or None when it could not be read.
        asked: what was written.
        new: what was read back, or None when nobody looked.
        metadata: units, precision and states of the PV.
        completed: whether the record said that it had finished processing.
        elapsed_s: from sending to completion.
        at: monotonic seconds, `wall` the same in epoch seconds.
    """

    name: str
    old: Any
    asked: Any
    new: Any
    metadata: Metadata
    completed: bool
    elapsed_s: float
    at: float
    wall: float

    @property
    def ok(self) -> bool:
        """Whether the record holds what was asked, as far as anyone looked."""
        return self.new is None or agrees(self.asked, self.new, self.metadata)

    def __str__(self) -> str:
        units = f" {self.metadata.units}" if self.metadata.units else ""
        shown = self.asked if self.new is None else self.new
        text = f"{self.name}  {self._text(self.old)} → {self._text(shown)}{units}"
        if self.new is None:
            return text + ("" if self.completed else "  (sent, not waited for)")
        if not self.ok:
            text += f"  (asked for {self._text(self.asked)}{self._limits()})"
        return text

    def __repr__(self) -> str:
        end = f"completed in {self.elapsed_s:.3f} s" if self.completed else "sent"
        return f"<put {self.name}: {end}>"

    def _limits(self) -> str:
        """Return the limits that may be why the record holds something else."""
        low, high = (self.metadata.limits.get(f"{end}_ctrl_limit") for end in ("lower", "upper"))
        if low is None or high is None or not low < high or self.new not in (low, high):
            return ", and the record holds that"
        return f"; it takes {self._text(low)} … {self._text(high)}"

    def _text(self, value: Any) -> str:
        return clip(value_texts(value, self.metadata)[0], WIDEST_VALUE)


def agrees(asked: Any, new: Any, metadata: Metadata) -> bool:
    """Return whether a readback is what was asked for, as far as the record's digits go."""
    if isinstance(asked, str) or isinstance(new, str):
        return value_texts(asked, metadata) == value_texts(new, metadata)
    if not isinstance(new, (int, float)) or not isinstance(asked, (int, float)):
        return True
    step = 10.0 ** -(metadata.precision or 6)
    return abs(asked - new) <= max(step, abs(asked) * 1e-6)


class PutInterrupted(KeyboardInterrupt):
    """Ctrl-C during a put; the text says whether anything had been sent."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows."""
        return [str(self)]


class Desk:
    """Where the shell puts.

    Attributes:
        waiting: what is being waited for now, name and monotonic start.
    """

    def __init__(self) -> None:
        self.waiting: dict[str, float] = {}

    def put(
        self,
        name: str,
        value: Any,
        *,
        wait: bool = True,
        timeout: float | None = None,
        as_number: bool = False,
        as_text: bool = False,
    ) -> PutResult:
        """Write to a PV and return what became of it.

        Args:
            name: one PV.
            value: a number, a text, or a sequence of them; texts are converted to what the PV
                holds, and refused when they cannot be.
            wait: wait until the record has finished processing.
            timeout: seconds for everything together; None waits 5 s for the connection and as
                long as it takes for the record.
            as_number: take the text for a state by its number only.
            as_text: write to an array of characters as text.

        Raises:
            ConversionError: the value is not one this PV can hold. Nothing was written.
            ca_nothing: no connection, refused, or not completed in time.
            PutInterrupted: Ctrl-C; says whether the put had been sent.

        Suspends: yes.
        """
        deadline = None if timeout is None else (time() + timeout,)
        sent = None
        try:
            info = connect(name, cainfo=True, timeout=deadline or CONNECT_S)
            before = caget(name, format=FORMAT_CTRL, timeout=deadline or CONNECT_S)
            metadata = metadata_of(before)
            asked = convert(name, value, info, metadata, as_number=as_number, as_text=as_text)
            datatype = DBR_CHAR_STR if isinstance(asked, CharText) else None
            sent = self.waiting[name] = monotonic()
            caput(name, asked, wait=wait, timeout=deadline, datatype=datatype)
            elapsed = monotonic() - sent
            new = caget(name, format=FORMAT_CTRL, timeout=CONNECT_S) if wait else None
        except KeyboardInterrupt as exc:
            raise PutInterrupted(_interrupted(name, sent)) from exc
        finally:
            self.waiting.pop(name, None)
        return PutResult(name, before, asked, new, metadata, wait, elapsed, monotonic(), time())


def _interrupted(name: str, sent: float | None) -> str:
    if sent is None:
        return f"{name}: interrupted before anything was sent; nothing was written"
    return (
        f"{name}: interrupted {monotonic() - sent:.1f} s after the put was sent; "
        "the record goes on with it"
    )
