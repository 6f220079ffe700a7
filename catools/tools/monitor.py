# SPDX-License-Identifier: Apache-2.0
"""The command line tool camonitor."""

from __future__ import annotations

import argparse
import datetime
import os
import sys
from collections.abc import Sequence
from functools import partial
from time import time
from typing import Any

from cothread import Callback, Quit, WaitForQuit

from ..api import camonitor
from ..dbr import FORMAT_TIME
from ..errors import ca_nothing
from .options import (
    Style,
    add_format,
    add_priority,
    add_pvs,
    event_bits,
    make_parser,
    parse,
    style_of,
)
from .show import failure, padded, stamp_text, wide_line

__all__ = ["Stamps", "main"]

EXAMPLES = """\
  camonitor SR-DI-DCCT:SIGNAL         each update on a line, until Ctrl-C
  camonitor -m va -t c SR-VA:P        values and alarms, this computer's time
  camonitor -t sI SR-DI-DCCT:SIGNAL   time since the PV's previous update
"""


class Stamps:
    """What stands in the column of times.

    Args:
        key: letters, of which `s` takes the server's time (the default), `c` this computer's, `n`
            leaves it out, `r` counts from the start, `i` from the previous update of any PV, and
            `I` from the previous update of this PV.
        now: tells the time.
    """

    def __init__(self, key: str, now: Any = time) -> None:
        self.none = "n" in key
        self.ours = "c" in key and "s" not in key
        self.relative = next((letter for letter in key if letter in "riI"), "")
        self._now = now
        self._start: float = now()
        self._previous: dict[str, float] = {}

    def text(self, name: str, value: Any) -> str:
        """Return the column for an update."""
        if self.none:
            return ""
        moment = self._now() if self.ours else value.timestamp
        if not self.relative:
            if not self.ours:
                return stamp_text(value)
            return f"{datetime.datetime.fromtimestamp(moment):%Y-%m-%d %H:%M:%S.%f}"
        origin = self._start
        if self.relative != "r":
            key = name if self.relative == "I" else ""
            origin = self._previous.get(key, moment)
            self._previous[key] = moment
        return f"{moment - origin:+12.6f}"


def main(argv: Sequence[str]) -> int:
    """Run camonitor until Ctrl-C.

    Returns:
        The exit status.
    Suspends: always.
    """
    parser = make_parser(
        "camonitor [options] PV ...", "Print each update of process variables.", EXAMPLES
    )
    add_pvs(parser)
    parser.add_argument(
        "-m",
        dest="events",
        metavar="MASK",
        type=event_bits,
        default="va",
        help="events: letters of v(alue) a(larm) l(og) p(roperty) (default %(default)s)",
    )
    parser.add_argument(
        "-t",
        dest="stamps",
        metavar="KEY",
        type=_stamp_key,
        default="s",
        help="times: s(erver) c(lient) n(one), r(elative) i(ncremental) I(ncremental by PV)",
    )
    add_priority(parser)
    add_format(parser)
    options = parse(parser, argv)
    style = style_of(options)
    show = partial(_show, options.pvs, style, Stamps(options.stamps))
    monitors = camonitor(
        options.pvs,
        show,
        events=options.events,
        datatype=style.datatype,
        format=FORMAT_TIME,
        count=options.count,
        all_updates=True,
        notify_disconnect=True,
        connect_timeout=options.wait_s,
    )
    WaitForQuit()
    for monitor in monitors:
        monitor.close()
    return 0


def _show(names: Sequence[str], style: Style, stamps: Stamps, value: Any, index: int) -> None:
    name = names[index]
    if isinstance(value, ca_nothing):
        line = f"{padded(name, style)}{style.separator}{failure(value)}"
    else:
        line = wide_line(name, value, style, stamps.text(name, value))
    try:
        print(line, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        Callback(Quit)


def _stamp_key(text: str) -> str:
    if not text or set(text) - set("scnriI"):
        raise argparse.ArgumentTypeError(f"{text!r} is not made of the letters s, c, n, r, i, I")
    return text
