# SPDX-License-Identifier: Apache-2.0
"""Qt for tests: offscreen in this process, real windows under Xvfb in other processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator

import pytest

from tests.support.qt import run_program

pytest.importorskip("qtpy", reason="Qt is not installed")
pytest.importorskip("qtpy.QtWidgets", reason="Qt or a library it needs is not installed")

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="qt-"))


@pytest.fixture(scope="session", autouse=True)
def app():
    """Start Qt once, before any test takes stock of what there is."""
    import cothread

    app = cothread.iqt(argv=["tests"])
    app.setQuitOnLastWindowClosed(False)
    cothread.Sleep(0.05)
    return app


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Make Qt open what it keeps for a while: a list of file types, threads that paint."""
    from qtpy import QtCore, QtGui

    if QtCore.QCoreApplication.instance() is None:
        return
    QtCore.QMimeDatabase().mimeTypeForName("text/plain")
    large = QtGui.QImage(1000, 1000, QtGui.QImage.Format_ARGB32)
    large.fill(0x80808080)
    large.convertToFormat(QtGui.QImage.Format_ARGB32_Premultiplied)


@pytest.fixture
def home(app):
    """Return where Qt lives."""
    from cothread.loops import qt

    return qt._home


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """Start an X server without a screen, and return its DISPLAY."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed: no test with real windows")
    reader, writer = os.pipe()
    server = subprocess.Popen(
        [
            *("Xvfb", "-displayfd", str(writer), "-screen", "0", "1400x1000x24"),
            # It would start anew after each program, and turn the next one away meanwhile.
            *("-nolisten", "tcp", "-noreset"),
        ],
        pass_fds=[writer],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    try:
        with os.fdopen(reader) as numbers:
            number = numbers.readline().strip()
        if not number:
            pytest.skip("Xvfb does not start here: no test with real windows")
        shown = f":{number}"
        trial = run_program(
            "from qtpy.QtWidgets import QApplication; QApplication([])",
            DISPLAY=shown,
            QT_QPA_PLATFORM=None,
        )
        if trial.returncode:
            pytest.skip(f"Qt cannot use X here: {trial.stderr.strip()[:300]}")
        yield shown
    finally:
        server.terminate()
        server.wait(10)
