# SPDX-License-Identifier: Apache-2.0
"""A real EPICS IOC in a child process, on loopback, with ports and a prefix of its own.

    with Ioc('record(ao, "$(P)X") {field(VAL, "1.5") field(PINI, "YES")}') as ioc:
        os.environ.update(ioc.env)
        caget(ioc.name("X"))

The child ends with this process, however this process ends: its input is a pipe from here.
"""

from __future__ import annotations

import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

from catools.protocol.framing import datagram_version, search_frame
from catools.protocol.search import search_replies
from coshell.demo import machine
from coshell.demo.machine import LOOPBACK

__all__ = ["LOOPBACK", "Ioc", "free_port"]

CHILD = Path(__file__).with_name("ioc_child.py")
START_S = 60.0
STOP_S = 5.0
WORKERS = 8
"""How many processes may run tests at once before two of them choose from the same ports."""


_given: set[int] = set()


def free_port() -> int:
    """Choose a free port that nobody else is given, though its server may be away for a while."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    mine = machine.PORTS[worker % WORKERS :: WORKERS]
    port = machine.free_port([port for port in mine if port not in _given])
    _given.add(port)
    return port


class Ioc:
    """One IOC serving the records of a database text, in which `$(P)` is its random prefix.

    Args:
        db: the database.
        acf: an access security file, if any.
        port: of an earlier IOC whose place this one takes; by default a free one.
        prefix: by default a random one.
        settings: additional environment of the child, such as EPICS_CA_MAX_ARRAY_BYTES.
    """

    def __init__(
        self,
        db: str,
        *,
        acf: str = "",
        port: int = 0,
        prefix: str = "",
        settings: dict[str, str] | None = None,
    ) -> None:
        self.db = db
        self.acf = acf
        self.port = port or free_port()
        self.repeater_port = free_port()
        self.prefix = prefix or f"T{secrets.token_hex(3)}:"
        self.settings = settings or {}
        self._directory = tempfile.TemporaryDirectory(prefix="ioc-")
        self._process: subprocess.Popen[bytes] | None = None

    def name(self, record: str) -> str:
        """Return the full name of a record."""
        return self.prefix + record

    @property
    def env(self) -> dict[str, str]:
        """What a client needs in its environment to see this IOC and nothing else."""
        return {
            "EPICS_CA_ADDR_LIST": f"{LOOPBACK}:{self.port}",
            "EPICS_CA_AUTO_ADDR_LIST": "NO",
            "EPICS_CA_SERVER_PORT": str(self.port),
            "EPICS_CA_REPEATER_PORT": str(self.repeater_port),
            "EPICS_CA_NAME_SERVERS": "",
        }

    @property
    def address(self) -> tuple[str, int]:
        """Where the IOC listens."""
        return LOOPBACK, self.port

    @property
    def pid(self) -> int:
        """The process; only while it runs."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """Everything the IOC has printed."""
        path = Path(self._directory.name, "log")
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> Ioc:
        """Start the IOC and wait until it answers."""
        assert self._process is None, "it runs already"
        directory = Path(self._directory.name)
        ready = 'record(bo, "$(P)READY") {}'
        (directory / "test.db").write_text(f"{self.db}\n{ready}\n")
        access = ""
        if self.acf:
            access = str(directory / "test.acf")
            Path(access).write_text(self.acf)
        database, macros = str(directory / "test.db"), f"P={self.prefix}"
        command = [sys.executable, str(CHILD), database, macros, access]
        with (directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                env={**os.environ, **self._server_env(), **self.settings},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait_until_it_answers()
        return self

    def _server_env(self) -> dict[str, str]:
        return {
            **self.env,
            "EPICS_CA_ADDR_LIST": LOOPBACK,
            "EPICS_CAS_SERVER_PORT": str(self.port),
            "EPICS_CAS_INTF_ADDR_LIST": LOOPBACK,
            "EPICS_CAS_BEACON_ADDR_LIST": LOOPBACK,
            "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
            "EPICS_CAS_BEACON_PORT": str(self.repeater_port),
        }

    def _wait_until_it_answers(self) -> None:
        process = self._process
        assert process is not None
        question = datagram_version(1) + search_frame(1, self.name("READY").encode())
        deadline = time.monotonic() + START_S
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((LOOPBACK, 0))
            while time.monotonic() < deadline and process.poll() is None:
                sock.sendto(question, self.address)
                if not select.select([sock], [], [], 0.02)[0]:
                    continue
                replies = search_replies(sock.recv(65536), LOOPBACK)
                assert [reply[2] for reply in replies] == [self.port], "its port was taken"
                return
        log = self.log
        self.kill()
        self.close()
        raise AssertionError(f"the IOC did not come up:\n{log}")

    def command(self, line: str) -> None:
        """Type a line into the IOC's shell."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def stop(self) -> None:
        """End the IOC in good order. Harmless when it does not run."""
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._process = None

    def kill(self) -> None:
        """Crash the IOC. Harmless when it does not run."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            assert process.stdin is not None
            process.stdin.close()

    def freeze(self) -> None:
        """Make the IOC stand still with all its connections open."""
        os.kill(self.pid, signal.SIGSTOP)
        # The signal is on its way only; its threads may still answer for a moment.
        os.waitpid(self.pid, os.WUNTRACED)

    def thaw(self) -> None:
        """Let the IOC go on after `freeze`."""
        os.kill(self.pid, signal.SIGCONT)

    def restart(self, db: str | None = None) -> None:
        """Crash the IOC and start it again on the same port, with another database if given."""
        self.kill()
        if db is not None:
            self.db = db
        self.start()

    def close(self) -> None:
        """End the IOC, frozen or not, and remove its files."""
        if self._process is not None:
            self.thaw()
        self.stop()
        self._directory.cleanup()

    def __enter__(self) -> Ioc:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
