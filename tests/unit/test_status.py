# SPDX-License-Identifier: Apache-2.0
"""What is counted as a PV in the status line, and which names are worth remembering."""

from types import SimpleNamespace

import pytest

from catools.client import default
from coshell.session import Session
from coshell.status import SEARCHING_S, Connections

CONNECTED = SimpleNamespace(record=object(), disconnected_at=None, wanted=True)
LOST = SimpleNamespace(record=None, disconnected_at=1.0, wanted=True)
SEARCHED = SimpleNamespace(record=None, disconnected_at=None, wanted=True)
MISTYPED = SimpleNamespace(record=None, disconnected_at=None, wanted=False)


@pytest.mark.parametrize(
    ("channels", "text", "refresh_s"),
    [
        ([], "", None),
        ([MISTYPED], "", SEARCHING_S),
        ([CONNECTED], "1 PV", None),
        ([CONNECTED, MISTYPED], "1 PV", SEARCHING_S),
        ([CONNECTED, SEARCHED, MISTYPED], "2 PVs · 1 searching", SEARCHING_S),
        ([CONNECTED, LOST], "2 PVs · 1 disconnected", SEARCHING_S),
        ([LOST, SEARCHED, SEARCHED], "3 PVs · 1 disconnected · 2 searching", SEARCHING_S),
    ],
)
def test_connections(channels, text, refresh_s):
    client = SimpleNamespace(channels=dict(enumerate(channels)))
    field = Connections(lambda: client)
    assert field() == text
    assert field.refresh_s == refresh_s


def test_only_names_that_were_found_are_offered_and_kept(monkeypatch):
    channels = {"UP": CONNECTED, "DOWN": LOST, "MISSING": SEARCHED, "TYPO": MISTYPED}
    monkeypatch.setattr(default, "running", lambda: SimpleNamespace(channels=channels))
    session = Session()
    assert session.used() == ["UP", "DOWN"]
    assert session.known() == ["UP", "DOWN"]
