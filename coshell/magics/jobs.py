# SPDX-License-Identifier: Apache-2.0
"""The magics for background jobs, and for what went wrong in the background."""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from collections.abc import Callable
from typing import Any, Final

from IPython.core.magic import no_var_expand

from coshell.kernel.background import attach, spawn_code
from coshell.kernel.colours import tint
from coshell.kernel.failures import Failure
from coshell.kernel.jobs import Chosen, Job, Jobs
from coshell.kernel.shell import CoShell
from coshell.magics.parsing import HelpAsked, LineParser, Refused, show_help, without_semicolon
from cothread import Timedout

__all__ = ["load_ipython_extension"]

KILL_S: Final = 1.0

Command = Callable[[CoShell, Namespace], Any]


class Lines(list[str]):
    """Lines of text that show as they are."""

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        del cycle
        printer.text("\n".join(self))


_JOBS = LineParser(
    "jobs",
    "Show the background jobs: what they wait for, what they last wrote, how they ended.",
    (
        ("%jobs", "all of them; those that have ended are shown once"),
        ("%jobs failed scan", "those in this state, or with this in their name"),
        ("jobs[3].output", "the same in Python: jobs is an object"),
    ),
)
_JOBS.add_argument("words", nargs="*", metavar="STATE", help="a state, or a part of a name")
_KILL = LineParser(
    "kill",
    "Cancel jobs: each is interrupted where it waits, and its cleanup code runs.",
    (("%kill 3", "one job"), ("%kill 3 5", "two"), ("%kill all", "every one")),
)
_KILL.add_argument("jobs", nargs="+", metavar="JOB", help="numbers, or 'all'")
_FG = LineParser(
    "fg",
    "Bring a job to the foreground: its output, and Ctrl-C. Ctrl-Z or Esc sends it back.",
    (("%fg 3", "attach to job 3"), ("%fg", "to the newest that runs")),
)
_FG.add_argument("job", nargs="?", metavar="JOB", help="its number")
_OUT = LineParser(
    "out",
    "Show what a job has written.",
    (("%out 3", "all that is kept"), ("%out 3 -n 20", "the last twenty lines")),
)
_OUT.add_argument("job", metavar="JOB", help="its number")
_OUT.add_argument("-n", type=int, metavar="LINES", help="only the last lines")
_RESULT = LineParser(
    "result",
    "Return what a job returned, or raise what it raised.",
    (("%result 3", "at once"), ("x = %result 3", "keep it")),
)
_RESULT.add_argument("job", metavar="JOB", help="its number")
_WHY = LineParser(
    "why",
    "Show the full traceback of something that failed, in a cell or in the background.",
    (("%why", "the newest"), ("%why 3", "number 3")),
)
_WHY.add_argument(
    "number", nargs="?", type=int, metavar="NUMBER", help="the number shown with the failure"
)
_SPAWN = LineParser(
    "spawn",
    "Run an expression, or as %%spawn a whole cell, as a background job; await works in it.",
    (
        ("%spawn scan(1, 10)", "a call"),
        ("%%spawn --name scan", "the rest of the cell, under a name"),
    ),
)
_SPAWN.add_argument("--name", metavar="TITLE", help="what the job is called")
_SPAWN.add_argument("code", nargs=argparse.REMAINDER, metavar="CODE", help="what to run")


def _show(shell: CoShell, options: Namespace) -> Jobs | Chosen:
    return shell.jobs.find(*options.words) if options.words else shell.jobs


def _job(shell: CoShell, text: str, magic: str) -> Job:
    try:
        return shell.jobs[int(text.removeprefix("%"))]
    except ValueError:
        raise Refused(
            f"%{magic} takes the number of a job, not {text!r}; %jobs shows them"
        ) from None
    except LookupError as reason:
        raise Refused(f"%{magic}: {reason.args[0]} %jobs shows them.") from None


def _title(job: Job) -> str:
    return f"job {job.number} ({job.name})"


def _kill(shell: CoShell, options: Namespace) -> None:
    if options.jobs == ["all"]:
        chosen = shell.jobs.running
        if not chosen:
            print("no job is running")
    else:
        chosen = [_job(shell, text, "kill") for text in options.jobs]
    for job in chosen:
        if not job.kill():
            print(f"{_title(job)} had ended already: {job.state}")
    for job in chosen:
        try:
            job.join(KILL_S)
        except Timedout:
            print(f"{_title(job)} is still cleaning up; it waits for {job.waits_for}")


