# SPDX-License-Identifier: Apache-2.0
"""The settings of the client: EPICS_CA_* from the environment, and the network interfaces.

Law: nothing else in catools reads the environment, the host's name or the list of interfaces. They
are read when a client starts, not when anything is imported.
"""

from __future__ import annotations

import getpass
import os
import socket
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from .protocol.commands import REPEATER_PORT, SERVER_PORT
from .protocol.oversize import UNCOUNTED

__all__ = ["DEFAULTS", "Address", "Config", "read_config"]

Address = tuple[str, int]
"""A host's address as dotted numbers, and a port."""

LOOPBACK: Final = "127.0.0.1"
LOWEST_PORT: Final = 5001
LOWEST_SEARCH_PERIOD_S: Final = 60.0
LOWEST_ARRAY_BYTES: Final = 16384
UNLIMITED_ARRAY_BYTES: Final = 0x40000000
"""What "unlimited" means here: 1 GiB, so that no server can make us wait for more for ever."""

DEFAULTS: Final = {
    "EPICS_CA_ADDR_LIST": "",
    "EPICS_CA_AUTO_ADDR_LIST": "YES",
    "EPICS_CA_NAME_SERVERS": "",
    "EPICS_CA_SERVER_PORT": str(SERVER_PORT),
    "EPICS_CA_REPEATER_PORT": str(REPEATER_PORT),
    "EPICS_CA_CONN_TMO": "30.0",
    "EPICS_CA_MAX_SEARCH_PERIOD": "300.0",
    "EPICS_CA_MAX_ARRAY_BYTES": "16384",
    "EPICS_CA_AUTO_ARRAY_BYTES": "YES",
    "EPICS_CA_MCAST_TTL": "1",
}
"""Every variable a client looks at, and what an unset or empty one means."""


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of one client, and what had to be said about them.

    Attributes:
        addresses: where to search over UDP, as (address, port).
        name_servers: where to search over TCP.
        server_port: for addresses that name no port, and where servers listen that name none.
        repeater_port: where beacons are to be had.
        connection_timeout_s: after so many seconds of silence a server is asked for a sign of life.
        longest_search_period_s: seconds between searches for a name that is long not answered.
        max_payload: bytes of one message, at most.
        multicast_ttl: over how many routers a search sent to a multicast address may go.
        user, host: who we are to servers, which grant rights by it.
        from_environment: the EPICS_CA_* variables that were set, and to what.
        notices: what was wrong with them.
    """

    addresses: tuple[Address, ...] = ()
    name_servers: tuple[Address, ...] = ()
    server_port: int = SERVER_PORT
    repeater_port: int = REPEATER_PORT
    connection_timeout_s: float = 30.0
    longest_search_period_s: float = 300.0
    max_payload: int = UNLIMITED_ARRAY_BYTES
    multicast_ttl: int = 1
    user: str = "nobody"
    host: str = "localhost"
    from_environment: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


def read_config(
    environ: Mapping[str, str] | None = None,
    *,
    broadcasts: Callable[[], list[str]] | None = None,
    resolve: Callable[[str], str] = socket.gethostbyname,
) -> Config:
    """Return the settings that an environment asks for; bad ones are noted and replaced.

    Args:
        environ: by default that of the process.
        broadcasts: gives the addresses that reach the neighbours; by default asks the interfaces.
        resolve: turns a host name into an address, or raises OSError.
    """
    if environ is None:
        environ = os.environ
    reader = _Reader(environ)
    server_port = reader.port("EPICS_CA_SERVER_PORT")
    found: list[Address] = []
    if reader.automatic_addresses():
        neighbours = (broadcasts or interface_broadcasts)()
        found += [(address, server_port) for address in neighbours or [LOOPBACK]]
    listed = reader.addresses("EPICS_CA_ADDR_LIST", server_port, resolve)
    found += [address for address in listed if address not in found]
    unlimited = reader.unlimited_arrays()
    array_bytes = int(reader.number("EPICS_CA_MAX_ARRAY_BYTES", LOWEST_ARRAY_BYTES))
    return Config(
        addresses=tuple(dict.fromkeys(found)),
        name_servers=tuple(reader.addresses("EPICS_CA_NAME_SERVERS", server_port, resolve)),
        server_port=server_port,
        repeater_port=reader.port("EPICS_CA_REPEATER_PORT"),
        connection_timeout_s=reader.number("EPICS_CA_CONN_TMO", 0.1),
        longest_search_period_s=reader.number("EPICS_CA_MAX_SEARCH_PERIOD", LOWEST_SEARCH_PERIOD_S),
        max_payload=UNLIMITED_ARRAY_BYTES if unlimited else array_bytes + UNCOUNTED,
        multicast_ttl=min(255, int(reader.number("EPICS_CA_MCAST_TTL", 1))),
        user=_user_name(),
        host=socket.gethostname(),
        from_environment={name: environ[name] for name in DEFAULTS if environ.get(name)},
        notices=tuple(reader.notices),
    )


class _Reader:
    """Reads variables and collects what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.notices: list[str] = []

    def text(self, name: str) -> str:
        return self._environ.get(name) or DEFAULTS[name]

    def number(self, name: str, least: float) -> float:
        text = self.text(name)
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        default = float(DEFAULTS[name])
        if not value < float("inf"):
            self.notices.append(f"{name}={text!r} is not a number; {default:g} is used")
            return default
        if value < least:
            self.notices.append(f"{name}={text!r} is below {least:g}, which is used")
            return least
        return value

    def port(self, name: str) -> int:
        text, default = self.text(name), int(DEFAULTS[name])
        if text.strip().isdecimal() and LOWEST_PORT <= int(text) <= 0xFFFF:
            return int(text)
        self.notices.append(
            f"{name}={text!r} is not a port from {LOWEST_PORT} to 65535; {default} is used"
        )
        return default

    def automatic_addresses(self) -> bool:
        """Anything in which neither "no" nor "NO" stands means yes to all clients."""
        text = self.text("EPICS_CA_AUTO_ADDR_LIST")
        return self._clear("EPICS_CA_AUTO_ADDR_LIST", "no" not in text and "NO" not in text)

    def unlimited_arrays(self) -> bool:
        """Anything but "yes" means no to all clients."""
        text = self.text("EPICS_CA_AUTO_ARRAY_BYTES")
        return self._clear("EPICS_CA_AUTO_ARRAY_BYTES", text.lower() == "yes")

    def _clear(self, name: str, taken: bool) -> bool:
        word = "YES" if taken else "NO"
        if self.text(name).upper() != word:
            self.notices.append(f"{name}={self.text(name)!r} counts as {word}; write YES or NO")
        return taken

    def addresses(self, name: str, port: int, resolve: Callable[[str], str]) -> list[Address]:
        found: list[Address] = []
        for entry in self.text(name).split():
            try:
                address = parse_address(entry, port, resolve)
            except (ValueError, OSError) as exc:
                self.notices.append(f"{name}: {entry!r} is left out: {exc}")
                continue
            if address in found:
                self.notices.append(f"{name}: {entry!r} is listed twice")
            else:
                found.append(address)
        return found


