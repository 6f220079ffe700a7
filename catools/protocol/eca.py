# SPDX-License-Identifier: Apache-2.0
"""The table of Channel Access status codes.

Law: every status number and its text is stated here and nowhere else.

Theory: a code is `(message number << 3) | severity`; bit 0 set means success. Peers may send any
number: an unknown one keeps its number and gets a text that shows it.
"""

from __future__ import annotations

from typing import Final

ECA_NORMAL: Final = 1
ECA_MAXIOC: Final = 10
ECA_UKNHOST: Final = 18
ECA_UKNSERV: Final = 26
ECA_SOCK: Final = 34
ECA_CONN: Final = 40
ECA_ALLOCMEM: Final = 48
ECA_UKNCHAN: Final = 56
ECA_UKNFIELD: Final = 64
ECA_TOLARGE: Final = 72
ECA_TIMEOUT: Final = 80
ECA_NOSUPPORT: Final = 88
ECA_STRTOBIG: Final = 96
ECA_DISCONNCHID: Final = 106
ECA_BADTYPE: Final = 114
ECA_CHIDNOTFND: Final = 123
ECA_CHIDRETRY: Final = 131
ECA_INTERNAL: Final = 142
ECA_DBLCLFAIL: Final = 144
ECA_GETFAIL: Final = 152
ECA_PUTFAIL: Final = 160
ECA_ADDFAIL: Final = 168
ECA_BADCOUNT: Final = 176
ECA_BADSTR: Final = 186
ECA_DISCONN: Final = 192
ECA_DBLCHNL: Final = 200
ECA_EVDISALLOW: Final = 210
ECA_BUILDGET: Final = 216
ECA_NEEDSFP: Final = 224
ECA_OVEVFAIL: Final = 232
ECA_BADMONID: Final = 242
ECA_NEWADDR: Final = 248
ECA_NEWCONN: Final = 259
ECA_NOCACTX: Final = 264
ECA_DEFUNCT: Final = 278
ECA_EMPTYSTR: Final = 280
ECA_NOREPEATER: Final = 288
ECA_NOCHANMSG: Final = 296
ECA_DLCKREST: Final = 304
ECA_SERVBEHIND: Final = 312
ECA_NOCAST: Final = 320
ECA_BADMASK: Final = 330
ECA_IODONE: Final = 339
ECA_IOINPROGRESS: Final = 347
ECA_BADSYNCGRP: Final = 354
ECA_PUTCBINPROG: Final = 362
ECA_NORDACCESS: Final = 368
ECA_NOWTACCESS: Final = 376
ECA_ANACHRONISM: Final = 386
ECA_NOSEARCHADDR: Final = 392
ECA_NOCONVERT: Final = 400
ECA_BADCHID: Final = 410
ECA_BADFUNCPTR: Final = 418
ECA_ISATTACHED: Final = 424
ECA_UNAVAILINSERV: Final = 432
ECA_CHANDESTROY: Final = 440
ECA_BADPRIORITY: Final = 450
ECA_NOTTHREADED: Final = 458
ECA_16KARRAYCLIENT: Final = 464
ECA_CONNSEQTMO: Final = 472
ECA_UNRESPTMO: Final = 480

SEVERITIES: Final = ("WARNING", "SUCCESS", "ERROR", "INFO", "SEVERE", "?5", "FATAL", "?7")