def _fg(shell: CoShell, options: Namespace) -> Any:
    if options.job is None:
        running = shell.jobs.running
        if not running:
            raise Refused("%fg: no job is running")
        job = running[-1]
    else:
        job = _job(shell, options.job, "fg")
    if job.ended is None:
        shell.say(tint(f"{_title(job)} · Ctrl-C interrupts it, Ctrl-Z leaves it", "2"), sys.stdout)
        if not attach(shell, job) and job.ended is None:
            shell.say(tint(f"{_title(job)} goes on in the background", "2"), sys.stdout)
            return None
    return _outcome(job)


def _outcome(job: Job) -> Any:
    if job.state == "cancelled":
        raise Refused(f"{_title(job)} was cancelled")
    return job.result


def _out(shell: CoShell, options: Namespace) -> Lines:
    job = _job(shell, options.job, "out")
    lines = Lines(job.output)
    if options.n is not None:
        lines = Lines(lines[-options.n :] if options.n > 0 else [])
    missing = job.written - len(job.output)
    if missing and options.n is None:
        lines.insert(0, f"… {missing} lines before these are no longer kept")
    return lines


def _result(shell: CoShell, options: Namespace) -> Any:
    job = _job(shell, options.job, "result")
    if job.ended is None:
        raise Refused(f"{_title(job)} has not ended; %fg {job.number} waits for it")
    return _outcome(job)


def _why(shell: CoShell, options: Namespace) -> Failure | None:
    try:
        return shell.failures.find(options.number)
    except LookupError as reason:
        # As a failure it would be the newest, and the next that is asked for.
        print(reason.args[0])
        return None


def _spawn(shell: CoShell, line: str, cell: str | None = None) -> Job | None:
    try:
        # The words of an expression are not those of a command line: only the name is looked for.
        words = line.split(None, 2)
        name = None
        if words[:1] in (["-h"], ["--help"]):
            _SPAWN.read(["-h"])
        if words[:1] == ["--name"]:
            if len(words) < 2:
                raise Refused("%spawn: --name needs a name, such as --name scan")
            name, line = words[1], words[2] if len(words) > 2 else ""
    except HelpAsked as asked:
        show_help(asked)
        return None
    code = line if cell is None else f"{line}\n{cell}" if line.strip() else cell
    if not code.strip():
        raise Refused("%spawn needs something to run, such as %spawn scan(1, 10)")
    try:
        return spawn_code(shell, code, name)
    except SyntaxError as failure:
        where = f" in line {failure.lineno}" if cell is not None else ""
        raise Refused(f"%spawn: {failure.msg}{where}: {(failure.text or '').strip()}") from None


COMMANDS: Final[tuple[tuple[LineParser, Command], ...]] = (
    (_JOBS, _show),
    (_KILL, _kill),
    (_FG, _fg),
    (_OUT, _out),
    (_RESULT, _result),
    (_WHY, _why),
)
"""The line magics with an ordinary command line."""
PARSERS: Final = {
    parser.prog.removeprefix("%"): parser for parser in (*(p for p, _ in COMMANDS), _SPAWN)
}
"""How the line of each is read, by name."""


def _magic(shell: CoShell, parser: LineParser, command: Command) -> Callable[[str], Any]:
    def magic(line: str) -> Any:
        try:
            return command(shell, parser.read(without_semicolon(line).split()))
        except HelpAsked as asked:
            show_help(asked)
            return None

    magic.__doc__ = parser.format_help()
    return magic


def load_ipython_extension(shell: CoShell) -> None:
    """Give a shell the magics."""
    register: Any = shell.register_magic_function
    for parser, command in COMMANDS:
        name = parser.prog.removeprefix("%")
        register(_magic(shell, parser, command), "line", name)

    def spawn(line: str, cell: str | None = None) -> Job | None:
        return _spawn(shell, line, cell)

    spawn.__doc__ = _SPAWN.format_help()
    register(no_var_expand(spawn), "line_cell", "spawn")
