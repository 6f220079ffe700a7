# SPDX-License-Identifier: Apache-2.0
"""Programs in C, built against the libca that travels in the epicscorelibs wheel."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

__all__ = ["build"]

BUILT = Path(__file__).resolve().parent / ".built"


class CannotBuild(Exception):
    """There is no compiler, no wheel, or it did not compile; the text says which."""


@cache
def build(source: Path) -> Path:
    """Compile a program.

    Returns:
        The executable.
    Raises:
        CannotBuild: it cannot be done here.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise CannotBuild("there is no C compiler")
    try:
        from epicscorelibs import path
    except ImportError:
        raise CannotBuild("epicscorelibs is not installed") from None
    headers, libraries = Path(path.include_path), Path(path.lib_path)
    BUILT.mkdir(exist_ok=True)
    program = BUILT / source.stem
    command = [compiler, "-O2", "-o", str(program), str(source)]
    command += [f"-I{headers}"]
    command += [f"-L{libraries}", f"-Wl,-rpath,{libraries}", "-lca", "-lCom", "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotBuild((done.stderr.strip().splitlines() or ["it does not compile"])[-1])
    return program
