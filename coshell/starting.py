# SPDX-License-Identifier: Apache-2.0
"""Starting the shell: IPython's application with our shell, profile, names and banner."""

from __future__ import annotations

import io
import logging
import os
import sqlite3
import sys
import tempfile
import warnings
from contextlib import closing
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import IPython
from IPython.terminal.ipapp import TerminalIPythonApp
from traitlets import Type, default

from coshell.embedding import EXTENSIONS
from coshell.kernel.failures import summarise
from coshell.kernel.jobs import BRIEFLY
from coshell.kernel.shell import CoShell
from coshell.kernel.tracebacks import short_warnings
from coshell.profile import Profile
from coshell.scripts import exit_status, run_text

if TYPE_CHECKING:
    from coshell.demo.machine import DemoMachine
    from coshell.memory import NameMemory
    from coshell.session import Session

__all__ = ["CoShellApp"]

BANNER = """\
coshell · Python {python} · IPython {ipython} · EPICS on one thread
%coshell shows a guide, NAME? explains a name,
%camonitor PV... puts live PVs below the prompt.
"""
DEMO_BANNER = """\
A small storage ring is running under DEMO: · try
  %camonitor DEMO:CURRENT DEMO:LIFETIME DEMO:BPM-{01..04}:X
  %caput DEMO:RF:FREQ 499.66
  caget('DEMO:MODE')
  Spawn(lambda: print('hello'))
"""
LEFT_OUT = frozenset({"current"})
"""What is not put into the namespace: to those who run a machine, current is what the beam has."""


