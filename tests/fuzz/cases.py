# SPDX-License-Identifier: Apache-2.0
"""The kinds of cases. Each takes a `Random` of its own and returns how many messages it made."""

from __future__ import annotations

from random import Random

from catools.conversion import Request, requests_of
from catools.protocol import commands as c
from catools.protocol.beacons import Beacons, Hint, beacons_in
from catools.protocol.circuit import Circuit, CircuitSettings
from catools.protocol.framing import FrameReader, ProtocolError, frame, search_frame
from catools.protocol.records import Created
from catools.protocol.search import Search, search_replies

from . import mutate
from . import server_side as server
from .circuits import Attack, decode_one

ROUNDS = 3
SIZES = (0, 1, 8, 12, 16, 24, 80, 424)
DATATYPES = (None, None, None, str, bytes, float, int, bool, "i2", "f4", 37, 38, 996, 997, 999)


class Bystander:
    """A circuit to a good server: it must not notice what happens to the others."""

    def __init__(self) -> None:
        self.circuit = Circuit(CircuitSettings(), 0.0)
        channel = self.circuit.create(1, b"GOOD", "channel")
        greeting = (
            frame(c.VERSION, count=13)
            + frame(c.ACCESS_RIGHTS, p1=1, p2=3)
            + frame(c.CREATE_CHAN, dtype=6, count=1, p1=1, p2=7)
        )
        assert Created([channel]) in self.circuit.receive(greeting, 0.0)
        self.channel = channel
        self.subscription = self.circuit.subscribe(channel, 6, 0, 5, self)
        self.circuit.take_output()

    def check(self, number: int) -> None:
        """Read once and take one update."""
        circuit = self.circuit
        ident = circuit.read(self.channel, 6, 0, self, number)
        payload = number.to_bytes(8, "big")
        answer = frame(c.READ_NOTIFY, payload, dtype=6, count=1, p1=1, p2=ident) + frame(
            c.EVENT_ADD, payload, dtype=6, count=1, p1=1, p2=self.subscription.ident
        )
        assert circuit.receive(answer, 1.0) == [(self, number, 1, payload), (self, 0, 1, payload)]
        circuit.take_output()


def attack_circuit(random: Random) -> int:
    """Send a busy circuit what a good server would, made bad."""
    attack = Attack(random)
    sent = 0
    for _ in range(ROUNDS):
        messages = mutate.sequence(random, attack.good_answers())
        sent += len(messages)
        for piece in mutate.chunks(random, b"".join(messages)):
            attack.receive(piece)
            if random.random() < 0.1 and not attack.faulted:
                attack.act()
        if attack.faulted:
            break
        for _ in range(random.randrange(3)):
            attack.act()
            if attack.faulted:
                break
    attack.finish()
    return sent


def noise_on_circuit(random: Random) -> int:
    """Send a busy circuit something that was never Channel Access."""
    attack = Attack(random)
    attack.receive(random.randbytes(random.choice((1, 15, 16, 100, 3000))))
    attack.finish()
    return 1


def answer_searches(random: Random) -> int:
    """Give the search policy datagrams of search replies, and use what it makes of them."""
    search = Search()
    wanted = random.randint(1, 40)
    for cid in range(wanted):
        search.add(cid, b"PV%d" % cid, 0.0, urgent=random.random() < 0.2)
    now = 0.0
    made = 0
    for _ in range(4):
        search.due(now)
        good = [
            server.search_reply(random, random.randrange(wanted + 2))
            for _ in range(random.randint(1, 6))
        ]
        messages = mutate.sequence(random, good)
        data = server.datagram(random, messages)
        if random.random() < 0.2:
            data = mutate.message(random, data)
        made += len(messages) + 1
        for cids, address, port, version in search_replies(data, "127.0.0.1"):
            assert 1024 <= port <= 0xFFFF
            assert 0 <= version <= 0xFFFF
            assert 0 < int(address.partition(".")[0]) < 224
            for cid in cids:
                assert 0 <= cid <= 0xFFFFFFFF
                search.answered(cid, now)
        now += random.choice((0.0, 0.04, 1.0))
        if random.random() < 0.2:
            search.lost([(1000 + made, b"LOST")], now)
    assert len(search) <= wanted + 4
    deadline = search.deadline()
    assert deadline is None or deadline < now + 400
    return made


def hear_beacons(random: Random) -> int:
    """Give the memory for beacons datagrams of them."""
    beacons = Beacons(0.0)
    now = 0.0
    counter = random.getrandbits(32)
    made = 0
    for _ in range(6):
        counter += random.choice((0, 1, 1, 2, 100, -1))
        good = [server.beacon(random, counter & 0xFFFFFFFF) for _ in range(random.randint(1, 3))]
        messages = mutate.sequence(random, good)
        made += len(messages)
        for beacon in beacons_in(server.datagram(random, messages), "127.0.0.1"):
            assert isinstance(beacons.heard(beacon, now), Hint)
        now += random.choice((0.0, 0.02, 15.0, -1.0))
    return made


def decode_garbage(random: Random) -> int:
    """Decode payloads that have nothing to do with the request."""
    name = random.choice(("PV", "PV", "PV.DESC$"))
    request = _any_request(random, name)
    for _ in range(10):
        count = random.choice((0, 1, 1, 2, 10, 0xFFFF, 0xFFFFFFFF))
        payload: bytes | memoryview = random.randbytes(
            random.choice((0, 1, 8, 12, 16, 24, 80, 424))
        )
        decode_one(request, memoryview(payload) if random.random() < 0.3 else payload, count)
    return 10


def _any_request(random: Random, name: str) -> Request:
    return requests_of(name, random.randrange(7), random.choice((1, 1, 10, 0, 0xFFFFFFFF)))[
        random.choice(
            (None, None, str, bytes, float, int, bool, "i2", "f4", 37, 38, 996, 997, 999)
        ),
        random.choice((0, 1, 2)),
        random.choice((0, 1, -1, 5)),
    ]


def serve(random: Random) -> int:
    """Send the scripted server's reader what a client would, made bad."""
    good = [
        search_frame(1, b"PV"),
        frame(c.VERSION, count=13),
        frame(c.CREATE_CHAN, b"PV\0", p1=1, p2=13),
        frame(c.READ_NOTIFY, dtype=6, count=1, p1=1, p2=1),
        frame(c.WRITE, bytes(8), dtype=6, count=1, p1=1, p2=1),
    ]
    messages = mutate.sequence(random, good)
    reader = FrameReader(max_payload=1 << 20)
    try:
        for piece in mutate.chunks(random, b"".join(messages)):
            reader.feed(piece)
    except ProtocolError:
        pass
    return len(messages)


KINDS = {
    "circuit": attack_circuit,
    "noise": noise_on_circuit,
    "search": answer_searches,
    "beacon": hear_beacons,
    "decode": decode_garbage,
    "server": serve,
}
SHARES = ("circuit",) * 12 + ("search",) * 2 + ("noise", "beacon", "decode", "server")
