# SPDX-License-Identifier: Apache-2.0
"""The windows of a session: one per panel and kind, opened by a magic, a function or a click."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from time import time
from typing import Any, Final

from coshell.past import Past, begin_at, best
from coshell.qt.chart import Chart
from coshell.qt.places import Places
from coshell.qt.put import PutWindow
from coshell.qt.start import NoWindows, start
from coshell.qt.table import PanelTable
from coshell.session import Session
from coshell.watch import Watch
from cothread.clock import monotonic

__all__ = ["NoWindows", "Windows", "windows"]

TABLE: Final = "qt"
CHART: Final = "qt plot"


class _Shown:
    """A window as a view of a watch: closing one closes the other."""

    def __init__(self, window: Any) -> None:
        self.window = window

    def close(self) -> None:
        """Close the window."""
        self.window.close()


class Windows:
    """Opens the windows of a session.

    Args:
        session: whose panels and puts.
        file: where the places of windows are kept.
    """

    def __init__(self, session: Session, file: Path | None = None) -> None:
        self._session = session
        self._places = Places(file)
        self._plots = 0
        self.open: list[Any] = []

    def table(self, watch: Watch) -> PanelTable:
        """Show a panel as a table; one that is shown already comes to the front.

        Raises:
            NoWindows: windows cannot be shown here.
        """
        start()
        found = self._raised(watch, TABLE)
        if found is not None:
            return found  # type: ignore[no-any-return]
        window = PanelTable(
            watch.panel,
            watch.look,
            self._session.theme(),
            self._session.styles,
            self.plot,
            self.put,
        )
        self._show(window, watch, TABLE)
        return window

    def chart(
        self,
        watch: Watch,
        span_s: float = 60.0,
        image_width: int = 0,
        since: float | None = None,
    ) -> Chart:
        """Show a panel as a strip chart; one that is shown already comes to the front.

        Args:
            watch: whose panel.
            span_s: how much time is shown.
            image_width: draw arrays as pictures of that many columns.
            since: epoch seconds at which the time axis begins instead.
        Raises:
            NoWindows: windows cannot be shown here.
        """
        start()
        found = self._raised(watch, CHART)
        if found is not None:
            found.begin_at(since)
            return found  # type: ignore[no-any-return]

        def add(names: list[str]) -> None:
            fresh = watch.add(names, self._session.known())
            self._recall(watch, fresh, span_s if since is None else time() - since)

        window = Chart(watch.panel, span_s, image_width, since, add)
        self._show(window, watch, CHART)
        return window

    def past(self, name: str, since: float) -> Past:
        """Return what open charts remember of a PV since a monotonic time."""
        charts = [window for window in self.open if isinstance(window, Chart)]
        return best((chart.past(name, since) for chart in charts), since)

    def plot(self, names: Sequence[str], span_s: float = 60.0) -> Chart:
        """Show PVs as a strip chart, in a panel of their own that ends with it."""
        start()
        self._plots += 1
        watch = self._session.watches.open(list(names), f"plot{self._plots}")
        self._recall(watch, watch.names, span_s)
        chart = self.chart(watch, span_s)
        _on_close(chart, watch.close)
        return chart

    def _recall(self, watch: Watch, names: Sequence[str], span_s: float) -> None:
        """Let curves of PVs that are not drawn yet begin with what the session has recorded."""
        now = monotonic()
        rows = [watch.panel[name] for name in names]
        begin_at(rows, now - span_s, now, self._session.past)

    def put(self, name: str) -> PutWindow:
        """Show the window for puts to a PV.

        Raises:
            NoWindows: windows cannot be shown here.
        """
        start()
        watch = Watch(f"put {name}")
        watch.add([name])
        session = self._session
        window = PutWindow(
            watch.panel,
            watch.panel.rows[0],
            lambda pv, text: session.desk.put(pv, text),
            session.theme(),
            session.styles,
            watch.close,
        )
        self._show(window)
        return window

    def _raised(self, watch: Watch, kind: str) -> Any:
        view = watch.views.get(kind)
        if not isinstance(view, _Shown):
            return None
        view.window.show()
        view.window.raise_()
        return view.window

    def _show(self, window: Any, watch: Watch | None = None, kind: str = "") -> None:
        title = window.windowTitle()
        place = self._places.get(title)
        if place:
            window.restoreGeometry(place)
        self.open.append(window)
        if watch is not None:
            watch.views[kind] = _Shown(window)

        def closed() -> None:
            self._places.put(title, bytes(window.saveGeometry()))
            if window in self.open:
                self.open.remove(window)
            if watch is not None:
                watch.views.pop(kind, None)
            window.deleteLater()

        _on_close(window, closed)
        window.show()

    def close(self) -> None:
        """Close every window."""
        for window in list(self.open):
            window.close()


def _on_close(window: Any, action: Callable[[], object]) -> None:
    """Call `action()` when a window has been closed."""
    closing = window.closeEvent

    def close_event(event: Any) -> None:
        closing(event)
        action()

    window.closeEvent = close_event


_windows: dict[int, Windows] = {}


def windows(session: Session) -> Windows:
    """Return the windows of a session; their places are kept beside its panels."""
    found = _windows.get(id(session))
    if found is None:
        file = session.stores[-1].with_name("windows.json") if session.stores else None
        found = _windows[id(session)] = Windows(session, file)
    if found.past not in session.past_sources:
        session.past_sources.append(found.past)
    return found
