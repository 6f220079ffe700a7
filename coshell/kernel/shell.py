# SPDX-License-Identifier: Apache-2.0
"""CoShell: IPython's terminal shell with its prompt hosted by the scheduler."""

from __future__ import annotations

import os
import sys
from asyncio import CancelledError
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, Final, cast

from IPython.core.error import UsageError
from IPython.core.interactiveshell import ExecutionResult
from IPython.terminal.interactiveshell import TerminalInteractiveShell
from prompt_toolkit.application import Application, create_app_session
from prompt_toolkit.input import create_input
from prompt_toolkit.input.typeahead import clear_typeahead
from prompt_toolkit.key_binding import merge_key_bindings
from traitlets import Bool, Enum, default

from cothread import Spawn, Yield, hooks
from cothread.scheduler import scheduler

from .background import breakpoints, refuse_background
from .colours import tint
from .commands import RunsCommands
from .console import Console
from .dock import Dock
from .errors import CapturedErrors
from .failures import Failures, summarise
from .guest import Guest
from .host import PromptHost
from .interrupt import Interrupts
from .jobs import Job, Jobs
from .keyboard import Keyboard, whole
from .messages import for_stream
from .output import Outlet
from .outside import passing_on
from .programs import Programs
from .prompt import ShellCompleter
from .protected import Protected
from .signals import Signals
from .stalls import Stalls
from .terminal import Terminal
from .tracebacks import plain, short_warnings, show_short

__all__ = ["CoShell"]

LEAVE_S: Final = 1.0
"""How long jobs may clean up after the operator has left."""
OF_IPYTHON: Final = (SyntaxError, SystemExit, BaseExceptionGroup)
"""Exceptions that IPython shows better than one line can."""


