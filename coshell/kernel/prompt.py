# SPDX-License-Identifier: Apache-2.0
"""The prompt's screen: IPython's prompt session with the dock under its input line.

The dock is a container of its own rather than a window of text: its rows are kept as rows of
finished screen cells, so that a key stroke with 25 unchanged rows below costs a copy of them
(measured: 0.05 ms) and not their parsing and styling (4 ms).
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import compress
from typing import Any, Final, TextIO, cast
from unicodedata import combining

from IPython.core.completer import provisionalcompleter
from IPython.terminal.ptutils import IPythonPTCompleter
from prompt_toolkit.application import Application, get_app
from prompt_toolkit.completion import CompleteEvent, Completion
from prompt_toolkit.data_structures import Size
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.layout import (
    ConditionalContainer,
    Container,
    Dimension,
    FloatContainer,
    HSplit,
    Layout,
)
from prompt_toolkit.layout.mouse_handlers import MouseHandlers
from prompt_toolkit.layout.screen import Char, WritePosition
from prompt_toolkit.layout.screen import Screen as Cells
from prompt_toolkit.output.color_depth import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.shortcuts import PromptSession

from .dock import Dock, cells, clip, dock_rows
from .messages import one_line
from .terminal import Terminal

__all__ = [
    "EXPLAINED",
    "DockContainer",
    "HeldOutput",
    "PromptScreen",
    "ShellCompleter",
    "install_dock",
]

MENU_ROWS: Final = 6
MENU_COLUMN: Final = 58
"""prompt_toolkit cuts what is wider, to have two columns of it."""
EXPLAINED: Final = "· "
"""What begins the type of a completion that says what its word means."""


class HeldOutput(Vt100_Output):
    """prompt_toolkit's output, written through our terminal, that can be held back.

    What is drawn in several steps is held until the last one, so that no step is seen.
    """

    def __init__(self, terminal: Terminal, before_write: Callable[[], object]) -> None:
        def size() -> Size:
            columns, rows = terminal.size()
            return Size(rows=rows, columns=columns)

        super().__init__(cast(TextIO, _Sink(terminal)), size, None, ColorDepth.from_env())
        self.held = False
        self._before_write = before_write

    def flush(self) -> None:
        """Write what was drawn, unless it is held."""
        if not self.held:
            self._before_write()
            super().flush()

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Hold everything that is drawn until a flush after the `with` block."""
        held, self.held = self.held, True
        try:
            yield
        finally:
            self.held = held