def parse_address(
    entry: str, default_port: int, resolve: Callable[[str], str] = socket.gethostbyname
) -> Address:
    """Return the address meant by `host`, `host:port`, `a.b.c.d[:port]` or a 32-bit number.

    Raises:
        ValueError: it is none of these.
        OSError: the host name is unknown.
    """
    if entry.count(":") > 1 or "[" in entry:
        raise ValueError("Channel Access has IPv4 addresses only")
    if "," in entry or ";" in entry:
        raise ValueError("blanks go between addresses")
    host, colon, port_text = entry.partition(":")
    port = default_port
    if colon:
        if not port_text.isdecimal() or not 0 < int(port_text) <= 0xFFFF:
            raise ValueError(f"{port_text!r} is not a port")
        port = int(port_text)
    if not host:
        raise ValueError("the host is missing")
    if host.isdecimal():
        if int(host) > 0xFFFFFFFF:
            raise ValueError("the number exceeds 32 bits")
        return socket.inet_ntoa(struct.pack(">I", int(host))), port
    return resolve(host), port


def _user_name() -> str:
    try:
        # Not getpass.getuser(), which believes LOGNAME: access rules must see the true user.
        import pwd
    except ImportError:
        return getpass.getuser()
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


# Linux requests and flags of netdevice(7).
_SIOCGIFFLAGS: Final = 0x8913
_SIOCGIFDSTADDR: Final = 0x8917
_SIOCGIFBRDADDR: Final = 0x8919
_IFF_UP: Final = 0x1
_IFF_BROADCAST: Final = 0x2
_IFF_LOOPBACK: Final = 0x8
_IFF_POINTOPOINT: Final = 0x10


def interface_broadcasts() -> list[str]:
    """Return the addresses that reach the neighbours on each interface that is up.

    Where the system's interface requests are not those of Linux the general broadcast address
    stands for all of them.
    """
    try:
        import fcntl
    except ImportError:
        return ["255.255.255.255"]
    if not hasattr(socket, "AF_NETLINK"):
        return ["255.255.255.255"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:

        def ask(request: int, name: str) -> bytes:
            return fcntl.ioctl(sock, request, struct.pack("16s24x", name.encode()))

        return list(dict.fromkeys(_reachable(socket.if_nameindex(), ask)))


def _reachable(
    interfaces: Iterable[tuple[int, str]], ask: Callable[[int, str], bytes]
) -> Iterable[str]:
    for _, name in interfaces:
        try:
            (flags,) = struct.unpack_from("H", ask(_SIOCGIFFLAGS, name), 16)
            if not flags & _IFF_UP or flags & _IFF_LOOPBACK:
                continue
            if flags & _IFF_BROADCAST:
                address = socket.inet_ntoa(ask(_SIOCGIFBRDADDR, name)[20:24])
            elif flags & _IFF_POINTOPOINT:
                address = socket.inet_ntoa(ask(_SIOCGIFDSTADDR, name)[20:24])
            else:
                continue
        except OSError:
            # An interface without an IPv4 address, or one that has just gone.
            continue
        if address != "0.0.0.0":
            yield address
