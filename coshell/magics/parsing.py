# SPDX-License-Identifier: Apache-2.0
"""How a magic reads its line and how it says no: in one line, leaving the shell as it was."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from textwrap import fill
from typing import Any, Final, NoReturn

from IPython.core.getipython import get_ipython
from IPython.core.page import page

from coshell.session import Session

WIDTH: Final = 79
EXAMPLE_WIDTH: Final = 40
INDENT: Final = " " * 8

_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)\Z")
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(ms|s|m|min|h|d)?\Z")
_CLOCK = re.compile(r"\d?\d:\d\d(:\d\d)?\Z")
_UNITS: Final = {"ms": 1e-3, "s": 1.0, "": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


class Refused(Exception):
    """What was asked for cannot be done; shown as one line without traceback."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows: the reason, nothing of where in our code it was found."""
        return [str(self)]


class HelpAsked(Exception):
    """The line asked for help; the text is the help."""


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Fits every help to the smallest terminal that is usual, whichever it was written on."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=WIDTH)


def _listed(examples: list[tuple[str, str]]) -> str:
    """Return examples in two columns, a long explanation under its example."""
    room = min(max(len(line) for line, _ in examples), EXAMPLE_WIDTH)
    lines = []
    for line, what in examples:
        if len(line) <= room and 2 + room + 2 + len(what) <= WIDTH:
            lines.append(f"  {line:<{room}}  {what}")
        else:
            lines += [
                f"  {line}",
                fill(what, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT),
            ]
    return "\n".join(lines)


class LineParser(argparse.ArgumentParser):
    """An argument parser that raises instead of leaving the program.

    Args:
        name: of the magic, without `%`.
        purpose: one sentence.
        examples: pairs of a line to type and what it does.
    """

    def __init__(self, name: str, purpose: str, examples: Iterable[tuple[str, str]]) -> None:
        super().__init__(
            prog=f"%{name}",
            description=fill(purpose, WIDTH),
            epilog=f"examples:\n{_listed(list(examples))}",
            formatter_class=_Formatter,
            add_help=False,
            allow_abbrev=False,
        )
        self.add_argument("-h", "--help", action=_Help, nargs=0, help="show this text")

    def read(self, words: list[str]) -> argparse.Namespace:
        """Read the words of a line; flags may stand anywhere unless the rest is taken as it is."""
        if not {"-h", "--help"}.isdisjoint(words):
            # parse_intermixed_args makes a template of the usage, which `%name` cannot be.
            raise HelpAsked(self.format_help().rstrip())
        verbatim = any(action.nargs == argparse.REMAINDER for action in self._actions)
        return self.parse_args(words) if verbatim else self.parse_intermixed_args(words)

    def flags(self) -> list[str]:
        """Return every flag the line may hold."""
        return list(self._option_string_actions)

    def expected(self, before: Iterable[str], typed: str) -> list[tuple[str, str]] | str:
        """Say what the word that is being typed can be.

        Args:
            before: the whole words in front of it.
            typed: its beginning.
        Returns:
            Pairs of a word and what it means; or what the usage calls a word that only the
            operator knows, such as TIME.
        """
        names = [action for action in self._actions if not action.option_strings]
        given: list[str] = []
        seen: list[argparse.Action] = []
        waiting: argparse.Action | None = None
        for word in before:
            if waiting is not None:
                waiting = None
            elif word in self._option_string_actions:
                seen.append(self._option_string_actions[word])
                waiting = seen[-1] if seen[-1].nargs != 0 else None
            else:
                given.append(word)
        if waiting is not None and waiting.choices is not None:
            return [(str(one), "") for one in waiting.choices if str(one).startswith(typed)]
        if waiting is not None:
            return str(waiting.metavar or waiting.dest.upper())
        verbatim = given and names and names[-1].nargs == argparse.REMAINDER
        if typed.startswith("-") and not verbatim:
            return list(self._flags_left(seen, typed))
        return str(names[min(len(given), len(names) - 1)].metavar) if names else []

    def _flags_left(
        self, seen: Collection[argparse.Action], typed: str
    ) -> Iterator[tuple[str, str]]:
        """Find the flags that begin so and can still be given, and what they do."""
        gone = {action for action in seen if not isinstance(action, argparse._AppendAction)}
        for group in self._mutually_exclusive_groups:
            if not gone.isdisjoint(group._group_actions):
                gone.update(group._group_actions)
        # Nobody who looks for a flag looks for help first.
        for action in (*self._actions[1:], self._actions[0]):
            flags = [flag for flag in action.option_strings if flag.startswith(typed)]
            if flags and action not in gone:
                yield flags[-1], action.help or ""

    def error(self, message: str) -> NoReturn:
        """Refuse the line."""
        raise Refused(f"{self.prog}: {message}; {self.prog} -h shows how it is used")

    def exit(self, _status: int = 0, message: str | None = None) -> NoReturn:
        """Refuse the line instead of leaving the program."""
        raise Refused(f"{self.prog}: {(message or 'cannot go on').strip()}")