class _Sink(io.TextIOBase):
    """The terminal as a text stream, which is what prompt_toolkit writes to."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._terminal.encoding

    def write(self, text: str) -> int:
        self._terminal.write(text)
        return len(text)

    def fileno(self) -> int:
        return self._terminal.fileno()

    def isatty(self) -> bool:
        return self._terminal.interactive


class PromptScreen:
    """What the console needs of a running prompt; see `console.Screen`."""

    def __init__(self, app: Application[Any], output: HeldOutput) -> None:
        self._app = app
        self._output = output

    def ready(self) -> bool:
        """Return True when the prompt has been drawn and nobody borrowed its screen."""
        return self._app.is_running and self._app.renderer.last_rendered_screen is not None

    def above(self, text: str) -> None:
        """Put whole lines above the prompt: erase, write and draw again, in one write."""
        renderer = self._app.renderer
        size = self._output.get_size()
        known = renderer.height_is_known and not renderer.waiting_for_cpr
        top = renderer.rows_above_layout if known else 0
        with self._output.holding():
            renderer.erase()
            self._output.write_raw(text.replace("\n", "\r\n"))
        if known:
            # Nobody needs to ask the terminal for what can be counted.
            renderer.report_absolute_cursor_row(
                min(top + 1 + rows_of(text, size.columns), size.rows)
            )
        self._app.invalidate()

    def repaint(self) -> None:
        """Draw again, soon."""
        self._app.invalidate()

    def at_bottom(self) -> bool:
        """Return True when the dock is known to end on the last row of the screen."""
        return self._app.renderer.height_is_known


def rows_of(text: str, columns: int) -> int:
    """Return how many screen rows whole lines take."""
    return sum(max(1, -(-cells(line) // columns)) for line in text.split("\n")[:-1])


class DockContainer(Container):
    """The dock as part of a prompt_toolkit layout.

    Args:
        dock: what to show.
        clock: monotonic seconds.
        above: what the rows are shared with, and has the first claim on them.
    """

    def __init__(self, dock: Dock, clock: Callable[[], float], above: Container) -> None:
        self._dock = dock
        self._clock = clock
        self._above = above
        self._lines: list[str] = []
        self._rows: dict[str, dict[int, Char]] = {}

    def reset(self) -> None:
        """Forget nothing: the dock outlives the prompt."""

    def preferred_width(self, max_available_width: int) -> Dimension:
        """Take the whole width."""
        return Dimension(preferred=max_available_width)

    def preferred_height(
        self,
        width: int,
        max_available_height: int,  # noqa: ARG002  # the interface of a container
    ) -> Dimension:
        """Ask for what the input line leaves, and insist on nothing."""
        if get_app().is_done:
            self._lines = []
            return Dimension.exact(0)
        rows = get_app().output.get_size().rows
        input_rows = self._above.preferred_height(width, rows).preferred
        height = max(0, min(dock_rows(rows), rows - input_rows))
        self._lines = self._dock.lines(width, height, self._clock())
        return Dimension(min=0, preferred=len(self._lines), max=len(self._lines))

    def write_to_screen(
        self,
        screen: Cells,
        mouse_handlers: MouseHandlers,  # noqa: ARG002  # the interface of a container
        write_position: WritePosition,
        parent_style: str,  # noqa: ARG002
        erase_bg: bool,  # noqa: ARG002
        z_index: int | None,  # noqa: ARG002
    ) -> None:
        """Copy the finished cells of every row."""
        lines = self._lines
        if len(lines) > write_position.height:
            lines = self._dock.lines(write_position.width, write_position.height, self._clock())
        known = self._rows
        rows: dict[str, dict[int, Char]] = {}
        for y, line in enumerate(lines):
            row = rows[line] = known.get(line) or _row(line, write_position.width)
            screen.data_buffer[write_position.ypos + y].update(row)
        self._rows = rows
        screen.width = max(screen.width, write_position.width)
        screen.height = max(screen.height, write_position.ypos + len(lines))

    def get_children(self) -> list[Container]:
        """Return nothing: the dock cannot have the focus."""
        return []


class _Palette(dict[str, Char]):
    """The cells of one style, by character."""

    def __init__(self, style: str) -> None:
        self._style = style

    def __missing__(self, character: str) -> Char:
        cell = self[character] = Char(character, self._style)
        return cell


_COLOUR = re.compile(r"(\x1b\[[0-9;:]*m)")
_RESETS: Final = frozenset({"\x1b[m", "\x1b[0m"})


@lru_cache(maxsize=256)
def _palette(colours: str) -> _Palette:
    """Return the cells in the style that a run of colour sequences gives."""
    return _Palette(ANSI(f"{colours} ").__pt_formatted_text__()[-1][0])


def _row(line: str, width: int) -> dict[int, Char]:
    """Return a line of ANSI text as screen cells."""
    row: dict[int, Char] = {}
    colours = ""
    palette = _palette(colours)
    x, last = 0, -1
    for piece in _COLOUR.split(line):
        if piece.startswith("\x1b["):
            colours = "" if piece in _RESETS else colours + piece
            palette = _palette(colours)
            continue
        if not colours and not piece.strip(" "):
            # Blanks are there already.
            x += len(piece)
            continue
        if piece.isascii() and piece.isprintable():
            piece = piece[: max(width - x, 0)]
            row.update(zip(range(x, x + len(piece)), map(palette.__getitem__, piece), strict=True))
            x += len(piece)
            last = x - 1
            continue
        for character in piece:
            cell = palette[character]
            cell_width = cell.width
            if x + cell_width > width:
                return row
            if cell_width == 0:
                if combining(character) and last in row:
                    row[last] = palette[row[last].char + character]
                continue
            last = x
            row[x] = cell
            for beside in range(1, cell_width):
                row[x + beside] = palette[""]
            x += cell_width
    return row


def install_dock(session: PromptSession[str], dock: Dock, clock: Callable[[], float]) -> None:
    """Put the dock under the input of a prompt session, and let the menus float over both."""
    layout = session.layout
    root = layout.container
    assert isinstance(root, HSplit)
    focus = layout.current_window
    above = HSplit(root.children)
    container = DockContainer(dock, clock, above)
    floats = []
    for child in root.children:
        main = child.alternative_content if isinstance(child, ConditionalContainer) else child
        if isinstance(main, FloatContainer):
            floats += main.floats
            main.floats = []
    whole = FloatContainer(HSplit([above, container]), floats=floats)
    session.layout = Layout(whole, focused_element=focus)
    session.app.layout = session.layout

    def reserve(_: Application[Any]) -> None:
        # The menu covers dock rows; only where there are too few of them must the prompt make room.
        session.reserve_space_for_menu = max(0, MENU_ROWS - len(container._lines))

    session.app.before_render += reserve


class ShellCompleter(IPythonPTCompleter):
    """IPython's completer, without the thread that it starts for each completion."""

    def __init__(self, shell: Any, on_failure: Callable[[str, BaseException], object]) -> None:
        super().__init__(shell=shell)
        self._on_failure = on_failure

    def get_completions(
        self,
        document: Document,
        complete_event: CompleteEvent,  # noqa: ARG002  # the interface of a completer
    ) -> Iterator[Completion]:
        """Yield completions; a completer that raises is reported, and yields nothing."""
        if not document.current_line.strip():
            return
        with provisionalcompleter():
            try:
                yield from _with_meanings(
                    self._get_completions(
                        document.text,
                        document.cursor_position,
                        document.cursor_position,
                        self.ipy_completer,
                    )
                )
            except Exception as failure:
                self._on_failure("completion", failure)


def _with_meanings(completions: Iterable[Completion]) -> Iterator[Completion]:
    """Put what the words mean beside them, as far as that is known."""
    every = list(completions)
    explained = [one.display_meta_text.startswith(EXPLAINED) for one in every]
    widest = max((len(one.display_text) for one in compress(every, explained)), default=0)
    for one, known in zip(every, explained, strict=True):
        if not known:
            yield one
            continue
        meaning = one_line(one.display_meta_text.removeprefix(EXPLAINED))
        shown = clip(f"{one.display_text:<{widest}}  {meaning}".rstrip(), MENU_COLUMN)
        yield Completion(one.text, one.start_position, display=shown)
