# SPDX-License-Identifier: Apache-2.0
"""Prompts hosted by the scheduler: the shell's own, and the questions a cell asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prompt_toolkit.application import Application, get_app_session
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input.typeahead import store_typeahead
from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import Keys
from prompt_toolkit.shortcuts import PromptSession

from .console import Console
from .guest import Guest
from .interrupt import Interrupts
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
        self.output = HeldOutput(console.terminal, self._before_drawing)

    def adopt(self, session: PromptSession[Any]) -> None:
        """Make a prompt session one of ours: with the dock, and without polling."""
        # The signal tells of another size; asking twice a second would wake an idle shell.
        session.app.terminal_size_polling_interval = None
        session.app.renderer.cpr_not_supported_callback = None
        install_dock(session, self._console.dock, self._console.clock)

    def run(self, session: PromptSession[Any], **options: Any) -> str:
        """Read a text from the operator, while everything else goes on.

        Raises:
            KeyboardInterrupt: the session leaves on Ctrl-C.
            EOFError: Ctrl-D was pressed.
        Suspends: whenever there is no key to handle.
        """
        with self._prompting(session.app):
            text: str = self._guest(
                session.prompt_async(set_exception_handler=False, handle_sigint=False, **options)
            )
        return text

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
            ANSI(message), is_password=password, history=history
        )
        self.adopt(session)
        return self.run(session)

    def type_ahead(self, data: bytes) -> None:
        """Keep keys for the next prompt."""
        keys: list[KeyPress] = []
        parser = Vt100Parser(keys.append)
        parser.feed(data.decode(self._console.terminal.encoding, "replace"))
        parser.flush()
        if keys:
            store_typeahead(get_app_session().input, keys)

    @contextmanager
    def _prompting(self, app: Application[Any]) -> Iterator[None]:
        """Leave screen and Ctrl-C to a prompt in the `with` block."""

        def press() -> None:
            app.key_processor.feed(KeyPress(Keys.ControlC))
            app.key_processor.process_keys()

        def interrupt() -> None:
            if app.is_running and app.context is not None:
                self._guest.loop.call_soon(press, context=app.context.copy())

        previous, self._interrupts.at_prompt = self._interrupts.at_prompt, interrupt
        try:
            with self._console.prompting(PromptScreen(app, self.output)):
                yield
        finally:
            self._interrupts.at_prompt = previous

    def _before_drawing(self) -> None:
        if self._console.screen is None:
            self._console.clear_dock()
