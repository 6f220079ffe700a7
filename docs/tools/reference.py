# SPDX-License-Identifier: Apache-2.0
"""Write the reference from the docstrings: `python docs/tools/reference.py DIRECTORY`."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import pdoc
import pdoc.render

import catools
import cothread

# Those that programs import, by the names they import them by.  The old paths of the Channel Access
# client (cothread.catools and its companions) are aliases: they would say everything twice.
MODULES = (
    "cothread",
    "cothread.coselect",
    "cothread.coserver",
    "cothread.cosocket",
    "cothread.loops.qt",
    "catools",
    "catools.aio",
    "catools.pv",
    "catools.testing",
    "coshell",
    "coshell.demo.machine",
)


def main(directory: str) -> None:
    """Render every public module to HTML below `directory`."""
    warnings.simplefilter("error")
    # A method may bear the name of a class, as Group.Spawn does, and a type may exist for checkers
    # only; pdoc then keeps the text as it is.
    warnings.filterwarnings("ignore", "Error parsing type annotation")
    warnings.filterwarnings("ignore", "Failed to run TYPE_CHECKING code")
    pdoc.render.configure(docformat="google", search=True, footer_text="coshell")
    for package in (cothread, catools):
        # pdoc looks names up without asking the module for those it makes when needed.
        vars(package).update({name: getattr(package, name) for name in package.__all__})
    pdoc.pdoc(*MODULES, output_directory=Path(directory))
    print(f"reference: {Path(directory) / 'index.html'}")


if __name__ == "__main__":
    main(*sys.argv[1:])
