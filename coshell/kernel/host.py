# SPDX-License-Identifier: Apache-2.0
"""Prompts hosted by the scheduler: the shell's own, and the questions a cell asks."""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from prompt_toolkit.application import Application, get_app_session
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input.typeahead import get_typeahead, store_typeahead
from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import Keys
from prompt_toolkit.shortcuts import PromptSession

from cothread.interrupts import request_interrupt

from .console import Console
from .guest import Guest
from .interrupt import Interrupts
from .keyboard import whole
from .prompt import HeldOutput, PromptScreen, install_dock

__all__ = ["PromptHost"]


class PromptHost:
    """Runs prompt_toolkit's prompts on the guest loop, with the dock below their line.

    Attributes:
        output: what prompt_toolkit draws on.
    """

    def __init__(self, console: Console, guest: Guest, interrupts: Interrupts) -> None:
        self._console = console
        self._guest = guest
        self._interrupts = interrupts
        self._answers = InMemoryHistory()
        self._app: Application[Any] | None = None
        self.output = HeldOutput(console.terminal, self._before_drawing)

    def adopt(self, session: PromptSession[Any]) -> None:
        """Make a prompt session one of ours: with the dock, and without polling."""
        # The signal tells of another size; asking twice a second would wake an idle shell.
        session.app.terminal_size_polling_interval = None
        session.app.renderer.cpr_not_supported_callback = None
        install_dock(session, self._console.dock, self._console.clock)

    def read_cell(self, session: PromptSession[Any], **options: Any) -> str:
        """Read a cell from the operator; a Ctrl-C that comes after its Enter is kept for it.

        Raises:
            KeyboardInterrupt: the session leaves on Ctrl-C.
            EOFError: Ctrl-D was pressed.
        Suspends: whenever there is no key to handle.
        """
        interrupts = self._interrupts
        interrupts.forget()
        code = self.run(session, interrupts.note, **options)
        interrupts.entered()
        return code

    def run(self, session: PromptSession[Any], late: Callable[[], object], **options: Any) -> str:
        """Read a text from the operator, while everything else goes on.

        Args:
            late: called for a Ctrl-C that comes when the text has been entered already.
        Raises:
            KeyboardInterrupt: the session leaves on Ctrl-C.
            EOFError: Ctrl-D was pressed.
        Suspends: whenever there is no key to handle.
        """
        with self._prompting(session.app, late):
            text: str = self._guest(
                session.prompt_async(set_exception_handler=False, handle_sigint=False, **options)
            )
        return whole(text)

    def typed_interrupt(self) -> bool:
        """Look for a Ctrl-C among what was typed while the terminal was raw, but not read.

        Returns:
            True when there is one; it and what stands before it are dropped.
        """
        keyboard = get_app_session().input
        keys = get_typeahead(keyboard)
        while not keyboard.closed and select.select([keyboard.fileno()], [], [], 0)[0]:
            keys += keyboard.read_keys()
        places = [place for place, press in enumerate(keys) if press.key == Keys.ControlC]
        store_typeahead(keyboard, keys[places[-1] + 1 :] if places else keys)
        return bool(places)

    @property
    def can_ask(self) -> bool:
        """False while a coroutine is being run, or on a terminal that cannot be painted on."""
        return not self._guest.busy and self._console.terminal.paints

    def ask(self, message: str = "", password: bool = False) -> str:
        """Ask the operator for a line, while everything else goes on.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed.
            EOFError: Ctrl-D was pressed.
        Suspends: until Enter is pressed.
        """
        history = InMemoryHistory() if password else self._answers
        session: PromptSession[str] = PromptSession(
            ANSI(message), is_password=password, history=history, key_bindings=_answer_keys()
        )
        self.adopt(session)
        return self.read_answer(session)

    def read_answer(self, session: PromptSession[Any]) -> str:
        """Read a text for the running cell; a Ctrl-C that comes after its Enter is for the cell.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed.
            EOFError: Ctrl-D was pressed.
        Suspends: until Enter is pressed.
        """
        answer = self.run(session, request_interrupt)
        if self.typed_interrupt():
            raise KeyboardInterrupt
        return answer

    def typed_ahead(self) -> bytes:
        """Take the keys that are kept for the next prompt."""
        if not self._console.terminal.interactive:
            return b""
        keys = get_typeahead(get_app_session().input)
        text = "".join(press.data for press in keys if press.key != Keys.CPRResponse)
        return text.encode(self._console.terminal.encoding, "replace")

    def type_ahead(self, data: bytes) -> None:
        """Give keys to the prompt, to the next one if there is none now."""
        keys: list[KeyPress] = []
        parser = Vt100Parser(keys.append)
        parser.feed(data.decode(self._console.terminal.encoding, "replace"))
        parser.flush()
        app = self._app
        if app is None or not app.is_running or app.context is None:
            store_typeahead(get_app_session().input, keys)
            return

        def press() -> None:
            app.key_processor.feed_multiple(keys)
            app.key_processor.process_keys()

        self._guest.loop.call_soon(press, context=app.context.copy())

    @contextmanager
    def _prompting(self, app: Application[Any], late: Callable[[], object]) -> Iterator[None]:
        """Leave screen and Ctrl-C to a prompt in the `with` block."""
        waiting: list[bool] = []

        def press() -> None:
            if not waiting:
                return
            waiting.pop()
            if app.is_running and not app.is_done:
                app.key_processor.feed(KeyPress(Keys.ControlC))
                app.key_processor.process_keys()
            else:
                late()

        def interrupt() -> None:
            if app.is_running and app.context is not None:
                waiting.append(True)
                self._guest.loop.call_soon(press, context=app.context.copy())
            elif shown:
                late()

        shown: list[bool] = []
        app.pre_run_callables.append(lambda: shown.append(True))
        previous, self._interrupts.at_prompt = self._interrupts.at_prompt, interrupt
        outer, self._app = self._app, app
        try:
            with self._console.prompting(PromptScreen(app, self.output)):
                yield
            if waiting:
                late()  # the loop ended before it came to that
        finally:
            waiting.clear()
            self._app = outer
            self._interrupts.at_prompt = previous

    def _before_drawing(self) -> None:
        if self._console.screen is None:
            self._console.catch_up()
            self._console.clear_dock()


def _answer_keys() -> KeyBindings:
    """Return the keys of a question: one that cannot be left does not stand in the answer."""
    keys = KeyBindings()
    keys.add("c-z")(lambda _: None)
    return keys
