# SPDX-License-Identifier: Apache-2.0
"""`python -m coshell.demo`: the demo machine alone, in the foreground."""

import sys

from coshell.demo.machine import run_in_foreground

sys.exit(run_in_foreground())
