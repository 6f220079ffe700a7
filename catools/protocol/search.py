# SPDX-License-Identifier: Apache-2.0
"""When to search for which channel: names and `now` in; datagrams and the next deadline out.

Theory: a name that nobody answers is asked for again after 0.03 s, then after twice that, up to
the longest period. Names waiting equally long stand in one queue, those sent together in one turn
of it, so the next due time is found by looking at queue heads and 100,000 missing names cost
nothing between their turns.

Two classes share the wire. *Ordinary* names are paced like TCP: so many may be unanswered at a
time; answers open that window, silence halves it. *Urgent* names (somebody waits for them, or they
probe for a lost server) go out at once; there are few of them by construction.

Channels lost together with their server form a group. Some of them probe every half second for
some minutes; the first answer sends all the others out at once. So the cost of a dead server does
not grow with the number of its channels, and neither does the time to notice its return.

Invariants: a name has exactly one turn, and where an earlier one still lists it, it is passed over;
within one queue, due times never fall.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from struct import Struct
from typing import Final

from .commands import (
    DO_REPLY,
    DONT_REPLY,
    MAX_DATAGRAM,
    SAME_ADDRESS,
    SEARCH,
    SERVER_PORT,
    SINCE_ADDRESS_IN_SEARCH_REPLY,
    SINCE_PORT_IN_SEARCH_REPLY,
    VERSION,
)
from .framing import HEADER_SIZE, datagram_frames, datagram_version, search_frame

FIRST_PERIOD_S: Final = 0.03
BOOST_STEP: Final = 5
"""Names brought forward go on from here: about 1 s, then 2 s, 4 s and so on."""
PROBE_STEP: Final = 4
"""Names that probe for a lost server stay at about 0.5 s ..."""
GROUP_STEP: Final = 8
"""... and their companions at about 8 s ..."""
LOST_FOR_S: Final = 300.0
"""... for this long after the loss."""
PROBES: Final = 24
"""Names that probe for one lost server: about one datagram."""

ANSWER_WITHIN_S: Final = 0.1
WINDOW_START: Final = 512
WINDOW_LEAST: Final = 256
WINDOW_MOST: Final = 2048
"""Names; about 80 datagrams, which the default receive buffer of a Linux server still holds."""
URGENT_BURST: Final = 64
"""Datagrams of urgent names per turn."""


class Group:
    """Channels that were lost with one server."""

    __slots__ = ("lost_at", "members")

    def __init__(self, lost_at: float) -> None:
        self.lost_at = lost_at
        self.members: dict[int, Name] = {}


class Name:
    """One name being looked for."""

    __slots__ = ("burst", "cid", "frame", "group", "step", "tries", "turn", "urgent")

    cid: int
    frame: bytes
    step: int
    urgent: bool
    tries: int
    turn: Turn | None
    group: Group | None
    burst: Burst | None


def _name(cid: int, name: bytes, step: int, urgent: bool) -> Name:
    # Ten thousand of them are made at once, and an __init__ would cost as much as this.
    entry = Name()
    entry.cid = cid
    entry.frame = search_frame(cid, name)
    entry.step = step
    entry.urgent = urgent
    entry.tries = 0
    entry.turn = None
    entry.group = None
    entry.burst = None
    return entry


class Burst:
    """Ordinary names sent together, and how many of them were answered."""

    __slots__ = ("answered", "given_up", "sent", "sent_at")

    def __init__(self, sent_at: float) -> None:
        self.given_up = False
        self.sent_at = sent_at
        self.sent = 0
        self.answered = 0


class Turn:
    """Names that are due at one time."""

    __slots__ = ("due", "names")

    def __init__(self, due: float) -> None:
        self.due = due
        self.names: list[Name] = []


Lane = deque[Turn]


class Search:
    """The search policy of one client."""

    def __init__(self, longest_period_s: float = 300.0) -> None:
        self._periods = _periods(longest_period_s)
        self._names: dict[int, Name] = {}
        self._urgent: list[Lane] = [deque() for _ in range(len(self._periods) + 1)]
        self._ordinary: list[Lane] = [deque() for _ in range(len(self._periods) + 1)]
        self._bursts: deque[Burst] = deque()
        self._window = WINDOW_START
        self._unanswered = 0
        self._sequence = 0
        self.datagrams = 0

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, cid: int) -> bool:
        return cid in self._names

    def tries(self, cid: int) -> int:
        """Return how often a name was asked for; 0 when it is not being looked for."""
        name = self._names.get(cid)
        return name.tries if name else 0

    def add(
        self, cid: int, name: bytes, now: float, *, urgent: bool = False, penalty: int = -1
    ) -> None:
        """Begin to look for a name.

        Args:
            urgent: somebody is waiting for this very name; not for long lists.
            penalty: how often in a row the name was found in vain; from 0 on, the first search
                waits 1 s, 2 s, 4 s ... so that a name no server can really serve stays cheap.
        """
        if penalty < 0:
            self._names[cid] = entry = _name(cid, name, 0, urgent)
            self._queue_now(entry, now)
            return
        step = min(BOOST_STEP + penalty, len(self._periods) - 1)
        self._names[cid] = entry = _name(cid, name, step, urgent=False)
        self._queue(entry, now)

    def add_many(self, names: Iterable[tuple[int, bytes]], now: float, *, urgent: bool) -> None:
        """Begin to look for many names, none of which was found in vain before."""
        known = self._names
        turn = Turn(now)
        append = turn.names.append
        for cid, name in names:
            known[cid] = entry = _name(cid, name, 0, urgent)
            entry.turn = turn
            append(entry)
        if turn.names:
            (self._urgent if urgent else self._ordinary)[-1].append(turn)

    def lost(self, names: Iterable[tuple[int, bytes]], now: float) -> None:
        """Look again for channels that were lost together."""
        group = Group(now)
        for cid, name in names:
            self._names[cid] = entry = _name(cid, name, 0, len(group.members) < PROBES)
            entry.group = group
            group.members[cid] = entry
            self._queue_now(entry, now)

    def remove(self, cid: int, now: float) -> None:
        """Stop looking for a name that nobody wants any more."""
        entry = self._names.pop(cid, None)
        if entry is None:
            return
        entry.turn = None
        group = entry.group
        if group is not None:
            group.members.pop(cid, None)
            if entry.urgent:
                self._promote(group, now)

    def answered(self, cid: int, now: float) -> bool:
        """Take a name off because it was found; True when it was being looked for."""
        entry = self._names.pop(cid, None)
        if entry is None:
            return False
        entry.turn = None
        burst = entry.burst
        if burst is not None and not burst.given_up:
            burst.answered += 1
            self._unanswered -= 1
            if self._window < WINDOW_MOST:
                self._window += 1
        group = entry.group
        if group is not None:
            del group.members[cid]
            self._release(group, now)
        return True

    def hurry(self, cid: int, now: float) -> None:
        """Search at once for a name that somebody has just asked for."""
        entry = self._names.get(cid)
        if entry is not None and entry.step > 0:
            entry.step = 0
            entry.urgent = True
            self._queue_now(entry, now)

    def boost(self, now: float) -> None:
        """Search soon for everything that has been searched for long: something has changed."""
        waiting = self._ordinary[-1]
        if waiting:
            # The previous boost is still being worked off, in the same order.
            return
        for lanes in (self._ordinary, self._urgent):
            for lane in lanes[BOOST_STEP : len(self._periods)]:
                for turn in lane:
                    for entry in turn.names:
                        if entry.turn is turn:
                            entry.step = BOOST_STEP
                            self._queue_now(entry, now)
                lane.clear()

    def deadline(self) -> float | None:
        """Return when `due` has something to do again; None when nothing is being looked for."""
        earliest: float | None = None
        for lanes in (self._urgent, self._ordinary):
            if lanes is self._ordinary and self._unanswered >= self._window:
                # The window is shut until an answer comes or the oldest burst is given up.
                opens = self._bursts[0].sent_at + ANSWER_WITHIN_S
                return opens if earliest is None else min(earliest, opens)
            for lane in lanes:
                _pass_over(lane)
                if lane and (earliest is None or lane[0].due < earliest):
                    earliest = lane[0].due
        return earliest

    def due(self, now: float) -> list[bytes]:
        """Return the datagrams to send now, each complete with its VERSION."""
        self._give_up_bursts(now)
        names = self._take(self._urgent, now, URGENT_BURST * (MAX_DATAGRAM // 32))
        for entry in names:
            entry.burst = None
        room = self._window - self._unanswered
        if room > 0:
            ordinary = self._take(self._ordinary, now, room)
            if ordinary:
                burst = Burst(now)
                burst.sent = len(ordinary)
                for entry in ordinary:
                    if entry.burst is not None and not entry.burst.given_up:
                        # Asked for again before the earlier burst was given up: count it once.
                        entry.burst.sent -= 1
                        self._unanswered -= 1
                    entry.burst = burst
                self._unanswered += len(ordinary)
                self._bursts.append(burst)
                names += ordinary
        self._queue_again(names, now)
        return self._datagrams(names)

    def _queue_again(self, names: list[Name], now: float) -> None:
        """Queue names that are being sent for the next time."""
        periods = self._periods
        # Below this a name goes on to the next step, of whatever kind it is.
        simple = min(PROBE_STEP, len(periods) - 1)
        for entry in names:
            step = entry.step
            lanes = self._urgent if entry.urgent else self._ordinary
            entry.tries += 1
            _enter(entry, lanes[step], now + periods[step])
            entry.step = step + 1 if step < simple else self._next_step(entry, now)

    def _take(self, lanes: list[Lane], now: float, most: int) -> list[Name]:
        taken: list[Name] = []
        # What is due at once stands in the last lane; then the shorter periods come first.
        for lane in (lanes[-1], *lanes[:-1]):
            while lane and len(taken) < most and lane[0].due <= now:
                turn = lane[0]
                room = most - len(taken)
                taken += [entry for entry in turn.names[:room] if entry.turn is turn]
                del turn.names[:room]
                if not turn.names:
                    lane.popleft()
        return taken

    def _datagrams(self, names: list[Name]) -> list[bytes]:
        result: list[bytes] = []
        pieces: list[bytes] = []
        size = HEADER_SIZE
        for entry in names:
            if pieces and size + len(entry.frame) > MAX_DATAGRAM:
                result.append(self._datagram(pieces))
                pieces = []
                size = HEADER_SIZE
            pieces.append(entry.frame)
            size += len(entry.frame)
        if pieces:
            result.append(self._datagram(pieces))
        self.datagrams += len(result)
        return result

    def _datagram(self, pieces: list[bytes]) -> bytes:
        self._sequence += 1
        return datagram_version(self._sequence) + b"".join(pieces)

    def _queue_now(self, entry: Name, now: float) -> None:
        lanes = self._urgent if entry.urgent else self._ordinary
        _enter(entry, lanes[-1], now)

    def _queue(self, entry: Name, now: float) -> None:
        lanes = self._urgent if entry.urgent else self._ordinary
        _enter(entry, lanes[entry.step], now + self._periods[entry.step])

    def _next_step(self, entry: Name, now: float) -> int:
        step = min(entry.step + 1, len(self._periods) - 1)
        group = entry.group
        if group is not None and now < group.lost_at + LOST_FOR_S:
            return min(step, PROBE_STEP if entry.urgent else GROUP_STEP)
        if step >= BOOST_STEP:
            # Whoever asked for it in a hurry has had about a second of undivided attention.
            entry.urgent = False
        return step

    def _release(self, group: Group, now: float) -> None:
        """Search for all of a group: one of its members has just been found."""
        members = list(group.members.values())
        group.members.clear()
        for entry in members:
            entry.group = None
            entry.step = 0
            entry.urgent = False
            self._queue_now(entry, now)

    def _promote(self, group: Group, now: float) -> None:
        for entry in group.members.values():
            if not entry.urgent:
                entry.urgent = True
                entry.step = min(entry.step, PROBE_STEP)
                self._queue_now(entry, now)
                return

    def _give_up_bursts(self, now: float) -> None:
        bursts = self._bursts
        while bursts and bursts[0].sent_at + ANSWER_WITHIN_S <= now:
            burst = bursts.popleft()
            burst.given_up = True
            self._unanswered -= burst.sent - burst.answered
            if burst.answered * 2 < burst.sent:
                self._window = max(WINDOW_LEAST, self._window // 2)


def _enter(entry: Name, lane: Lane, due: float) -> None:
    """Give a name its turn; an earlier one is void from now on."""
    if not lane or lane[-1].due != due:
        lane.append(Turn(due))
    turn = lane[-1]
    if entry.turn is not turn:
        entry.turn = turn
        turn.names.append(entry)


def _pass_over(lane: Lane) -> None:
    """Drop what is void from the front of a queue."""
    while lane:
        turn = lane[0]
        valid = (place for place, entry in enumerate(turn.names) if entry.turn is turn)
        first = next(valid, None)
        if first is not None:
            del turn.names[:first]
            return
        lane.popleft()


def _periods(longest: float) -> tuple[float, ...]:
    periods = [FIRST_PERIOD_S]
    while periods[-1] * 2 < longest:
        periods.append(periods[-1] * 2)
    return (*periods, longest)


def server_address(number: int) -> str | None:
    """Return an IPv4 address from its number, or None when no server can live there."""
    first = number >> 24
    if first == 0 or first >= 224:
        return None
    return f"{first}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


Reply = tuple[tuple[int, ...], str, int, int]
"""(cids, address, port, minor revision of whoever answered; 0 when unknown)"""

_ALIKE: Final = Struct(">12sI8s")
"""Replies differ in the identifier only when one server sends them."""
_ALIKE_START: Final = SEARCH.to_bytes(2, "big") + (8).to_bytes(2, "big")
_VERSION_START: Final = VERSION.to_bytes(2, "big") + bytes(2)


def search_replies(data: bytes, source: str, default_port: int = SERVER_PORT) -> list[Reply]:
    """Return what a datagram says about where channels are.

    Requests reflected back to us, impossible addresses and impossible ports are left out; the
    sequence number is not looked at, since servers stamp replies with somebody else's.
    """
    replies: list[Reply] = []
    alike = _alike(data)
    if alike:
        data = data[: HEADER_SIZE + _ALIKE.size]
    for command, dtype, count, p1, cid, payload in datagram_frames(data):
        if command != SEARCH or (dtype in (DONT_REPLY, DO_REPLY) and count):
            continue
        version = int.from_bytes(payload[:2], "big") if len(payload) >= 4 else 0
        here = p1 == SAME_ADDRESS or version < SINCE_ADDRESS_IN_SEARCH_REPLY
        address = source if here else server_address(p1)
        port = dtype if version >= SINCE_PORT_IN_SEARCH_REPLY or dtype else default_port
        if address is None or port < 1024:
            continue
        replies.append((alike or (cid,), address, port, version))
    return replies


def _alike(data: bytes) -> tuple[int, ...]:
    """Return the identifiers in a datagram of nothing but replies that are otherwise the same."""
    replies, rest = divmod(len(data) - HEADER_SIZE, _ALIKE.size)
    if replies < 1 or rest or not data.startswith(_VERSION_START):
        return ()
    starts, cids, ends = zip(*_ALIKE.iter_unpack(memoryview(data)[HEADER_SIZE:]), strict=True)
    same = starts.count(starts[0]) == ends.count(ends[0]) == replies
    return cids if same and starts[0].startswith(_ALIKE_START) else ()
