# SPDX-License-Identifier: Apache-2.0
"""Write the reference from the docstrings: `python docs/tools/reference.py DIRECTORY`."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import pdoc
import pdoc.render

# The old import paths are aliases: documenting them would say everything twice.
MODULES = (
    "cothread",
    "!cothread.cadef",
    "!cothread.catools",
    "!cothread.dbr",
    "!cothread.pv",
    "catools",
    "coshell",
    "!coshell.demo.ioc",
)


def main(directory: str) -> None:
    """Render every public module to HTML below `directory`."""
    warnings.simplefilter("error")
    pdoc.render.configure(docformat="google", search=True, footer_text="coshell")
    pdoc.pdoc(*MODULES, output_directory=Path(directory))
    print(f"reference: {Path(directory) / 'index.html'}")


if __name__ == "__main__":
    main(*sys.argv[1:])
