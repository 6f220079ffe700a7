# SPDX-License-Identifier: Apache-2.0
"""The command line tool cainfo."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ..api import cainfo
from ..errors import ca_nothing
from ..values import ca_info
from .options import add_pvs, make_parser, parse

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
    parser = make_parser("cainfo", "Tell what is known about the channels of PVs.", EXAMPLES)
    add_pvs(parser)
    options = parse(parser, argv)
    infos = cainfo(options.pvs, timeout=options.wait_s, throw=False)
    for info in infos:
        if isinstance(info, ca_nothing):
            print(info, file=sys.stderr)
        else:
            print(_text(info))
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