# What existing programs compare with: the wordings of 1, 80, 152, 160 and 192, and of what a client
# refuses before it sends anything, which are 176, 186, 330 and 376.
_MESSAGES: Final = {
    ECA_NORMAL: "Normal successful completion",
    ECA_MAXIOC: "Too many servers",
    ECA_UKNHOST: "Unknown host",
    ECA_UKNSERV: "Unknown service",
    ECA_SOCK: "Socket could not be made",
    ECA_CONN: "Service could not be reached",
    ECA_ALLOCMEM: "Out of memory",
    ECA_UKNCHAN: "Unknown channel",
    ECA_UKNFIELD: "Unknown field",
    ECA_TOLARGE: "Transfer is larger than the server or client allows",
    ECA_TIMEOUT: "User specified timeout on IO operation expired",
    ECA_NOSUPPORT: "Feature is not supported",
    ECA_STRTOBIG: "String is too long",
    ECA_DISCONNCHID: "Channel is not connected",
    ECA_BADTYPE: "Data type is not valid here",
    ECA_CHIDNOTFND: "Channel was not found",
    ECA_CHIDRETRY: "Channel is still being looked for",
    ECA_INTERNAL: "Internal failure of the peer",
    ECA_DBLCLFAIL: "Deprecated call failed",
    ECA_GETFAIL: "Channel read request failed",
    ECA_PUTFAIL: "Channel write request failed",
    ECA_ADDFAIL: "Channel subscription request failed",
    ECA_BADCOUNT: "Invalid element count requested",
    ECA_BADSTR: "Invalid string",
    ECA_DISCONN: "Virtual circuit disconnect",
    ECA_DBLCHNL: "The same process variable name is served by several servers",
    ECA_EVDISALLOW: "Request is not allowed inside a callback",
    ECA_BUILDGET: "Combined build and get failed",
    ECA_NEEDSFP: "Feature needs floating point",
    ECA_OVEVFAIL: "Subscription failed at the server",
    ECA_BADMONID: "Subscription is unknown",
    ECA_NEWADDR: "Channel was found at a new address",
    ECA_NEWCONN: "Channel was connected anew",
    ECA_NOCACTX: "No client context",
    ECA_DEFUNCT: "Peer uses a protocol version that is no longer served",
    ECA_EMPTYSTR: "String is empty",
    ECA_NOREPEATER: "No beacon repeater answers",
    ECA_NOCHANMSG: "No channel for this message",
    ECA_DLCKREST: "Connection was reset to break a deadlock",
    ECA_SERVBEHIND: "Server is falling behind",
    ECA_NOCAST: "No network for broadcast",
    ECA_BADMASK: "Invalid event selection mask",
    ECA_IODONE: "Request is complete",
    ECA_IOINPROGRESS: "Request is in progress",
    ECA_BADSYNCGRP: "Synchronous group is not valid",
    ECA_PUTCBINPROG: "Put callback timed out",
    ECA_NORDACCESS: "Read access denied",
    ECA_NOWTACCESS: "Write access denied",
    ECA_ANACHRONISM: "Feature was withdrawn",
    ECA_NOSEARCHADDR: "The list of addresses to search is empty",
    ECA_NOCONVERT: "No conversion between these data types",
    ECA_BADCHID: "Channel identifier is not valid",
    ECA_BADFUNCPTR: "Callback is not valid",
    ECA_ISATTACHED: "Thread belongs to a client already",
    ECA_UNAVAILINSERV: "Server does not support this",
    ECA_CHANDESTROY: "Channel was closed by its user",
    ECA_BADPRIORITY: "Priority is outside 0 to 99",
    ECA_NOTTHREADED: "Callbacks need a threaded client",
    ECA_16KARRAYCLIENT: "Client is too old for arrays above 16 kB",
    ECA_CONNSEQTMO: "Connection was given up before it was made",
    ECA_UNRESPTMO: "Virtual circuit unresponsive",
}

_NAMES: Final = {code: name for name, code in list(globals().items()) if name.startswith("ECA_")}


def message(code: int) -> str:
    """Return the text of a status code; an unknown code is shown as a number."""
    return _MESSAGES.get(code) or f"Unknown status code {code}"


def name(code: int) -> str:
    """Return the symbol of a status code, such as "ECA_NORMAL"; `ECA_<number>` when unknown."""
    return _NAMES.get(code) or f"ECA_{code}"


def is_success(code: int) -> bool:
    """Tell whether a status code means success."""
    return bool(code & 1)
