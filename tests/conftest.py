# SPDX-License-Identifier: Apache-2.0
"""Every test leaves the process as it found it: no cothread, timer, descriptor, thread or child.

What a fixture of wider scope holds was there before the test and may stay; what the scheduler
itself needs (its poll object and wake sockets) comes with its first use and stays for good.
"""

from __future__ import annotations

import contextlib
import ctypes  # noqa: F401  # libffi may keep itself open from then on, whichever test loads it
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "coshell",
    # How long an example takes says more of the machine than of us.
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    # Who runs all tests wants to know about his change; who runs some may be the first to find.
    derandomize="PYTEST_XDIST_WORKER" in os.environ,
)
settings.load_profile("coshell")

SETTLE_S = 5.0
LONG = (
    "compat/test_qt_bindings",
    "unit/values/test_typing",
    "terminal/",
    "interop/",
    "reliability/",
    "ioc/",
    "faults/",
    "unit/values/test_properties",
    "unit/test_packaging",
    "",
)
"""Where the files stand that take longest, in the order in which several workers take them."""
OWN_FD = Path("/proc/self/fd")


def pytest_configure(config: pytest.Config) -> None:
    """Register the one marker, and let Ctrl-C be what the tests take it for."""
    config.addinivalue_line("markers", "leaks(reason): the test leaves something behind on purpose")
    # A shell ignores both for what it runs in the background, and whoever is started from there
    # would do so too.
    for number, usual in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGQUIT, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have workers begin with what takes long, so that none is waited for at the end.

    Qt stays in a process once it was started there, so nothing else is tested after it.
    """
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: next(n for n, part in enumerate(LONG) if part in item.nodeid))
    items.sort(key=lambda item: "/qt/" in item.nodeid)


def scheduler() -> Any:
    """Return the scheduler if it has been started, without being the one who imports it."""
    module = sys.modules.get("cothread.scheduler")
    return module.scheduler if module is not None and module.scheduler.started else None


def cothreads() -> set[Any]:
    """Return the cothreads that have not ended."""
    return set(sys.modules["cothread.tasks"].Spawn.Cothreads) if scheduler() else set()


def timers() -> set[Any]:
    """Return the alarms that are still armed."""
    running = scheduler()
    return (
        {alarm for _, _, alarm in running.timers if alarm.target is not None} if running else set()
    )


def descriptors() -> set[tuple[int, str]]:
    """Return the open descriptors and what they are, without the scheduler's own."""
    if not OWN_FD.exists():
        return set()
    running = scheduler()
    own = set()
    if running:
        poller = running.poller
        own = {poller.fileno(), poller.wake_fd.fileno(), poller.wake_fileno()}
    found = set()
    for name in os.listdir(OWN_FD):
        with contextlib.suppress(FileNotFoundError):
            found.add((int(name), os.readlink(OWN_FD / name)))
    return {(fd, target) for fd, target in found if fd not in own}


def children() -> set[int]:
    """Return the processes this one has started and not yet buried."""
    files = list(Path("/proc/self/task").glob("*/children"))
    if files:
        found: set[int] = set()
        for file in files:
            # A thread may end meanwhile; pytest's faulthandler_timeout is one, in every test.
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found.update(map(int, file.read_text().split()))
        return found
    return {child.pid for child in psutil.Process().children()}


@dataclass(frozen=True)
class Holdings:
    """What the process holds at one moment."""

    cothreads: set[Any]
    timers: set[Any]
    descriptors: set[tuple[int, str]]
    threads: set[threading.Thread]
    children: set[int]

    @classmethod
    def now(cls) -> Holdings:
        """Take stock."""
        return cls(cothreads(), timers(), descriptors(), set(threading.enumerate()), children())

    def leaked_since(self, before: Holdings) -> dict[str, set[Any]]:
        """Return what there is now and was not before, by kind."""
        return {
            kind: new for kind, held in vars(self).items() if (new := held - getattr(before, kind))
        }


def let_things_end() -> None:
    """Give what is about to end the chance to do so."""
    running = scheduler()
    # With a test's fake clock in place a cooperative sleep would never end.
    if running and abs(running.clock() - time.monotonic()) < 1.0:
        sys.modules["cothread"].Sleep(0.01)
    else:
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def leaves_nothing_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaks, and say what."""
    before = Holdings.now()
    yield
    if request.node.get_closest_marker("leaks"):
        return
    deadline = time.monotonic() + SETTLE_S
    while leaked := Holdings.now().leaked_since(before):
        if time.monotonic() > deadline:
            pytest.fail(f"the test left behind: {leaked}")
        let_things_end()


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Keep the collector out, so that only references free anything."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()
