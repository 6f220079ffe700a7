# SPDX-License-Identifier: Apache-2.0
"""The command line of coshell: what to start, and with which profile."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from coshell import profile
from coshell.rival import other_cothread

if TYPE_CHECKING:
    from coshell.demo.machine import DemoMachine
    from coshell.starting import CoShellApp

__all__ = ["main"]

TOOLS = ("caget", "caput", "camonitor", "cainfo", "pvtree")

EXAMPLES = """\
examples:
  coshell --demo                    a small storage ring to try things on
  coshell --profile operator        with a site's names, panels and start-up files
  coshell scan.py 1 10              run a script on the scheduler
  coshell -i scan.py                … and go on at the prompt
  coshell -c "print(caget('PV'))"   run one line
  coshell caget PV...               the tools: caget, caput, camonitor, cainfo, pvtree

Other options go to IPython; `coshell --ipython-help` lists them.
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="coshell",
        description="An EPICS control room in one terminal, on one thread.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("--demo", action="store_true", help="start the demo machine and use it")
    made.add_argument("--profile", metavar="NAME", help="profile to use; 'list' shows them")
    made.add_argument("-c", dest="code", metavar="CODE", help="run this code instead of a prompt")
    made.add_argument("-i", dest="interact", action="store_true", help="and prompt afterwards")
    made.add_argument(
        "--session", metavar="NAME", help="start in, or return to, a tmux session of that name"
    )
    made.add_argument("--ipython-help", action="store_true", help="IPython's own options")
    made.add_argument("--version", action="store_true", help="print the version")
    made.add_argument("script", nargs="?", help="a .py or .ipy file")
    made.add_argument("args", nargs=argparse.REMAINDER, help="its arguments")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Run coshell.

    Returns:
        The exit status.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] in TOOLS:
        from catools.tools import main as tool

        return tool(words, _remembered)
    options, others = parser().parse_known_args(words)
    if options.version:
        from importlib.metadata import version

        print(f"coshell {version('coshell')}")
        return 0
    if said := other_cothread():
        print(f"coshell: {said}", file=sys.stderr)
    if options.session is not None:
        from coshell.multiplexer import enter_session

        return enter_session(options.session, words)
    if others:
        from coshell.options import refusal

        own = [flag for action in parser()._actions for flag in action.option_strings]
        if said := refusal(others, own):
            print(f"coshell: {said}", file=sys.stderr)
            return 2
    try:
        return _start(options, others)
    except profile.NoSuchProfile as unknown:
        print(f"coshell: {unknown}", file=sys.stderr)
        return 2


def _remembered() -> list[str]:
    from coshell.memory import remembered

    return remembered()


def _start(options: argparse.Namespace, others: list[str]) -> int:
    if options.profile == "list":
        for found in profile.available().values():
            print(f"{found.name:12} {found.path}")
        return 0
    name = options.profile or ("demo" if options.demo else None)
    layer = profile.find(name) if name is not None else None
    with ExitStack() as stack:
        machine = None
        if options.demo:
            machine = _demo(stack)
            if machine is None:
                return 1
        if options.script is not None and not options.interact and _is_plain(options.script):
            from coshell.scripts import run_script

            if machine is not None and not _serves(machine):
                return 1
            return run_script(options.script, options.args)
        app = _application(options, others, layer, machine)
        if machine is not None and not _serves(machine):
            return 1
        return app.run()


def _is_plain(script: str) -> bool:
    return Path(script).suffix not in {".ipy", ".ipynb"}


def _application(
    options: argparse.Namespace,
    others: list[str],
    layer: profile.Profile | None,
    machine: DemoMachine | None,
) -> CoShellApp:
    from coshell.starting import CoShellApp

    app = CoShellApp.instance()
    app.layer = layer
    app.machine = machine
    app.code = options.code
    app.script = options.script
    app.script_args = options.args
    app.stay = options.interact
    app.initialize(["--help-all"] if options.ipython_help else others)
    return app


def _demo(stack: ExitStack) -> DemoMachine | None:
    """Launch the demo machine and point this process at it; None when there is none to be had."""
    from coshell.demo.machine import DemoMachine, DemoUnavailable

    machine = DemoMachine(until_readable=_until_readable)
    try:
        machine.launch()
    except DemoUnavailable as reason:
        print(f"coshell: {reason}", file=sys.stderr)
        return None
    stack.callback(machine.stop)
    os.environ.update(machine.env)
    return machine


def _until_readable(descriptor: int, timeout_s: float) -> bool:
    """Wait for the demo machine without holding up the shell.

    Suspends: always.
    """
    from cothread import Timedout
    from cothread.coselect import wait_readable

    try:
        wait_readable(descriptor, timeout_s)
    except Timedout:
        return False
    return True


def _serves(machine: DemoMachine) -> bool:
    """Wait for the demo machine, which came up while IPython was loaded."""
    from coshell.demo.machine import DemoUnavailable

    try:
        machine.wait()
    except DemoUnavailable as reason:
        print(f"coshell: {reason}", file=sys.stderr)
        return False
    os.environ.update(machine.env)
    return True
