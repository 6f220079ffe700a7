# SPDX-License-Identifier: Apache-2.0
"""EPICS_CA_* as documented, with an environment, interfaces and a resolver of the tests' own."""

from __future__ import annotations

import pytest

from catools.config import Config, interface_broadcasts, parse_address, read_config


def resolve(host: str) -> str:
    known = {"ioc1": "10.0.0.1", "10.0.0.7": "10.0.0.7", "127.0.0.1": "127.0.0.1"}
    if host not in known:
        raise OSError(f"{host} is unknown")
    return known[host]


def config(neighbours: tuple[str, ...] = ("10.0.0.255",), **environ: str) -> Config:
    full = {f"EPICS_CA_{name}": value for name, value in environ.items()}
    return read_config(full, broadcasts=lambda: list(neighbours), resolve=resolve)


def test_defaults() -> None:
    read = config()
    assert read.addresses == (("10.0.0.255", 5064),)
    assert (read.server_port, read.repeater_port) == (5064, 5065)
    assert (read.connection_timeout_s, read.longest_search_period_s) == (30.0, 300.0)
    assert read.max_payload > 1 << 29
    assert read.notices == ()
    assert read.from_environment == {}


def test_without_neighbours_the_loopback_is_searched() -> None:
    assert config(neighbours=()).addresses == (("127.0.0.1", 5064),)


@pytest.mark.parametrize(
    ("value", "automatic"),
    [("YES", True), ("NO", False), ("no", False), ("No", True), ("", True), ("know", False)],
)
def test_automatic_list_is_off_only_for_the_known_spellings(value: str, automatic: bool) -> None:
    assert bool(config(AUTO_ADDR_LIST=value).addresses) is automatic


def test_address_list() -> None:
    read = config(
        AUTO_ADDR_LIST="NO",
        SERVER_PORT="6064",
        ADDR_LIST=" ioc1\t10.0.0.7:7064\r\n167772161:8064  ioc1 ",
    )
    assert read.addresses == (("10.0.0.1", 6064), ("10.0.0.7", 7064), ("10.0.0.1", 8064))
    assert len(read.notices) == 1
    assert "listed twice" in read.notices[0]


def test_automatic_addresses_come_first_and_only_once() -> None:
    read = config(("10.0.0.1", "10.0.0.2"), ADDR_LIST="ioc1 10.0.0.7")
    assert [host for host, _ in read.addresses] == ["10.0.0.1", "10.0.0.2", "10.0.0.7"]


def test_bad_entries_are_noted_and_left_out() -> None:
    read = config(AUTO_ADDR_LIST="NO", ADDR_LIST="nowhere ioc1:port 99999999999 :5064 10.0.0.7")
    assert read.addresses == (("10.0.0.7", 5064),)
    assert len(read.notices) == 4


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("::1", "IPv4 addresses only"),
        ("[::1]:5064", "IPv4 addresses only"),
        ("10.0.0.7,10.0.0.8", "blanks go between addresses"),
        ("10.0.0.7:5064;10.0.0.8", "blanks go between addresses"),
    ],
)
def test_usual_mistakes_are_named(entry: str, reason: str) -> None:
    (notice,) = config(AUTO_ADDR_LIST="NO", ADDR_LIST=entry).notices
    assert entry in notice
    assert reason in notice


def test_words_that_count_as_something_else_are_noted() -> None:
    assert "'No' counts as YES" in config(AUTO_ADDR_LIST="No").notices[0]
    assert "'true' counts as NO" in config(AUTO_ARRAY_BYTES="true").notices[0]
    for word in ("YES", "NO", "yes", "no", ""):
        assert config(AUTO_ADDR_LIST=word, AUTO_ARRAY_BYTES=word).notices == ()


@pytest.mark.parametrize("port", ["5000", "80", "65536", "port", "-1", "5064.0"])
def test_impossible_ports(port: str) -> None:
    read = config(SERVER_PORT=port, REPEATER_PORT=port)
    assert (read.server_port, read.repeater_port) == (5064, 5065)
    assert len(read.notices) == 2


def test_numbers() -> None:
    read = config(CONN_TMO="2.5", MAX_SEARCH_PERIOD="10", MCAST_TTL="900")
    assert read.connection_timeout_s == 2.5
    assert read.longest_search_period_s == 60.0
    assert read.multicast_ttl == 255
    assert config(CONN_TMO="soon").connection_timeout_s == 30.0
    assert config(CONN_TMO="inf").connection_timeout_s == 30.0
    assert config(CONN_TMO="nan").connection_timeout_s == 30.0


def test_array_bytes() -> None:
    assert config(AUTO_ARRAY_BYTES="Yes").max_payload > 1 << 29
    limited = config(AUTO_ARRAY_BYTES="NO", MAX_ARRAY_BYTES="20000")
    assert limited.max_payload == 20024
    assert config(AUTO_ARRAY_BYTES="off").max_payload == 16384 + 24


def test_name_servers() -> None:
    read = config(NAME_SERVERS="ioc1 10.0.0.7:7064")
    assert read.name_servers == (("10.0.0.1", 5064), ("10.0.0.7", 7064))


def test_parse_address() -> None:
    assert parse_address("ioc1", 5064, resolve) == ("10.0.0.1", 5064)
    with pytest.raises(ValueError, match="port"):
        parse_address("ioc1:0", 5064, resolve)
    with pytest.raises(OSError, match="unknown"):
        parse_address("nowhere", 5064, resolve)


def test_the_true_user_and_host_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import os
    import pwd
    import socket

    monkeypatch.setenv("LOGNAME", "somebody_else")
    monkeypatch.setenv("USER", "somebody_else")
    read = config()
    assert read.user == pwd.getpwuid(os.getuid()).pw_name
    assert read.host == socket.gethostname()


def test_interfaces_of_this_machine_give_addresses() -> None:
    for address in interface_broadcasts():
        assert len(address.split(".")) == 4