class CoShell(RunsCommands, TerminalInteractiveShell):
    """An IPython shell in which cothreads, panels and asyncio run on while it waits for a key.

    Attributes:
        dock: what is shown below the prompt.
        console: the screen.
        jobs: the operator's background cothreads.
        failures: what went wrong in the background.
        interrupts: who is interrupted by Ctrl-C.
        guest: the asyncio loop of the prompt and of `await` cells.
    """

    tracebacks = Enum(
        ("short", "line", "full"),
        default_value="short",
        help="What follows the numbered line of an error: where it was (short; not for those of PVs"
        " and of magics, which say all there is), nothing (line), or all of it, as IPython shows it"
        " and without the line (full).",
    ).tag(config=True)

    enable_tip = Bool(False, help="Show a tip of IPython's at the start.").tag(config=True)

    pt_app: Any
    rl_next_input: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.terminal = Terminal()
        self.dock = Dock()
        self.console = Console(self.terminal, self.dock)
        self.failures = Failures(self.tell)
        self.dock.on_failure = self.failures.add
        self.jobs = Jobs(self._job_changed)
        self.interrupts = Interrupts()
        self.signals = Signals(self.console, self.tell, self._jobs_field)
        self.guest = Guest(self.failures.add)
        self.outlet = Outlet(self.console, self.jobs.job_of, self.is_foreground)
        self.errors = CapturedErrors(self.terminal, self.outlet.stray)
        self.console.drain = self.errors.drain
        self.host = PromptHost(self.console, self.guest, self.interrupts)
        self.programs = Programs(self._lend, self.is_foreground)
        self.stalls = Stalls(
            self.console, self.jobs, self.interrupts, self.tell, self.host.type_ahead
        )
        self.keyboard = Keyboard(self.console, self.host, partial(refuse_background, self))
        self._opened = ExitStack()
        self._depth = 0
        self._steps: deque[Callable[[], object]] = deque()
        self._starting = False
        self._interacting = False
        if self.terminal.interactive:
            keyboard = create_input(stdin=self.terminal.source)
            self._opened.enter_context(create_app_session(keyboard, self.host.output))
            self.interrupts.forget_keys.append(partial(clear_typeahead, keyboard))
        super().__init__(*args, **kwargs)
        self.protected = Protected(self.user_ns, self.tell)
        self.loop_runner = self.guest
        if "use_jedi" not in self.config.get("Completer", {}) | self.config.get("IPCompleter", {}):
            # It analyses whole modules at the first Tab: panels would stand still for seconds.
            self.Completer.use_jedi = False
        self.set_hook("show_in_pager", self.page_text, 90)
        self.set_hook("editor", self.edit_file, 90)
        self.loop_runner_map = {**self.loop_runner_map, "asyncio": (self.guest, True)}
        self.dock.status_fields.append(self._jobs_field)

    # -- what the rest of the program calls

    def emit(self, text: str, tag: str | None = None) -> None:
        """Print whole lines above the prompt, or in a running cell above its output.

        Thread: any.
        """
        mark = f"{tint(f'[{tag}]', '36')} " if tag is not None else ""
        for line in text.rstrip("\n").split("\n"):
            self.console.lines(f"{mark}{line}\n")

    def tell(self, message: str) -> None:
        """Print a message of the shell's own, where whole lines go; without a prompt, as an error.

        Thread: any.
        """
        if self.terminal.interactive:
            self.console.lines(f"{self._shown(message, self.terminal.sink)}\n")
        else:
            self.say(message, sys.stderr)

    def say(self, message: str, stream: Any) -> None:
        """Print a message of the shell's own in the foreground."""
        print(self._shown(message, stream), file=stream)

    def _shown(self, message: str, stream: Any) -> str:
        return for_stream(message, stream, self.terminal.size()[0])

    @contextmanager
    def session(self) -> Iterator[None]:
        """Take over streams, signals and reports for as long as the shell runs."""
        with ExitStack() as stack:
            stack.enter_context(short_warnings())
            if self._interacting:
                # Where nobody can ask why, cothread's own report tells the whole at once.
                stack.callback(hooks.set_report, hooks.set_report(self._report))
            stack.enter_context(self.jobs.watched())
            stack.enter_context(self.failures.of_threads())
            if self.terminal.interactive:
                stack.enter_context(self.terminal.unhurried(self.console.kick))
            stack.callback(self.console.close)
            if self.terminal.interactive:
                stack.enter_context(self.outlet.installed())
                stack.enter_context(self.errors.captured())
                stack.enter_context(self.keyboard.installed())
                stack.enter_context(breakpoints(self))
            stack.enter_context(self.interrupts.installed())
            stack.enter_context(self.signals.handled())
            stack.enter_context(self.stalls.watched())
            yield

    # -- starting

    def start_later(self, step: Callable[[], object]) -> None:
        """Put off part of the start until the first prompt is on the screen.

        What is put off is done before the first cell runs, whatever happens.
        """
        self._steps.append(step)

    def finish_starting(self, *, gently: bool = False) -> None:
        """Do what was put off.

        Args:
            gently: let others run between two steps.
        Suspends: if gently.
        """
        while self._steps:
            step = self._steps.popleft()
            try:
                step()
            except Exception as failure:
                self.failures.add("starting", failure)
            if gently:
                Yield()

    def _drawn(self, _: Application[Any]) -> None:
        if self.stalls.cell_ran:
            # After the next wait, whoever holds the scheduler is the prompt and not the cell.
            self.guest.loop.call_soon(self.stalls.prompted)
        self._start_on()

    def _start_on(self) -> None:
        """Do what was put off while the operator looks at the first prompt."""
        if self._steps and not self._starting:
            self._starting = True
            Spawn(self.finish_starting, gently=True).name = "starting"

    # -- the prompt

    @default("term_title_format")
    def _title(self) -> str:
        return "coshell: {cwd}"

    @default("simple_prompt")
    def _plain_prompt(self) -> bool:
        # IPython also wants standard error to be a terminal: `coshell 2>file` keeps its prompt.
        return not self.terminal.paints or "IPY_TEST_SIMPLE_PROMPT" in os.environ

    @property
    def debugger_cls(self) -> Any:
        """The debugger that `%debug` and `breakpoint()` use."""
        from .debugger import Debugger, PlainDebugger

        return PlainDebugger if self.simple_prompt else Debugger

    def init_prompt_toolkit_cli(self) -> None:
        """Make IPython's prompt session, and put the dock into it."""
        super().init_prompt_toolkit_cli()
        if self.simple_prompt:
            # IPython has put a prompt there that holds up everything while it waits.
            vars(self).pop("prompt_for_code", None)
            return
        session = self.pt_app
        session.completer = ShellCompleter(self, self.failures.add)
        session.key_bindings = merge_key_bindings([session.key_bindings, self.signals.keys()])
        session.app.after_render += self._drawn
        self.host.adopt(session)

    def prompt_for_code(self) -> str:
        """Read one cell, while everything else goes on.

        Suspends: whenever there is no key to handle.
        """
        if self.simple_prompt:
            return self._prompt_for_line()
        default, self.rl_next_input = self.rl_next_input, None
        return self.host.read_cell(
            self.pt_app, default=default or "", **self._extra_prompt_options()
        )

    def check_complete(self, code: str) -> tuple[str, str]:
        """Say whether a cell can be run or goes on, and how far its next line is indented."""
        return super().check_complete(whole(code))

    def _extra_prompt_options(self) -> dict[str, Any]:
        options: dict[str, Any] = super()._extra_prompt_options()
        del options["reserve_space_for_menu"]
        return options

    # -- other programs

    @contextmanager
    def _lend(self) -> Iterator[int | None]:
        """Give the terminal to a program, with what was typed ahead for it."""
        keys = self.host.typed_ahead()
        if keys:
            keys += self.terminal.typed()
        with ExitStack() as stack:
            stack.enter_context(self.console.lending())
            heard = stack.enter_context(passing_on(self.terminal.source.fileno()))
            stack.enter_context(self.interrupts.left_to(heard))
            if keys and not self.terminal.type(keys):
                self.host.type_ahead(keys)
            yield self.errors.terminal_fd

    def _prompt_for_line(self) -> str:
        """Read one cell from a pipe or a terminal that cannot be painted on."""
        prompt = "".join(text for _, text in self.prompts.in_prompt_tokens())
        more = "".join(text for _, text in self.prompts.continuation_prompt_tokens())
        text = ""
        self.keyboard.lines.again()
        while True:
            print(more if text else prompt, end="", flush=True)
            self._start_on()
            line = self.keyboard.lines.readline()
            text += line
            if not line and not text:
                raise EOFError
            if not line or self.check_complete(text)[0] != "incomplete":
                return text.rstrip("\n")

    def interact(self) -> None:
        """Read and run cells until the operator leaves."""
        self.keep_running = True
        while self.keep_running:
            print(self.separate_in, end="")
            try:
                code = self.prompt_for_code()
                if code:
                    self.run_cell(code, store_history=True)
            except EOFError:
                if self._may_leave():
                    self.keep_running = False
            except KeyboardInterrupt:
                print("\nKeyboardInterrupt")
        if self.parent is not None:
            # Later their names and the screen are gone. Those of an embedded shell go on.
            self.jobs.end(LEAVE_S)

    def mainloop(self) -> None:
        """Run the shell, and leave the terminal as it was found."""
        # A slot of Qt's that waits, or a dialog inside of one, would hold the main program.
        scheduler.run_main(self._mainloop)

    def _mainloop(self) -> None:
        self._interacting = True
        with self.session():
            super().mainloop()
        self.guest.close()

    def ask_exit(self) -> None:
        """Leave after this cell: what `exit` does. With jobs running, the operator is asked."""
        if not (self._interacting and self.jobs.running) or self._may_leave():
            super().ask_exit()

    def _may_leave(self) -> bool:
        if not self.confirm_exit:
            return True
        running = len(self.jobs.running)
        jobs = f"{running} job{'s' * (running > 1)} running. " if running else ""
        return bool(self.ask_yes_no(f"{jobs}Do you really want to exit ([y]/n)? ", "y", "n"))

    # -- cells

    def run_cell(self, raw_cell: str, *args: Any, **kwargs: Any) -> ExecutionResult:
        """Run a cell with the dock live below its output."""
        self.finish_starting()
        if self._depth == 0:
            self.console.enter_cell()
            self.stalls.cell_ran = True
            if self.terminal.paints and self.host.typed_interrupt():
                self.interrupts.note()
        self._depth += 1
        try:
            return cast(ExecutionResult, super().run_cell(raw_cell, *args, **kwargs))
        finally:
            self._depth -= 1
            if self._depth == 0:
                self.console.leave_cell()
                self.protected.check()
                self.jobs.discover()

    async def run_code(self, code_obj: Any, result: Any = None, *, async_: bool = False) -> Any:
        """Run a statement of a cell, unless Ctrl-C came before it could begin."""
        if self.interrupts.begin():
            interrupt = KeyboardInterrupt()
            if result is not None:
                result.error_in_exec = interrupt
            self.showtraceback((KeyboardInterrupt, interrupt, None))
            return True
        return await super().run_code(code_obj, result, async_=async_)

    @contextmanager
    def _tee(self, channel: str) -> Iterator[None]:
        # IPython's own would keep all that background jobs write during a long cell.
        del channel
        yield

    def showtraceback(self, exc_tuple: Any = None, *args: Any, **kwargs: Any) -> None:
        """Show an exception of the foreground: a numbered line, and what `tracebacks` asks for."""
        try:
            _, value, _ = self._get_exc_info(exc_tuple)
        except ValueError:
            print("Nothing has failed.", file=sys.stderr)
            return
        if self.guest.cancelling and isinstance(value, CancelledError):
            return  # the KeyboardInterrupt is shown
        if isinstance(value, KeyboardInterrupt):
            self.say(tint(summarise(value), "31"), sys.stderr)
        elif not self._interacting:
            if not isinstance(value, SystemExit):
                print(plain(value), end="", file=sys.stderr)
        elif self.tracebacks == "full" or isinstance(value, OF_IPYTHON):
            super().showtraceback(exc_tuple, *args, **kwargs)
        else:
            show_short(self, value)

    def _format_exception_for_storage(
        self, exception: BaseException, *_: Any, **__: Any
    ) -> dict[str, Any]:
        # IPython keeps every error of a session as it would show it, at ten kilobytes each.
        line = summarise(exception)
        return {"ename": type(exception).__name__, "evalue": line, "traceback": [line]}

    # -- who is who

    def is_foreground(self, task: Spawn[Any] | None) -> bool:
        """Return whether a cothread (None: the main one) is what the operator waits for."""
        attached = self.jobs.attached
        return task is None or (attached is not None and attached.task is task)

    def _job_changed(self, job: Job) -> None:
        if job.ended is not None:
            self.outlet.ended(job.task, job)
            if job.task.unclaimed and (failure := job.task.exception) is not None:
                # The job is kept, and with it what would otherwise tell that nobody waited.
                self._report(job.name, failure, job.task)
        self.dock.invalidate()

    def _jobs_field(self) -> str:
        count = self.jobs.count_running
        return f"{count} job{'s' * (count != 1)}" if count else ""

    def _report(self, where: str, exc: BaseException, task: Spawn[Any] | None) -> None:
        job = self.jobs.job_of(task)
        if job is not None:
            if job is self.jobs.attached:
                return  # the cell that waits for it fails with this
            where = f"job {job.number} ({job.name})"
        elif task is not None:
            where = task.name
        self.failures.add(where, exc)

    # -- the terminal

    def init_magics(self) -> None:
        """Make the magics; IPython's own `%gui` would log what is refused."""
        super().init_magics()
        self.magics_manager.register_function(self._gui, magic_name="gui")

    def _gui(self, line: str) -> None:
        """Let Qt run beside the prompt: `%gui qt`."""
        self.enable_gui(line.strip() or None)

    def enable_gui(self, gui: str | None = None) -> None:
        """Bring Qt in: what `%gui qt` and `%matplotlib qt` do. Other toolkits have no place here.

        Raises:
            UsageError: it is another toolkit.
        """
        if gui is None or gui == "asyncio":
            return
        if not gui.lower().startswith("qt"):
            raise UsageError(f"coshell runs Qt beside the prompt, not {gui}; try %gui qt")
        from cothread import iqt

        iqt()
