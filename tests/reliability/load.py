# SPDX-License-Identifier: Apache-2.0
"""Subscriptions and puts on an IOC that keeps crashing, with books on how each of them fares."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import cothread
from catools import ca_nothing, caget, camonitor, caput
from catools.protocol.eca import ECA_DISCONN, ECA_TIMEOUT
from cothread.clock import monotonic
from tests.support.ioc import Ioc
from tests.support.waiting import wait_until

PUTTERS = 6
PATIENCE_S = 60.0
PUTS_BETWEEN = 300
ALLOWED = {ECA_DISCONN, ECA_TIMEOUT}


def numbers(count: int) -> str:
    """Return a database of `count` numbers, each with its own index for a value."""
    return "".join(
        f'record(ao, "$(P){index}") {{ field(VAL, "{index}") field(PINI, "YES") }}\n'
        for index in range(count)
    )


@dataclass
class PutBooks:
    """How the puts ended."""

    issued: int = 0
    succeeded: int = 0
    failed: int = 0
    promised: int = 0
    called_back: int = 0
    wrong: list[str] = field(default_factory=list)

    def ended(self, name: str, result: ca_nothing) -> None:
        """Take the end of a put."""
        if result.ok:
            self.succeeded += 1
        else:
            self.failed += 1
            if result.errorcode not in ALLOWED or name not in str(result):
                self.wrong.append(f"{name}: {result!r}")
        if result.name != name:
            self.wrong.append(f"{name}: the result is for {result.name}")


class Load:
    """Many subscriptions and several putters; `close` ends them all."""

    def __init__(self, ioc: Ioc, subscriptions: int) -> None:
        self.ioc = ioc
        self.names = [ioc.name(str(index)) for index in range(subscriptions)]
        self.values: dict[int, Any] = {}
        self.losses = [0] * subscriptions
        self.returns = [0] * subscriptions
        self.puts = PutBooks()
        self.going = True
        self.delays: list[float] = []
        self.monitors = camonitor(self.names, self._take, notify_disconnect=True)
        wait_until(lambda: len(self.values) == subscriptions, "all first values", PATIENCE_S)
        self.putters = [
            cothread.Spawn(self._put, number, raise_on_wait=True) for number in range(PUTTERS)
        ]

    def _take(self, value: Any, index: int) -> None:
        last = self.values.get(index)
        if not value.ok:
            self.losses[index] += 1
        elif last is not None and not last.ok:
            self.returns[index] += 1
        self.values[index] = value

    def _put(self, number: int) -> None:
        """Put as fast as the IOC answers, each putter into names of its own."""
        books = self.puts
        mine = self.names[number::PUTTERS]
        round = 0
        while self.going:
            name = mine[round % len(mine)]
            round += 1
            books.issued += 1
            mode = number % 3
            if mode == 0:
                books.ended(name, caput(name, round, wait=True, timeout=2, throw=False))
            elif mode == 1:
                called: list[ca_nothing] = []

                def back(result: ca_nothing, name: str = name, called: list[Any] = called) -> None:
                    books.called_back += 1
                    called.append(result)
                    if len(called) > 1:
                        books.wrong.append(f"{name}: called back {len(called)} times")
                    books.ended(name, result)

                sent = caput(name, round, callback=back, timeout=2, throw=False)
                if sent.ok:
                    books.promised += 1
                else:
                    books.ended(name, sent)
            else:
                books.ended(name, caput(name, round, timeout=2, throw=False))
            cothread.Sleep(0.002)

    @property
    def all_good(self) -> bool:
        """True while every subscription shows a value."""
        return all(value.ok for value in self.values.values())

    def crash(self) -> None:
        """Kill the IOC and start it again; every subscription must resume by itself."""
        enough = self.puts.succeeded + PUTS_BETWEEN
        wait_until(lambda: self.puts.succeeded >= enough, "puts go through", PATIENCE_S)
        expected = [count + 1 for count in self.losses]
        self.ioc.kill()
        wait_until(lambda: self.losses == expected, "each is told once", PATIENCE_S)
        # The putters go on while the IOC comes up.
        self._start_ioc()
        back = monotonic()
        wait_until(lambda: self.all_good, "all values are back", PATIENCE_S)
        self.delays.append(monotonic() - back)
        assert self.losses == expected
        assert self.returns == expected

    def _start_ioc(self) -> None:
        starting = cothread.Event[None]()

        def begin() -> None:
            self.ioc.start()
            cothread.Callback(starting.Signal)

        thread = threading.Thread(target=begin)
        thread.start()
        starting.Wait(PATIENCE_S)
        thread.join()

    def settle(self) -> None:
        """Stop putting; then what the subscriptions show must be what the IOC has."""
        self.going = False
        for putter in self.putters:
            putter.Wait(PATIENCE_S)
        books = self.puts
        wait_until(lambda: books.called_back == books.promised, "all put callbacks", PATIENCE_S)
        assert not books.wrong, books.wrong[:10]
        assert books.succeeded + books.failed == books.issued
        truth = caget(self.names, timeout=PATIENCE_S)
        wait_until(
            lambda: [self.values[index] for index in range(len(truth))] == truth,
            "the subscriptions show the last values",
            PATIENCE_S,
        )

    def close(self) -> None:
        """End everything."""
        self.going = False
        for putter in self.putters:
            putter.Wait(PATIENCE_S)
        for monitor in self.monitors:
            monitor.close()
