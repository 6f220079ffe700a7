# SPDX-License-Identifier: Apache-2.0
"""The command line tool cainfo."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict

from ..api import cainfo
from ..client.default import client as default_client
from ..errors import ca_nothing
from ..values import ca_info
from .options import add_priority, add_pvs, make_parser, parse

__all__ = ["main"]

EXAMPLES = """\
  cainfo SR-RF:FREQ   who serves it, its type and length, the rights
"""


def main(argv: Sequence[str]) -> int:
    """Run cainfo.

    Returns:
        The exit status.
    Suspends: until the PVs are connected, or the time is up.
    """
    parser = make_parser(
        "cainfo [options] PV ...", "Tell what is known about the channels of PVs.", EXAMPLES
    )
    add_pvs(parser)
    add_priority(parser)
    parser.add_argument(
        "-s",
        dest="level",
        metavar="LEVEL",
        type=int,
        default=0,
        help="above 0: tell what the client has done and holds, too",
    )
    options = parse(parser, argv)
    infos = cainfo(options.pvs, timeout=options.wait_s, throw=False)
    for info in infos:
        if isinstance(info, ca_nothing):
            print(info, file=sys.stderr)
        else:
            print(_text(info))
    if options.level > 0:
        for what, count in asdict(default_client().statistics()).items():
            print(f"{what.replace('_', ' ') + ':':<22}{count}")
    return 0 if all(info.ok for info in infos) else 1


def _text(info: ca_info) -> str:
    rights = ", ".join(
        right if granted else f"no {right}"
        for right, granted in (("read", info.read), ("write", info.write))
    )
    kind = info.datatype_str.upper()
    facts = {
        "State": info.state_str,
        "Host": info.host,
        "Access": rights,
        "Native data type": f"DBF_{kind}",
        "Request type": f"DBR_{kind}",
        "Element count": str(info.count),
    }
    return "\n".join([info.name, *(f"    {key + ':':<18}{text}" for key, text in facts.items())])
