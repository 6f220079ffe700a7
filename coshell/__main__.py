# SPDX-License-Identifier: Apache-2.0
"""`python -m coshell`."""

from coshell.app import main

if __name__ == "__main__":
    raise SystemExit(main())
