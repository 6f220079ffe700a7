# SPDX-License-Identifier: Apache-2.0
"""The peers' environment: they cannot share ours, because the import name `cothread` is one.

COSHELL_PEERS_PYTHON names the interpreter of an environment that exists already.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from functools import cache
from pathlib import Path

from .harness import Unavailable

__all__ = ["REQUIREMENTS", "python"]

HERE = Path(__file__).resolve().parent / ".peers"

REQUIREMENTS = ("cothread>=2.20", "aioca", "pyepics", "caproto", "gevent", "greenlet", "numpy")


@cache
def python() -> Path:
    """Return the interpreter that has the peers, making its environment if there is none.

    Raises:
        Unavailable: it cannot be made here.
    """
    named = os.environ.get("COSHELL_PEERS_PYTHON")
    if named:
        return Path(named)
    interpreter = HERE / "bin" / "python"
    complete = HERE / ".complete"
    if not complete.exists():
        print(f"making the peers' environment in {HERE.name}: {', '.join(REQUIREMENTS)}")
        venv.create(HERE, with_pip=True, clear=True)
        pip = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        # cothread's build looks for epicscorelibs' headers in the environment it is built in.
        for arguments in (["epicscorelibs", "setuptools"], list(REQUIREMENTS)):
            done = subprocess.run([*pip, *arguments], stdout=sys.stderr, check=False)
            if done.returncode:
                raise Unavailable("the peers could not be installed (see above)")
        complete.touch()
    return interpreter
