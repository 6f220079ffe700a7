# SPDX-License-Identifier: Apache-2.0
"""Start, watch and stop the demo machine's IOC in a child process."""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, Final

__all__ = ["DemoMachine", "DemoUnavailable", "run_in_foreground"]

READY_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 2.0
PORT_ATTEMPTS = 5
LOOPBACK = "127.0.0.1"
PORTS: Final = range(16_384, 32_768)
"""Where the machine's ports are: where systems choose none for whoever asks for any (Linux begins
at 32,768), so that a machine that is restarted finds them free."""
PROGRAM = Path(__file__).with_name("ioc.py")
INSTALL_HINT = "the demo machine needs epicscorelibs: pip install epicscorelibs"


class DemoUnavailable(RuntimeError):
    """The demo machine cannot run here; the message is one line that says what to do."""


def free_port(among: Sequence[int] = PORTS) -> int:
    """Choose a port of the loopback interface that is free for both TCP and UDP."""
    while True:
        port = random.choice(among)
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        ):
            tcp.bind((LOOPBACK, port))
            udp.bind((LOOPBACK, port))
            return port


def blocking_until_readable(descriptor: int, timeout_s: float) -> bool:
    """Wait for a descriptor and let nothing else run."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(timeout_s * 1000))


class DemoMachine:
    """A small storage ring: EPICS records on a real IOC, on loopback, in a child process.

    The ports are chosen at the first start and kept, so clients find a machine that was stopped,
    or killed, and started again. The child ends with this process however this process ends.

    Args:
        prefix: of every record.
        until_readable: waits for a descriptor, for so many seconds at most, and says whether it
            became readable; a program on the scheduler passes one that suspends.
    """

    def __init__(
        self,
        prefix: str = "DEMO:",
        until_readable: Callable[[int, float], bool] = blocking_until_readable,
    ) -> None:
        self.prefix = prefix
        self.until_readable = until_readable
        self._port = 0
        self._repeater_port = 0
        self._names: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._served_before = False
        self._ready: IO[bytes] | None = None
        # Without a name: it needs no tidying up, not even by a program that was killed.
        self._log: IO[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The IOC's process, None when it does not run."""
        return self._process.pid if self._process is not None and self.running else None

    @property
    def running(self) -> bool:
        """Whether the IOC's process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def port(self) -> int:
        """The Channel Access port, TCP and UDP; 0 before the first start."""
        return self._port

    @property
    def env(self) -> dict[str, str]:
        """What to put into `os.environ` so that a client sees this machine and nothing else."""
        return {
            "EPICS_CA_ADDR_LIST": LOOPBACK,
            "EPICS_CA_AUTO_ADDR_LIST": "NO",
            "EPICS_CA_NAME_SERVERS": "",
            "EPICS_CA_REPEATER_PORT": str(self._repeater_port),
            "EPICS_CA_SERVER_PORT": str(self._port),
        }

    def names(self) -> list[str]:
        """List the records meant for operators, without those of the simulation behind them.

        Returns:
            Sorted names; empty when the machine does not run.
        """
        return sorted(name for name in self._names if not name.startswith(f"{self.prefix}SIM:"))

    def output(self) -> str:
        """Return what the IOC has printed since it was started; empty when it does not run."""
        if self._log is None:
            return ""
        # By position: the child writes at the offset that it shares with this descriptor.
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace")

    def start(self) -> None:
        """Start the IOC and wait until it serves; nothing happens when it runs already.

        Raises:
            DemoUnavailable: epicscorelibs is missing, or the IOC did not come up.
        Suspends: if `until_readable` does; otherwise it blocks.
        """
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start the IOC and go on with other work; `wait` for it when it is needed.

        Raises:
            DemoUnavailable: epicscorelibs is missing.
        """
        if self.running:
            return
        if importlib.util.find_spec("epicscorelibs") is None:
            raise DemoUnavailable(INSTALL_HINT)
        self._spawn()

    def wait(self) -> None:
        """Wait until the launched IOC serves; `env` is final afterwards.

        Raises:
            DemoUnavailable: it did not come up, or another program has its port.
        Suspends: if `until_readable` does; otherwise it blocks.
        """
        attempts = PORT_ATTEMPTS
        while self._ready is not None:
            report = self._report(self._ready)
            if report["port"] == self._port:
                self._served_before = True
                self._names = report["names"]
                self._close_ready()
                # The listening queue answers as soon as the port is reported; this is the proof.
                socket.create_connection((LOOPBACK, self._port), STOP_TIMEOUT_S).close()
                return
            attempts -= 1
            if self._served_before or not attempts:
                self.stop()
                raise DemoUnavailable(f"the demo machine's port {self._port} was taken meanwhile")
            self._spawn()

    def stop(self) -> None:
        """End the IOC; nothing happens when it does not run."""
        atexit.unregister(self.stop)
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._close_ready()
        if self._log is not None:
            self._log.close()
            self._log = None
        self._names = []

    def _spawn(self) -> None:
        """Start the child: on the old ports if clients may know them, otherwise on free ones."""
        self.stop()
        atexit.register(self.stop)
        if not self._served_before:
            self._port, self._repeater_port = free_port(), free_port()
        # The kernel's signal comes when the *thread* that started the child ends.
        main_thread = threading.current_thread() is threading.main_thread()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - stop() closes it
        ready, ready_write = os.pipe()
        self._ready = os.fdopen(ready, "rb")
        try:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-P", str(PROGRAM)),
                    *("--prefix", self.prefix),
                    *("--parent", str(os.getpid())),
                    *(("--by-kernel",) if main_thread else ()),
                    *("--ready-fd", str(ready_write)),
                ],
                stdin=subprocess.PIPE,
                stdout=self._log,
                stderr=self._log,
                pass_fds=[ready_write],
                env=self._server_environment(),
                # Ctrl-C in the terminal goes to the foreground group: not to the machine.
                start_new_session=True,
            )
        finally:
            os.close(ready_write)

    def _close_ready(self) -> None:
        if self._ready is not None:
            self._ready.close()
            self._ready = None

    def _server_environment(self) -> dict[str, str]:
        """Build the child's environment: nobody else's EPICS settings, our ports."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("EPICS_") and name != "PYTHONWARNINGS"
        }
        return inherited | {
            "EPICS_CAS_INTF_ADDR_LIST": LOOPBACK,
            "EPICS_CAS_BEACON_ADDR_LIST": LOOPBACK,
            "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
            "EPICS_CAS_SERVER_PORT": str(self._port),
            "EPICS_CA_REPEATER_PORT": str(self._repeater_port),
        }

    def _report(self, pipe: IO[bytes]) -> dict[str, Any]:
        """Read what the child says once it serves.

        Raises:
            DemoUnavailable: the child ended, or said nothing in time.
        """
        if not self.until_readable(pipe.fileno(), READY_TIMEOUT_S):
            raise self._failure(f"did not come up within {READY_TIMEOUT_S:.0f} s")
        text = pipe.read()
        if not text:
            raise self._failure("ended while starting")
        report: dict[str, Any] = json.loads(text)
        return report

    def _failure(self, what: str) -> DemoUnavailable:
        """Describe a failed start by the last line the IOC wrote, and clean up."""
        lines = self.output().strip().splitlines()
        self.stop()
        return DemoUnavailable(f"the demo machine {what}: {lines[-1] if lines else 'no output'}")


def run_in_foreground(prefix: str = "DEMO:") -> int:
    """Run the machine alone until interrupted, and print how to reach it.

    Args:
        prefix: of every record.
    Returns:
        The exit status.
    """
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: over.set())
    machine = DemoMachine(prefix)
    try:
        machine.start()
    except DemoUnavailable as error:
        print(error, file=sys.stderr)
        return 1
    for name, value in machine.env.items():
        print(f"export {name}={value}")
    print(f"# {len(machine.names())} records; Ctrl-C stops the machine", flush=True)
    while machine.running and not over.wait(1.0):
        pass
    lost = not over.is_set()
    machine.stop()
    if lost:
        print("the demo machine has ended by itself", file=sys.stderr)
    return int(lost)
