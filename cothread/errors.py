# SPDX-License-Identifier: Apache-2.0
"""What can go wrong in the scheduler, named by whose fault it is."""

from __future__ import annotations

__all__ = ["Cancelled", "CothreadError", "WasCancelled", "WrongThread"]


class CothreadError(RuntimeError, AssertionError):
    """The library was used in a way that cannot work: the caller is at fault.

    Also an AssertionError, because that is what programs written for cothread 2 catch.
    """


class WrongThread(CothreadError):
    """A cothread function was called from an ordinary thread."""

    def __init__(self, what: str = "cothread function") -> None:
        super().__init__(
            f"Cannot call into cothread from another thread ({what}).  "
            "Consider using Callback or CallbackResult."
        )


class Cancelled(BaseException):
    """Raised inside a cothread, at its suspension point, when somebody cancels it.

    Not an Exception, so that `except Exception` does not swallow it.
    """


class WasCancelled(CothreadError):
    """Raised by waiting for a cothread that was cancelled before it had a result."""