class _Help(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_args: Any, **_kargs: Any) -> None:
        raise HelpAsked(parser.format_help().rstrip())


@dataclass(frozen=True, slots=True)
class Spec:
    """One magic: its name, how its line is read, and the function behind it."""

    name: str
    parser: LineParser
    run: Callable[[Session, argparse.Namespace], Any]


def words(line: str, variables: Mapping[str, Any]) -> list[str]:
    """Split a line as a Unix shell would, and replace words that are `$name` by that variable.

    What follows a `#` that begins a word is a comment, unless quotes are around it. A variable that
    holds a list gives several words. Braces are left alone: they are ranges of PVs.

    Raises:
        Refused: a quotation mark is missing, or there is no such variable.
    """
    try:
        pieces = shlex.split(without_semicolon(_uncommented(line)))
    except ValueError as exc:
        raise Refused(f"{line.strip()}: {exc}; a quotation mark may be missing") from exc
    result: list[str] = []
    for piece in pieces:
        match = _VARIABLE.match(piece)
        if match is None:
            result.append(piece)
            continue
        name = match.group(1)
        if name not in variables:
            raise Refused(f"{piece}: there is no variable {name}; quote a PV as '{piece} '")
        result += spelled(variables[name])
    return result


def without_semicolon(line: str) -> str:
    """Return a line without the `;` at its end, which keeps IPython from showing a result."""
    text = line.rstrip()
    return text[:-1] if text.endswith(";") and not text.endswith("\\;") else text


def _uncommented(line: str) -> str:
    """Return a line without its comment.

    shlex would see one inside words too, where `#` belongs to a PV name or to the flag `-#`.
    """
    quote, before = "", " "
    for at, char in enumerate(line):
        if before == "\\" and quote != "'":
            char = ""
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "#" and before.isspace():
            return line[:at]
        before = char
    return line


def spelled(value: Any) -> list[str]:
    """Return the words that a Python value stands for on a line."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [str(item) for item in value]
    return [str(value)]


def duration(text: str) -> float:
    """Return seconds from `10`, `10s`, `500ms`, `2m`, `1h`.

    Raises:
        argparse.ArgumentTypeError: the text is no duration.
    """
    match = _DURATION.match(text.strip().lower())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; try 10s, 500ms, 2m or 1h")
    return float(match.group(1)) * _UNITS[match.group(2) or ""]


def moment(text: str) -> float:
    """Return epoch seconds from `10m`, which is ago, from `14:30`, and from `2026-11-22T14:30`.

    Raises:
        argparse.ArgumentTypeError: the text is no time, or one that is still to come.
    """
    now = datetime.now()
    word = text.strip()
    try:
        if _DURATION.match(word.lower()):
            when = now - timedelta(seconds=duration(word))
        elif _CLOCK.match(word):
            clock = time.fromisoformat(word if word[2] == ":" else f"0{word}")
            when = datetime.combine(now.date(), clock)
            when -= timedelta(days=when > now)
        else:
            when = datetime.fromisoformat(word)
        seconds = when.timestamp()
    except (ValueError, OverflowError, OSError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time; try 10m (ago), 14:30 or {now:%Y-%m-%dT%H:%M}"
        ) from None
    if seconds >= now.timestamp():
        raise argparse.ArgumentTypeError(f"{text!r} is still to come; try 10m (ago) or 14:30")
    return seconds


def positive(text: str) -> float:
    """Return a number above zero.

    Raises:
        argparse.ArgumentTypeError: the text is no such number.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number above zero; try 2 or 0.5")
    return number


def show_help(asked: HelpAsked) -> None:
    """Show the help that was asked for as `NAME?` does: in the pager if it is a long one."""
    if get_ipython() is None:
        print(asked)
    else:
        page({"text/plain": str(asked)})


def run(spec: Spec, session: Session, line: str, variables: Mapping[str, Any]) -> Any:
    """Read a line for a magic and do what it says.

    Returns:
        What the magic returns; None after `-h`, whose text is shown.

    Raises:
        Refused: it cannot be done, in one line.
    """
    try:
        options = spec.parser.read(words(line, variables))
    except HelpAsked as asked:
        show_help(asked)
        return None
    return spec.run(session, options)
