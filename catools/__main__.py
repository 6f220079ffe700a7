# SPDX-License-Identifier: Apache-2.0
"""`python -m catools caget PV...`: the command line tools."""

from catools.tools import main

if __name__ == "__main__":
    raise SystemExit(main())
