# SPDX-License-Identifier: Apache-2.0
"""The process that `tests.support.ioc` starts: an IOC that ends when its standard input does.

Lines on standard input are commands of the IOC's shell.
"""

from __future__ import annotations

import os
import sys

from epicscorelibs import ioc


def main(database: str, macros: str, access: str) -> None:
    """Serve a database, with an access security file unless its name is empty."""
    if access:
        ioc.dbCore.asSetFilename(access.encode())
    ioc.start_ioc(database, macros)
    for line in sys.stdin:
        ioc.ioc(line.strip())
    # Without the IOC's own shutdown, which has been seen to hang with clients connected.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
