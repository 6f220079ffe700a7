# SPDX-License-Identifier: Apache-2.0
"""Another client, in its own interpreter: does what standard input asks, tells what it got.

    python peer.py cothread|aioca < requests.json

Requests are ["get", name, datatype, format, count] and ["put", name, value, datatype].
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).parent)

from describe import datatype_of, describe  # noqa: E402 - only after the line above

TIMEOUT_S = 5


def outcome(call):
    """Return what a call gave, or the exception it gave it up with."""
    try:
        return describe(call())
    except Exception as error:
        return {"exception": type(error).__name__}


def with_cothread(requests):
    """Do the requests one after the other with cothread."""
    from cothread.catools import caget, caput

    options = {"timeout": TIMEOUT_S, "throw": False}

    def do(what, name, *rest):
        if what == "get":
            datatype, format, count = rest
            return caget(
                name, datatype=datatype_of(datatype), format=format, count=count, **options
            )
        value, datatype = rest
        return caput(name, value, datatype=datatype_of(datatype), wait=True, **options)

    return [put_or_get(do, request) for request in requests]


def with_aioca(requests):
    """Do the requests one after the other with aioca."""
    from aioca import caget, caput, run

    options = {"timeout": TIMEOUT_S, "throw": False}

    async def all_of_them():
        results = []
        for what, name, *rest in requests:
            try:
                if what == "get":
                    datatype, format, count = rest
                    value = await caget(name, datatype_of(datatype), format, count, **options)
                    results.append(describe(value))
                else:
                    value, datatype = rest
                    done = await caput(name, value, datatype_of(datatype), wait=True, **options)
                    results.append(put_result(done))
            except Exception as error:
                results.append({"exception": type(error).__name__})
        return results

    return run(all_of_them(), forever=False)


def put_or_get(do, request):
    """Return the outcome of one request."""
    if request[0] == "get":
        return outcome(lambda: do(*request))
    try:
        return put_result(do(*request))
    except Exception as error:
        return {"exception": type(error).__name__}


def put_result(done):
    """Return whether a put went well."""
    return {"ok": True} if done.ok else {"error": int(done.errorcode)}


if __name__ == "__main__":
    client = {"cothread": with_cothread, "aioca": with_aioca}[sys.argv[1]]
    json.dump(client(json.load(sys.stdin)), sys.stdout)
    sys.stdout.flush()
    # libca's threads have nothing to tell us any more.
    os._exit(0)
