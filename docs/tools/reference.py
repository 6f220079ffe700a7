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

# The old import paths are aliases: documenting them would say everything twice.
MODULES = (
    "cothread",
    "!cothread.cadef",
    "!cothread.catools",
    "!cothread.dbr",
    "!cothread.pv",
    "!cothread.tools",
    "catools",
    "coshell",
    "!coshell.demo.ioc",
)


def main(directory: str) -> None:
    """Render every public module to HTML below `directory`."""
    warnings.simplefilter("error")
    # A method may bear the name of a class, as Group.Spawn does; pdoc then keeps the text as it is.
    warnings.filterwarnings("ignore", "Error parsing type annotation")
    pdoc.render.configure(docformat="google", search=True, footer_text="coshell")
    for package in (cothread, catools):
        # pdoc looks names up without asking the module for those it makes when needed.
        vars(package).update({name: getattr(package, name) for name in package.__all__})
    pdoc.pdoc(*MODULES, output_directory=Path(directory))
    print(f"reference: {Path(directory) / 'index.html'}")


if __name__ == "__main__":
    main(*sys.argv[1:])
