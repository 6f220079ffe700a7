# SPDX-License-Identifier: Apache-2.0
"""One circuit under attack, and the books that say how each of its requests must end.

Law: whatever comes, each read and each put ends exactly once, what was taken back never ends,
nothing comes for a subscription that has ended, and after a Fault nothing comes at all.
"""

from __future__ import annotations

from random import Random
from typing import Any

from catools.conversion import Request, RunReader, requests_of
from catools.errors import ca_nothing
from catools.protocol import commands as c
from catools.protocol.circuit import Circuit, CircuitSettings, RequestRefused
from catools.protocol.dbr import DBR_TYPES
from catools.protocol.framing import EXTENDED_SIZE, frame
from catools.protocol.records import (
    ChannelState,
    CircuitChannel,
    Fault,
    Item,
    ReadFailed,
    SubscriptionFailed,
    WriteDone,
    WriteRefused,
    WritesDone,
)
from catools.protocol.runs import Run, payloads

from . import server_side as server

MAX_PAYLOAD = 1 << 20
FORMATS = (0, 1, 2)
DATATYPES = (None, None, None, str, float, int, "i2", 999, 996)
KINDS = tuple(object() for _ in DBR_TYPES)
"""Of updates that may come as runs, but are read one by one."""


class Books:
    """One request or subscription: what it may still give, and how to read it."""

    __slots__ = ("ended", "open", "request")

    def __init__(self, request: Request | None) -> None:
        self.request = request
        self.ended = 0
        self.open = True


