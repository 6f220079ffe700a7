# SPDX-License-Identifier: Apache-2.0
"""`%panels` and `%caplot`: keep panels, put them away, and draw them as curves."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from datetime import datetime
from time import time
from typing import Any, Final

from coshell.magics.access import plainly
from coshell.magics.parsing import LineParser, Refused, Spec, duration, moment
from coshell.magics.watching import few, list_panels, split_name
from coshell.magics.windows import show_chart
from coshell.panel.plot import MOST, Plot, is_array
from coshell.panel.trend import CAPACITY
from coshell.panel_store import StoreError, save
from coshell.past import begin_at
from coshell.session import Session
from coshell.views import (
    kept,
    open_plan,
    plan_of,
    set_hidden,
    show_docked,
    show_plotted,
    show_plotted_since,
)
from coshell.watch import Watch
from cothread import Sleep, Timer
from cothread.clock import monotonic

# %panels ---------------------------------------------------------------------------------------

_PANELS = LineParser(
    "panels",
    "List the panels that are open and those that are kept; keep, open, hide and show them.",
    (
        ("%panels", "what is open and what is kept"),
        ("%panels --save ring", "keep the panel 'ring' in the profile"),
        ("%panels --save --open ring", "and open it whenever the shell starts"),
        ("%panels --load ring", "open a kept panel"),
        ("%panels --hide ring", "keep it live but off the screen; --show brings it back"),
    ),
)
_WHAT = _PANELS.add_mutually_exclusive_group()
for _flag, _help in (
    ("--save", "keep these panels, all without a name"),
    ("--load", "open these kept panels"),
    ("--hide", "take these panels off the screen"),
    ("--show", "bring these panels back"),
):
    _WHAT.add_argument(_flag, dest="what", action="store_const", const=_flag[2:], help=_help)
_PANELS.add_argument(
    "--open", dest="opens", action="store_true", help="with --save: open it at start"
)
_PANELS.add_argument("names", nargs="*", metavar="NAME", help="panels")


def _panels(session: Session, options: Namespace) -> Any:
    names = [name.removesuffix(":") for name in options.names]
    try:
        if options.what == "save":
            return _save(session, names, options.opens)
        if options.what == "load":
            return _load(session, names)
        if options.what in ("hide", "show"):
            return _hide(session, names, hidden=options.what == "hide")
        if names:
            raise Refused(f"%panels: what about {names[0]}? try %panels --load {names[0]}")
        watches = list_panels(session)
        for name, plan in kept(session).panels.items():
            if name not in session.watches:
                print(f"{name}: kept: {few([pv for pvs in plan.groups.values() for pv in pvs])}")
    except StoreError as exc:
        raise Refused(f"%panels: {exc}") from exc
    return watches


def _open_ones(session: Session, names: Sequence[str]) -> list[Watch]:
    missing = [name for name in names if name not in session.watches]
    if missing:
        there = ", ".join(watch.name for watch in session.watches) or "none"
        raise Refused(f"%panels: no panel {missing[0]} is open; open are: {there}")
    return [session.watches[name] for name in names]


def _save(session: Session, names: Sequence[str], opens: bool) -> list[str]:
    watches = _open_ones(session, names) if names else list(session.watches)
    if not watches:
        raise Refused("%panels --save: no panel is open; try %camonitor ring: PV first")
    if not session.stores:
        raise Refused("%panels --save: this shell has no profile to keep panels in")
    for watch in watches:
        watch.opens = watch.opens or opens
    save(session.stores[-1], {watch.name: plan_of(watch) for watch in watches})
    print(f"kept in {session.stores[-1]}: {few([watch.name for watch in watches])}")
    return [watch.name for watch in watches]


def _load(session: Session, names: Sequence[str]) -> list[Watch]:
    plans = kept(session).panels
    missing = [name for name in names if name not in plans]
    if missing or not names:
        asked = f"no panel {missing[0]} is kept" if missing else "which panel?"
        raise Refused(f"%panels --load: {asked}; kept are: {', '.join(plans) or 'none'}")
    opened = []
    for name in names:
        with plainly(session):
            try:
                opened.append(open_plan(session, name, plans[name]))
            except LookupError as exc:
                raise Refused(f"%panels --load {name}: {exc.args[0]}") from exc
        show_docked(session, opened[-1])
    return opened


def _hide(session: Session, names: Sequence[str], hidden: bool) -> list[Watch]:
    watches = _open_ones(session, names) if names else list(session.watches)
    for watch in watches:
        set_hidden(watch, hidden)
    return watches


# %caplot ----------------------------------------------------------------------------------------

PLOT_PANEL: Final = "plot"
SPAN_S: Final = 120.0
COLLECT_S: Final = 10.0
PRINTED_LINES: Final = 16

_CAPLOT = LineParser(
    "caplot",
    "Draw PVs as curves in the terminal: numbers over time, arrays over their index.",
    (
        ("%caplot DEMO:CURRENT", "live under the prompt, the last two minutes"),
        ("%caplot --span 10m DEMO:GAUGE-0{1..3}", "ten minutes, three curves"),
        ("%caplot --since 10m DEMO:CURRENT", "what was recorded since then, and goes on"),
        ("%caplot --since 14:30 --qt DEMO:CURRENT", "in a window; also 2026-11-22T14:30"),
        ("%caplot --once DEMO:TUNE:SPECTRUM", "print an array once"),
        ("%caplot --once --for 5s DEMO:BPM-01:X", "collect for 5 s, then print"),
        ("%camonitor -d plot", "close it"),
    ),
)
_CAPLOT.add_argument(
    "pvs", nargs="+", metavar="[NAME:] PV", help=f"a panel's name; at most {MOST} PVs"
)
_AXIS = _CAPLOT.add_mutually_exclusive_group()
_AXIS.add_argument(
    "--span", type=duration, default=SPAN_S, metavar="TIME", help="of the time axis (default 2m)"
)
_AXIS.add_argument(
    "--since",
    type=moment,
    metavar="TIME",
    help="begin the time axis there: 10m (ago), 14:30, 2026-11-22T14:30",
)
_CAPLOT.add_argument("--qt", action="store_true", help="in a window: pan, zoom, export")
_CAPLOT.add_argument(
    "--image", type=int, default=0, metavar="N", help="with --qt: arrays as pictures N wide"
)
_CAPLOT.add_argument("--once", action="store_true", help="print it once, keep nothing on screen")
_CAPLOT.add_argument(
    "--for", dest="seconds", type=duration, metavar="TIME", help="how long to watch, or to collect"
)


def _caplot(session: Session, options: Namespace) -> Any:
    if options.span <= 0:
        raise Refused("%caplot --span: a time axis needs some time, such as 30s")
    once = options.once or (session.dock is None and not options.qt)
    name, patterns = split_name(options.pvs, PLOT_PANEL)
    if not patterns:
        raise Refused(f"%caplot: PVs come after the name {name}:")
    if once:
        return _plot_once(session, patterns, options)
    with plainly(session):
        watch = session.watches.open(patterns, name)
    if len(watch.panel) > MOST:
        print(f"only the first {MOST} of {len(watch.panel)} PVs are drawn")
    if options.since is not None:
        _begin(session, watch, options.since)
    if options.qt:
        show_chart(session, watch, options.span, options.image, options.since)
    elif options.since is not None:
        show_plotted_since(session, watch, _monotonic(options.since), _clock(options.since))
    else:
        show_plotted(session, watch, options.span)
    if options.seconds is not None:
        timer = Timer(options.seconds, watch.close)
        watch.on_close(lambda _: timer.cancel())
    return watch


def _monotonic(moment_s: float) -> float:
    """Return epoch seconds on the clock of the panels."""
    return moment_s - time() + monotonic()


def _clock(moment_s: float) -> str:
    """Return a moment as it is read from a clock, with the day when that is not today."""
    when = datetime.fromtimestamp(moment_s)
    today = when.date() == datetime.now().date()
    return f"{when:%H:%M:%S}" if today else f"{when:%Y-%m-%d %H:%M:%S}"


def _begin(session: Session, watch: Watch, since: float) -> None:
    """Let curves begin in the past, and tell in a line what is missing there."""
    now = monotonic()
    late: dict[str, list[str]] = {}
    for name, began in begin_at(watch.panel, _monotonic(since), now, session.past).items():
        if began > _monotonic(since) + 1.0:
            words = f"before {_clock(time() + began - now)}" if began < now else "until now"
            late.setdefault(words, []).append(name)
    if late:
        said = [f"{few(names)}: nothing recorded {words}" for words, names in late.items()]
        print("; ".join(said))


class Drawn(list[Any]):
    """The values that were drawn last; it shows as no more than their number."""

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(f"<{len(self)} curve{'s' * (len(self) != 1)}>")


def _plot_once(session: Session, patterns: Sequence[str], options: Namespace) -> Drawn:
    """Collect what is needed, print the curves, and forget them; returns the last values."""
    watch = Watch(PLOT_PANEL)
    try:
        with plainly(session):
            watch.add(patterns, session.known())
        started = monotonic()
        collect = options.seconds if options.seconds is not None else COLLECT_S
        began = ""
        if options.since is None:
            for row in watch.panel:
                row.trend.period_s = collect / CAPACITY
        else:
            _begin(session, watch, options.since)
            started, began = _monotonic(options.since), _clock(options.since)
        end = monotonic() + collect
        while monotonic() < end:
            enough = [row.live and (bool(began) or is_array(row)) for row in watch.panel]
            if enough and all(enough):
                break
            Sleep(0.05)
        silent = [row.name for row in watch.panel if row.value is None]
        if len(silent) == len(watch.panel):
            raise Refused(f"%caplot: {few(silent)}: no value within {collect:g} s")
        span = max(monotonic() - started, 0.1)
        plot = Plot(watch.panel, session.theme(), span, began=began)
        print("\n".join(plot.lines(session.width(), PRINTED_LINES, monotonic())))
        return Drawn(row.value for row in watch.panel.rows[:MOST])
    finally:
        watch.close()


SPECS: Final[Sequence[Spec]] = (
    Spec("panels", _PANELS, _panels),
    Spec("caplot", _CAPLOT, _caplot),
)
"""The magics of this file."""
