# SPDX-License-Identifier: Apache-2.0
"""Windows from the prompt: `%gui qt`, `%matplotlib qt`, and `--qt` of the other magics.

Everything of Qt's is loaded when the first window is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from types import ModuleType
from typing import TYPE_CHECKING, Any

from IPython.core.interactiveshell import InteractiveShell

from coshell.magics.parsing import Refused
from coshell.session import Session
from coshell.watch import Watch

if TYPE_CHECKING:
    from coshell.qt.windows import Windows

__all__ = ["load_ipython_extension", "show_chart", "show_put", "show_table"]


def _windows(session: Session) -> Windows:
    """Return the windows of a session.

    Raises:
        Refused: windows cannot be shown here.
    """
    try:
        from coshell.qt.start import NoWindows, start

        start()
        from coshell.qt.windows import windows
    except (NoWindows, ImportError) as exc:
        raise Refused(f"{exc}") from exc
    return windows(session)


def show_table(session: Session, watch: Watch) -> Any:
    """Show a panel in a window of its own."""
    return _windows(session).table(watch)


def show_chart(
    session: Session,
    watch: Watch,
    span_s: float,
    image_width: int = 0,
    since: float | None = None,
) -> Any:
    """Show a panel as a strip chart, which begins `since` (epoch seconds) or `span_s` ago."""
    return _windows(session).chart(watch, span_s, image_width, since)


def show_put(session: Session, names: Sequence[str]) -> list[Any]:
    """Show a window for puts to each of these PVs."""
    return [_windows(session).put(name) for name in names]


def load_ipython_extension(ip: InteractiveShell) -> None:
    """Let `%gui qt` and `%matplotlib qt` mean iqt()."""
    usual: Callable[..., Any] = ip.enable_gui

    @wraps(usual)
    def enable_gui(gui: str | None = None, *args: Any, **kargs: Any) -> Any:
        if gui is not None and gui.lower().startswith("qt"):
            return _start_qt()
        return usual(gui, *args, **kargs)

    ip.enable_gui = enable_gui  # type: ignore[method-assign]


def _start_qt() -> Any:
    from coshell.qt import start

    module: ModuleType = start
    try:
        return module.start()
    except module.NoWindows as exc:
        raise Refused(f"%gui qt: {exc}") from exc
