# SPDX-License-Identifier: Apache-2.0
"""What remains of finding libca, which nothing here needs: the name of this kind of host."""

from __future__ import annotations

import os
import platform
import sys

__all__ = ["epics_host_arch"]

_SYSTEMS = {"linux": "linux", "darwin": "darwin", "win32": "windows", "cygwin": "cygwin"}
_MACHINES = {"AMD64": "x86_64", "x64": "x86_64", "i386": "x86", "i686": "x86", "arm64": "aarch64"}


def _host_arch() -> str:
    system = _SYSTEMS.get(sys.platform, sys.platform)
    if system == "darwin":
        return "darwin-aarch64" if platform.machine() == "arm64" else "darwin-x86"
    machine = platform.machine()
    name = _MACHINES.get(machine, machine)
    return (
        f"windows-{'x64' if name == 'x86_64' else name}"
        if system == "windows"
        else (f"{system}-{name}")
    )


epics_host_arch = os.environ.get("EPICS_HOST_ARCH") or _host_arch()
"""As EPICS names it, such as "linux-x86_64"."""
