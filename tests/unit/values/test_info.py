# SPDX-License-Identifier: Apache-2.0
"""What is known about a connection compares by what it says."""

from __future__ import annotations

import pickle

from catools import dbr
from catools.values import ca_info


def test_info_compares_and_travels():
    info = ca_info("PV", ca_info.CONNECTED, "localhost:5064", True, False, 1, dbr.DBR_DOUBLE)
    again = pickle.loads(pickle.dumps(info))
    assert again == info
    assert len({again, info}) == 1
    again.write = True
    assert again != info
    assert info != "PV"
