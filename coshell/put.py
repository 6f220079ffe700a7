# SPDX-License-Identifier: Apache-2.0
"""Put a value as an operator means it: look, convert strictly, write, wait, look again.

Nothing is written unless every word can be converted, and into many PVs not unless every one of
them is there and takes it; what was asked and what the record made of it are both told. Whoever
must know of puts (a panel, a journal, a guard) listens at `put_hooks` of catools, through which
these pass like all others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import time
from typing import Any, Final

from catools import DBR_CHAR_STR, FORMAT_CTRL, ca_nothing, caget, caput, connect
from coshell.convert import CharText, ConversionError, convert
from coshell.panel.model import Metadata, metadata_of
from coshell.panel.style import value_texts
from coshell.panel.text import cells, clip, pad, sanitise
from cothread.clock import monotonic

CONNECT_S: Final = 5.0
WIDEST_VALUE: Final = 60
REASONS: Final = 3
"""How many of many reasons fit into one line."""


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
        return f"{self.name}  {self.change}"

    @property
    def change(self) -> str:
        """What was there and what is there now, in words."""
        units = f" {self.metadata.units}" if self.metadata.units else ""
        shown = self.asked if self.new is None else self.new
        text = f"{self._text(self.old)} → {self._text(shown)}{units}"
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
        limits, asked = self.metadata.control_limits, self.asked
        if not isinstance(asked, (int, float)) or limits is None:
            return ", and the record holds that"
        if limits[0] <= asked <= limits[1]:
            return ", and the record holds that"
        nearest = min(max(asked, limits[0]), limits[1])
        hint = "" if self.new == nearest else f", the nearest is {self._text(nearest)}"
        return f"; it takes {self._text(limits[0])} … {self._text(limits[1])}{hint}"

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


class Puts(list[PutResult | ca_nothing]):
    """What became of puts into many PVs: a result for each, or the reason why there is none."""

    @property
    def failed(self) -> list[ca_nothing]:
        """The reasons, one for each PV whose put did not come to its end."""
        return [one for one in self if isinstance(one, ca_nothing)]

    def __str__(self) -> str:
        widest = max((cells(sanitise(one.name)) for one in self), default=0)
        lines = []
        for one in self:
            if isinstance(one, ca_nothing):
                what = "✕ " + sanitise(str(one).removeprefix(f"{one.name}: "))
            else:
                what = one.change
            lines.append(f"{pad(sanitise(one.name), widest)}  {what}")
        if self.failed:
            lines.append(f"{len(self.failed)} of {len(self)} puts failed")
        return "\n".join(lines)

    def __repr__(self) -> str:
        failed = f", {len(self.failed)} failed" if self.failed else ""
        return f"<{len(self)} puts{failed}>"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(repr(self))


class PutsRefused(ConversionError):
    """Say which of many PVs cannot take the value, and why. Nothing was written."""

    def __init__(self, reasons: Sequence[str], count: int) -> None:
        shown = "; ".join(sanitise(reason) for reason in reasons[:REASONS])
        more = f"; and {len(reasons) - REASONS} more" if len(reasons) > REASONS else ""
        super().__init__(
            f"nothing was written, because {len(reasons)} of {count} PVs cannot take it: "
            f"{shown}{more}"
        )


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
            raise PutInterrupted(_interrupted(name, None if unsent(exc) else sent)) from exc
        finally:
            self.waiting.pop(name, None)
        return PutResult(name, before, asked, new, metadata, wait, elapsed, monotonic(), time())

    def put_many(
        self,
        names: Sequence[str],
        value: Any,
        *,
        wait: bool = True,
        timeout: float | None = None,
        as_number: bool = False,
        as_text: bool = False,
    ) -> Puts:
        """Write a value to many PVs at once, once all of them are known to take it.

        Args:
            names: the PVs, each once.
            value, wait, timeout, as_number, as_text: as for `put`.

        Raises:
            PutsRefused: a PV is not there, may not be written or cannot hold it. Nothing was
                written to any of them.
            PutInterrupted: Ctrl-C; says how many puts had been sent and which had completed.

        Suspends: yes.
        """
        deadline = None if timeout is None else (time() + timeout,)
        within = deadline or CONNECT_S
        started = None
        ended: dict[str, float] = {}

        def completed(result: ca_nothing) -> None:
            ended[result.name] = monotonic()
            self.waiting.pop(result.name, None)

        try:
            ready = self._ready(names, value, within, as_number, as_text)
            started = monotonic()
            self.waiting |= dict.fromkeys(names, started)
            errors = _send(ready, wait, deadline, completed)
            written = [name for name in names if name not in errors] if wait else []
            news = caget(written, format=FORMAT_CTRL, timeout=CONNECT_S, throw=False)
        except KeyboardInterrupt as exc:
            raise PutInterrupted(_many_interrupted(names, started, ended, unsent(exc))) from exc
        finally:
            for name in names:
                self.waiting.pop(name, None)
        found = {new.name: new for new in news if new.ok}
        at, wall = monotonic(), time()
        return Puts(
            errors[one.name]
            if one.name in errors
            else PutResult(
                one.name, one.old, one.asked, found.get(one.name), one.metadata, wait,
                ended.get(one.name, at) - started, at, wall,
            )
            for one in ready
        )  # fmt: skip

    def _ready(
        self, names: Sequence[str], value: Any, within: Any, as_number: bool, as_text: bool
    ) -> list[_Ready]:
        """Return what will be written to each PV, if all of them take it."""
        infos = connect(list(names), cainfo=True, timeout=within, throw=False)
        reasons = [str(info) for info in infos if not info.ok]
        if reasons:
            raise PutsRefused(reasons, len(names))
        olds = caget(list(names), format=FORMAT_CTRL, timeout=within, throw=False)
        ready = []
        for info, old in zip(infos, olds, strict=True):
            if not old.ok:
                reasons.append(str(old))
            elif not info.write:
                reasons.append(f"{info.name}: the server grants no write access")
            else:
                try:
                    metadata = metadata_of(old)
                    asked = convert(
                        info.name, value, info, metadata, as_number=as_number, as_text=as_text
                    )
                    ready.append(_Ready(info.name, old, asked, metadata))
                except ConversionError as exc:
                    reasons.append(str(exc))
        if reasons:
            raise PutsRefused(reasons, len(names))
        return ready


@dataclass(frozen=True, slots=True)
class _Ready:
    """A put of which everything is known."""

    name: str
    old: Any
    asked: Any
    metadata: Metadata


def _send(
    ready: Sequence[_Ready],
    wait: bool,
    deadline: tuple[float] | None,
    completed: Callable[[ca_nothing], None],
) -> dict[str, ca_nothing]:
    """Write everything at once; return the reasons of what failed, by name."""
    errors: dict[str, ca_nothing] = {}
    for datatype in (None, DBR_CHAR_STR):
        group = [one for one in ready if isinstance(one.asked, CharText) is bool(datatype)]
        results = caput(
            [one.name for one in group], [one.asked for one in group], wait=wait,
            timeout=deadline, datatype=datatype, throw=False, callback=completed if wait else None,
        )  # fmt: skip
        errors |= {result.name: result for result in results if not result.ok}
    return errors


def unsent(interruption: BaseException) -> str:
    """Return what a put that was interrupted says about puts that had not been sent, if any."""
    return "; ".join(getattr(interruption, "__notes__", ()))


def _many_interrupted(
    names: Sequence[str], sent: float | None, ended: dict[str, float], note: str
) -> str:
    if sent is None:
        return f"{len(names)} PVs: interrupted before anything was sent; nothing was written"
    left = [name for name in names if name not in ended]
    few = ", ".join(left[:REASONS]) + (" …" if len(left) > REASONS else "")
    return (
        f"interrupted {monotonic() - sent:.1f} s after {len(names)} puts were sent: "
        f"{len(ended)} have completed, the records go on with the others ({few})"
        + (f"; {note}" if note else "")
    )


def _interrupted(name: str, sent: float | None) -> str:
    if sent is None:
        return f"{name}: interrupted before anything was sent; nothing was written"
    return (
        f"{name}: interrupted {monotonic() - sent:.1f} s after the put was sent; "
        "the record goes on with it"
    )