class CoShellApp(TerminalIPythonApp):
    """IPython's terminal application, with a profile laid over the operator's own.

    Attributes:
        layer: the coshell profile, or None.
        machine: the demo machine, or None.
        code: run instead of a prompt.
        script: the same, from a file.
        stay: prompt afterwards all the same.
        memory: the PV names of earlier sessions.
    """

    name = "coshell"
    description = "An EPICS control room in one terminal, on one thread."
    interactive_shell_class = Type(CoShell, klass=object).tag(config=True)

    shell: Any
    layer: Profile | None = None
    machine: DemoMachine | None = None
    code: str | None = None
    script: str | None = None
    script_args: list[str]
    stay = False
    memory: NameMemory | None = None

    def initialize(self, argv: list[str] | None = None) -> None:
        """Read the configuration and make the shell; what fails is told in one line each."""
        self.log.addFilter(_in_one_line)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper) and stream.isatty():
                # What the terminal cannot show becomes a question mark, and no error.
                stream.reconfigure(errors="replace")
        with short_warnings():
            super().initialize(argv)

    def init_shell(self) -> None:
        """Make the shell and fill its namespace."""
        self.script_args = list(getattr(self, "script_args", []))
        super().init_shell()
        if os.environ.get("NO_COLOR") or not self.shell.terminal.sink.isatty():
            self.shell.colors = "nocolor"
        if self.machine is not None:
            self.shell.push({"demo": self.machine}, interactive=False)
        self.shell.start_later(self._add_cothread)
        self.shell.start_later(self._add_catools)
        self.shell.start_later(self._add_status)

    def load_config_file(self, suppress_errors: bool | None = None) -> None:  # type: ignore[override]
        """Load the operator's configuration, and the profile's over it."""
        super().load_config_file(suppress_errors)
        for file in self.layer.config_files if self.layer is not None else ():
            self._load_layer(str(file.parent), file.name)

    def _load_layer(self, directory: str, name: str) -> None:
        from traitlets.config.loader import PyFileConfigLoader

        try:
            self.update_config(PyFileConfigLoader(name, path=directory).load_config())
        except Exception as failure:
            print(f"coshell: {directory}/{name} was not used: {failure!r}", file=sys.stderr)

    @default("ipython_dir")
    def _writable_directory(self) -> str:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                directory: str = super()._ipython_dir_default()
            except OSError as failure:
                directory = tempfile.mkdtemp(prefix="coshell-")
                warnings.warn(f"{failure}; using {directory} instead", stacklevel=1)
        for warning in told:
            print(f"coshell: {warning.message}", file=sys.stderr)
        return directory

    def init_profile_dir(self) -> None:
        """Find the profile; a history that another program holds locked is left alone."""
        super().init_profile_dir()
        assert self.profile_dir is not None
        file = Path(self.profile_dir.location) / "history.sqlite"
        if is_locked(file):
            # IPython would take it for damaged, and move it out of the way.
            self.config.HistoryManager.enabled = False
            print(f"coshell: {file} is locked: this session keeps no history", file=sys.stderr)

    def init_banner(self) -> None:
        """Print what this is and what to try first."""
        if not self._prompts:
            return
        self.shell.banner1 = BANNER.format(
            python=sys.version.split()[0], ipython=IPython.__version__
        )
        if self.machine is not None:
            self.shell.banner2 = DEMO_BANNER
        super().init_banner()

    def init_extensions(self) -> None:
        """Load the magics, then the extensions that the configuration names."""
        load = self.shell.extension_manager.load_extension
        for name in EXTENSIONS:
            self.shell.start_later(partial(load, name))
        self.shell.start_later(self._add_completion)
        super().init_extensions()

    def init_code(self) -> None:
        """Run the start-up files of the profile, then IPython's own."""
        super().init_code()
        for file in self.layer.startup_files if self.layer is not None else ():
            self._exec_file(str(file))

    @property
    def _prompts(self) -> bool:
        piped = not self.shell.terminal.source.isatty()
        ends = self.code is not None or self.script is not None or piped
        return self.stay or not ends

    def run(self) -> int:
        """Run what the command line asked for.

        Returns:
            The exit status.
        """
        shell: CoShell = self.shell
        status = 0
        if not self._prompts:
            # What IPython says to `sys.exit` is for those who sit at a prompt.
            warnings.filterwarnings("ignore", "To exit: use 'exit'", UserWarning)
        if self.code is not None:
            with shell.session():
                status = exit_status(shell.run_cell(self.code))
        elif self.script is not None:
            with shell.session():
                status = run_text(shell, self.script, self.script_args)
        elif not self._prompts:
            with shell.session():
                status = exit_status(shell.run_cell(shell.terminal.source.read()))
        if self._prompts:
            shell.mainloop()
            self._keep_names()
            status = 0
        return status

    def _exec_file(self, fname: str, shell_futures: bool = False) -> None:
        # A start-up file may use any name, so none can wait for the prompt any longer.
        self.shell.finish_starting()
        try:
            super()._exec_file(fname, shell_futures)
        except (Exception, SystemExit) as failure:
            self.shell.failures.add(f"start-up file {fname}", failure)

    def _add_cothread(self) -> None:
        import cothread

        self._add_names(cothread)
        self._push({"sleep": cothread.Sleep, "jobs": self.shell.jobs})

    def _add_catools(self) -> None:
        import catools

        self._add_names(catools)
        plain: Any = self.shell.display_formatter.formatters["text/plain"]
        plain.for_type(catools.ca_nothing, _show_outcome)
        BRIEFLY.words[catools.ca_nothing] = _outcome

    def _add_completion(self) -> None:
        from coshell.completion import install
        from coshell.memory import FILE, NameMemory
        from coshell.session import session

        matcher = install(self.shell, session)
        self._push({"pvs": session.pvs})
        self.shell.failures.hints.append(partial(_near_miss, session))
        if self.profile_dir is not None:
            self.memory = NameMemory(Path(self.profile_dir.location) / FILE)
            session.name_sources.append(cache(self.memory.load))
        if self._prompts:
            # Long lists are sorted while nobody has typed yet, and not at the first Tab.
            self.shell.start_later(matcher.indexes)

    def _add_status(self) -> None:
        from coshell.session import session
        from coshell.status import fields

        dock = self.shell.dock
        dock.status_fields[:0] = fields(session)
        dock.invalidate()

    def _add_names(self, module: ModuleType) -> None:
        offered = set(getattr(module, "__all__", ())) - LEFT_OUT
        self.shell.push({module.__name__: module}, interactive=False)
        names = {name: getattr(module, name) for name in offered}
        constants = {name: x for name, x in names.items() if not callable(x)}
        self.shell.push(constants, interactive=False)
        self._push({name: x for name, x in names.items() if callable(x)})

    def _push(self, names: dict[str, Any]) -> None:
        """Put names into the namespace that cells should leave as they are."""
        self.shell.push(names, interactive=False)
        self.shell.protected.add(names)

    def _keep_names(self) -> None:
        from coshell.session import session

        if self.memory is None:
            return
        try:
            self.memory.save(session.used())
        except OSError as failure:
            print(f"coshell: PV names were not kept in {self.memory.path}: {failure.strerror}")


def _in_one_line(record: logging.LogRecord) -> bool:
    """Put the exception that a message of the log has into its line."""
    failure = record.exc_info[1] if record.exc_info else None
    if failure is not None:
        record.msg, record.args = f"{record.getMessage()}: {summarise(failure)}", ()
        record.exc_info = None
    return True


def _near_miss(session: Session, exc: BaseException) -> str:
    """Return a question about the name of a PV that was never found, if one known is nearly so."""
    from catools import ca_nothing
    from coshell.magics.access import hint

    if isinstance(exc, ca_nothing) and exc.name not in session.known():
        return hint(session, exc.name)
    return ""


def _show_outcome(outcome: object, printer: Any, cycle: bool) -> None:
    del cycle
    printer.text(_outcome(outcome))


def _outcome(outcome: object) -> str:
    """Return what became of a put in words; its `repr` looks like a failure."""
    return f"<{outcome}>"


def is_locked(file: Path) -> bool:
    """Return whether another program keeps a data base from being read."""
    if not file.is_file():
        return False
    try:
        with closing(sqlite3.connect(file, timeout=0.2)) as base:
            base.execute("SELECT name FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as failure:
        return "locked" in str(failure)
    except sqlite3.Error:
        return False
    return False
