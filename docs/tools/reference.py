# SPDX-License-Identifier: Apache-2.0
"""Write the reference from the docstrings: `python docs/tools/reference.py DIRECTORY`."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from types import ModuleType

import pdoc
import pdoc.render
from pdoc import doc_ast

import catools
import catools.testing
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
    "catools.config",
    "catools.pv",
    "catools.testing",
    "coshell",
    "coshell.demo.machine",
)


# `from catools import *` leaves it out, since it would import numpy.
LATE = {catools: ("ca_array",), cothread: ()}

# What users need of classes whose other members are for the rest of the package.
PUBLIC = {
    "Client": {"__init__", "statistics", "purge", "close"},
    "Monitor": {"close"},
    "PutHooks": {"add", "remove"},
    "Server": {"__init__", "env", "connection", "on", "start", "listen", "refuse", "close"},
    "ca_array": {"enum_str", "plain"},
}


def is_internal(entry: pdoc.doc.Doc[object]) -> bool:
    """Tell whether a member of a class is none of a user's business.

    A variable without a text of its own has one under the class's "Attributes", if it is public.
    """
    owner, _, name = entry.qualname.rpartition(".")
    if not owner:
        return False
    if owner in PUBLIC:
        return name not in PUBLIC[owner]
    is_variable = isinstance(entry, pdoc.doc.Variable) and not entry.default_value_str
    return is_variable and not entry.docstring


def tell_of_variables(package: ModuleType) -> None:
    """Say of the variables that a package imports what is said where they are defined."""
    # pdoc keeps what it has read, and looks into the importing module only.
    texts = doc_ast.walk_tree(package).var_docstrings
    for name, module in list(sys.modules.items()):
        if name.startswith(f"{package.__name__}."):
            found = doc_ast.walk_tree(module).var_docstrings
            texts.update((name, found[name]) for name in package.__all__ if name in found)


def main(directory: str) -> None:
    """Render every public module to HTML below `directory`."""
    warnings.simplefilter("error")
    # A method may bear the name of a class, as Group.Spawn does, and a type may exist for checkers
    # only; pdoc then keeps the text as it is.
    warnings.filterwarnings("ignore", "Error parsing type annotation")
    warnings.filterwarnings("ignore", "Failed to run TYPE_CHECKING code")
    pdoc.render.configure(
        docformat="google",
        search=True,
        footer_text="coshell",
        template_directory=Path(__file__).with_name("templates"),
    )
    pdoc.render.env.globals["is_internal"] = is_internal
    for package, late in LATE.items():
        # pdoc looks names up without asking the module for those it makes when needed.
        package.__all__ += late
        vars(package).update({name: getattr(package, name) for name in package.__all__})
    tell_of_variables(catools)
    tell_of_variables(catools.testing)
    pdoc.pdoc(*MODULES, output_directory=Path(directory))
    print(f"reference: {Path(directory) / 'index.html'}")


if __name__ == "__main__":
    main(*sys.argv[1:])