class Attack:
    """A circuit in the middle of its work, and a server that has gone bad."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.now = 0.0
        self.circuit = Circuit(CircuitSettings(max_payload=MAX_PAYLOAD), 0.0)
        self.channels: list[CircuitChannel] = []
        self.reads: list[tuple[int, int, int, Books]] = []
        self.puts: list[tuple[Any, Books]] = []
        self.subscriptions: list[tuple[Any, Books]] = []
        self.faulted = False
        self.values = 0
        self._set_up()

    # The good part of its life

    def _set_up(self) -> None:
        random, circuit = self.random, self.circuit
        if random.random() < 0.8:
            circuit.receive(frame(c.VERSION, count=random.choice((13, 13, 13, 11, 4, 1))), 0.0)
        for cid in range(1, random.randint(2, 5)):
            channel = circuit.create(cid, b"PV", cid)
            self.channels.append(channel)
            if random.random() < 0.85:
                dtype = random.randrange(7)
                count = random.choice((1, 1, 10))
                circuit.receive(
                    frame(c.ACCESS_RIGHTS, p1=cid, p2=3)
                    + frame(c.CREATE_CHAN, dtype=dtype, count=count, p1=cid, p2=cid + 100),
                    0.0,
                )
        for _ in range(random.randint(2, 12)):
            self.act()
        circuit.take_output()

    def _request(self, channel: CircuitChannel) -> Request:
        random = self.random
        return requests_of("PV", channel.native_type, channel.native_count)[
            random.choice(DATATYPES), random.choice(FORMATS), random.choice((0, 0, 1, -1))
        ]

    def act(self) -> None:
        """Do something that a client does."""
        random, circuit = self.random, self.circuit
        channel = random.choice(self.channels)
        try:
            random.choice(self.ACTIONS)(self, circuit, channel)
        except RequestRefused:
            pass

    def _read(self, circuit: Circuit, channel: CircuitChannel) -> None:
        request = self._request(channel)
        books = Books(request)
        ident = circuit.read(channel, request.dbr, request.count, _Token(self, books))
        self.reads.append((ident, request.dbr, max(1, channel.native_count % 100), books))

    def _read_many(self, circuit: Circuit, channel: CircuitChannel) -> None:
        request = self._request(channel)
        books = Books(request)
        token = _Token(self, books)
        before = set(circuit.reads)
        refused = circuit.read_many([(channel, request.dbr, request.count, 0)], token)
        books.open = not refused
        for ident in circuit.reads.keys() - before:
            self.reads.append((ident, request.dbr, 1, books))

    def _put(self, circuit: Circuit, channel: CircuitChannel) -> None:
        notify = self.random.random() < 0.8
        books = Books(None)
        put = circuit.write(
            channel, 6, 1, bytes(8), notify=notify, token=_Token(self, books, notify)
        )
        self.puts.append((put, books))

    def _subscribe(self, circuit: Circuit, channel: CircuitChannel) -> None:
        request = self._request(channel)
        books = Books(request)
        kind = self.random.choice((None, request.run, KINDS[request.dbr]))
        token = _Token(self, books)
        sub = circuit.subscribe(channel, request.dbr, request.count, 5, token, kind)
        self.subscriptions.append((sub, books))

    def _unsubscribe(self, circuit: Circuit, _channel: CircuitChannel) -> None:
        if self.subscriptions:
            sub, books = self.random.choice(self.subscriptions)
            circuit.unsubscribe(sub)
            books.open = False

    def _withdraw(self, circuit: Circuit, _channel: CircuitChannel) -> None:
        if self.puts:
            put, books = self.random.choice(self.puts)
            if circuit.withdraw(put):
                books.open = False

    def _abandon(self, circuit: Circuit, _channel: CircuitChannel) -> None:
        if self.reads:
            ident, _, _, books = self.random.choice(self.reads)
            entry = circuit.reads.get(ident)
            if entry is not None:
                circuit.abandon_all(entry[0])
                books.open = False

    def _clear(self, circuit: Circuit, channel: CircuitChannel) -> None:
        if self.random.random() < 0.2:
            self.take([*circuit.clear(channel)])
            for sub, books in self.subscriptions:
                if sub.channel is channel:
                    books.open = False

    def _tick(self, circuit: Circuit, _channel: CircuitChannel) -> None:
        self.now += self.random.choice((0.0, 0.1, 6.0))
        self.take(circuit.tick(self.now))

    def _probe(self, circuit: Circuit, _channel: CircuitChannel) -> None:
        circuit.probe(self.now)

    ACTIONS = (
        _read,
        _read,
        _read_many,
        _put,
        _put,
        _subscribe,
        _subscribe,
        _unsubscribe,
        _withdraw,
        _abandon,
        _clear,
        _tick,
        _probe,
    )

    # The attack

    def good_answers(self) -> list[bytes]:
        """Return what a server that means well would send now."""
        random = self.random
        answers = [server.reading(random, i, dbr, n) for i, dbr, n, _ in self.reads]
        answers += [server.written(random, put.ident) for put, _ in self.puts]
        for sub, _ in self.subscriptions:
            elements = max(1, sub.channel.native_count % 100)
            update = server.update(random, sub.ident, sub.dbr, elements)
            answers.append(update * random.choice((1, 1, 1, 30)))
        for channel in self.channels:
            kind = random.random()
            if kind < 0.2:
                answers.append(server.created(random, channel.cid, channel.cid + 100))
            elif kind < 0.5:
                answers.append(server.rare(random, channel.cid, channel.cid + 100))
        for _ in range(random.choice((0, 0, 1, 3))):
            command = random.choice((c.EVENT_ADD, c.READ_NOTIFY, c.WRITE, c.WRITE_NOTIFY, 2, 99))
            idents = [read[0] for read in self.reads] + [put.ident for put, _ in self.puts]
            idents += [sub.ident for sub, _ in self.subscriptions]
            answers.append(server.complaint(random, command, random.choice(idents or [1])))
        random.shuffle(answers)
        return answers or [frame(c.ECHO)]

    def receive(self, data: bytes) -> None:
        """Give the circuit bytes, and check what it makes of them."""
        self.now += 0.001
        sent_before = self.circuit.outgoing_size
        self.take(self.circuit.receive(data, self.now))
        held = sum(map(len, self.circuit._pieces))
        assert held <= MAX_PAYLOAD + EXTENDED_SIZE, f"{held} bytes kept"
        # At most every message received makes one CLEAR_CHANNEL, or sends one waiting put.
        most = 64 * (len(data) // 16 + 1 + len(self.puts)) + held
        assert self.circuit.outgoing_size - sent_before <= most, "more came out than went in"

    def take(self, results: list[Item]) -> None:
        """Check results as the client would use them."""
        assert not (self.faulted and results), "results after a fault"
        for item in results:
            if isinstance(item, tuple):
                item[0].value(item)
            elif isinstance(item, Run):
                take_run(item)
            elif isinstance(item, ReadFailed | WriteDone | WriteRefused):
                item.token.finished(item.detail)
            elif isinstance(item, WritesDone):
                for _ in item.indexes:
                    item.token.finished("")
            elif isinstance(item, SubscriptionFailed):
                item.token.still_open(item.detail)
            elif isinstance(item, Fault):
                self.faulted = True

    def finish(self) -> None:
        """End the circuit and balance the books."""
        circuit = self.circuit
        if not self.faulted:
            self.take([*circuit.disconnected("the end")])
        for ident, _, _, books in self.reads:
            assert books.ended == books.open, f"read {ident} ended {books.ended} times"
        for put, books in self.puts:
            if put.notify:
                assert books.ended == books.open, f"put {put.ident} ended {books.ended} times"
            else:
                assert books.ended <= 1, f"write {put.ident} was refused {books.ended} times"
        rest = (circuit.reads, circuit.puts, circuit.subscriptions, circuit.cancelling)
        assert not any(rest), f"left behind: {rest}"
        assert all(channel.state is ChannelState.GONE for channel in circuit.channels.values())
        assert circuit.receive(frame(c.ECHO), self.now) == []
        assert circuit.tick(self.now + 1000) == []


class _Token:
    """What the circuit gives back with each result."""

    __slots__ = ("_attack", "_books", "_notify")

    def __init__(self, attack: Attack, books: Books, notify: bool = True) -> None:
        self._attack = attack
        self._books = books
        self._notify = notify

    def value(self, item: tuple[Any, int, int, Any]) -> None:
        """Take a value of a read or a subscription, and decode it."""
        books = self._books
        assert books.open, "a value for what was taken back"
        self._attack.values += 1
        request = books.request
        assert request is not None
        decode_one(request, item[3], item[2])
        books.ended += 1

    def finished(self, detail: str) -> None:
        """Take the end of a request."""
        assert self._books.open or not self._notify, "an end for what was taken back"
        assert isinstance(detail, str)
        self._books.ended += 1

    def still_open(self, detail: str) -> None:
        """Take a failure of a subscription that goes on."""
        assert self._books.open, "a failure for a subscription that was closed"
        assert isinstance(detail, str)


def take_run(run: Run) -> None:
    """Take updates that came in a run, one by one and then together."""
    for token, (payload,) in zip(run.tokens, payloads(run.messages), strict=True):
        token.value((token, 0, 1, payload))
    if isinstance(run.kind, RunReader):
        listeners = [_Listener() for _ in run.tokens]
        run.kind.deliver(run.kind.fields(listeners, run.messages))
        assert all(listener.called == 1 for listener in listeners)


class _Listener:
    """Who is called back with an update of a run."""

    name, closed, index = "PV", False, None

    def __init__(self) -> None:
        self.only = self
        self.called = 0

    def callback(self, value: Any) -> None:
        assert value.ok
        str(value)
        self.called += 1

    def failed(self, exc: BaseException) -> None:
        raise exc


def decode_one(request: Request, payload: Any, count: int) -> None:
    """Decode as the client does: a value that can be shown, or an error that can be told."""
    try:
        value = request.decode("PV", payload, count)
    except ca_nothing as error:
        str(error)
        return
    assert value.ok
    assert value.name
    str(value)
    if request.dbr == 38:
        return
    row = DBR_TYPES[request.dbr]
    if row.group and row.group < 5:
        assert isinstance(value.severity, int)
