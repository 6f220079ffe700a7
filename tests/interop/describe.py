# SPDX-License-Identifier: Apache-2.0
"""What a client got, in a form that can be compared between clients and sent between processes.

Runs under both interpreters: ours and that of the peers, so it imports nothing of either.
"""

from __future__ import annotations

from typing import Any

# Those that depend on the request and the record; what else a client adds is its own affair.
FIELDS = [
    "name", "ok", "datatype", "element_count", "status", "severity", "timestamp", "raw_stamp",
    "units", "precision", "enums", "ackt", "acks", "upper_disp_limit", "lower_disp_limit",
    "upper_alarm_limit", "lower_alarm_limit", "upper_warning_limit", "lower_warning_limit",
    "upper_ctrl_limit", "lower_ctrl_limit",
]  # fmt: skip


def plain(item: Any) -> Any:
    """Return a value that JSON carries without change; floats and bytes as text."""
    if isinstance(item, float):
        return f"float {float(item)!r}"
    if isinstance(item, bytes):
        return f"bytes {bytes(item).hex()}"
    if isinstance(item, str):
        return str(item)
    if isinstance(item, (list, tuple)):
        return [plain(one) for one in item]
    return int(item)


def describe(value: Any) -> dict[str, Any]:
    """Return type, value and attributes of what a client returned for one PV."""
    if not value.ok:
        return {"error": int(value.errorcode)}
    dtype = getattr(value, "dtype", None)
    return {
        "kind": type(value).__name__,
        # An array of empty texts has elements of no size for one client, of one character for
        # the others.
        "dtype": "" if dtype is None else dtype.str.replace("U0", "U1").replace("S0", "S1"),
        "value": plain(value if dtype is None else value.tolist()),
        **{field: plain(getattr(value, field)) for field in FIELDS if hasattr(value, field)},
    }


def datatype_of(text: Any) -> Any:
    """Return the datatype that a request names: a number, or the name of a Python or numpy type."""
    python = {"int": int, "float": float, "str": str, "bytes": bytes, "bool": bool}
    return python.get(text, text)
