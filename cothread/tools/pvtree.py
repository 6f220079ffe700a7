# SPDX-License-Identifier: Apache-2.0
"""The program `pvtree.py` under its old import path; `catools.tools` is where it lives."""

from __future__ import annotations

import sys

from catools import tools

__all__ = ["main"]


def main() -> int:
    """Run pvtree with the arguments of this process.

    Returns:
        The exit status.
    Suspends: until the whole tree is printed.
    """
    return tools.main(["pvtree", *sys.argv[1:]])
