# SPDX-License-Identifier: Apache-2.0
"""`python -m coshell.demo`: the demo machine alone, in the foreground."""

import argparse
import sys

from coshell.demo.machine import run_in_foreground

parser = argparse.ArgumentParser(
    prog="python -m coshell.demo",
    description="Serve the demo machine until Ctrl-C, and print the environment in which "
    "Channel Access clients find it.",
)
parser.add_argument("--prefix", default="DEMO:", help="of every record (default %(default)s)")

sys.exit(run_in_foreground(parser.parse_args().prefix))
