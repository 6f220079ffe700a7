# SPDX-License-Identifier: Apache-2.0
"""A Channel Access server that shares no code with EPICS base, run by the peers' interpreter.

python caproto_server.py PREFIX
"""

from __future__ import annotations

import sys

from caproto import ChannelType
from caproto.server import PVGroup, pvproperty, run


class Group(PVGroup):
    """One PV of each type."""

    DOUBLE = pvproperty(
        value=1.5,
        units="mA",
        precision=3,
        upper_disp_limit=10.0,
        lower_disp_limit=-10.0,
        upper_ctrl_limit=9.0,
        lower_ctrl_limit=-9.0,
        upper_alarm_limit=8.0,
        lower_alarm_limit=-8.0,
        upper_warning_limit=7.0,
        lower_warning_limit=-7.0,
    )
    FLOAT = pvproperty(value=2.5, dtype=ChannelType.FLOAT)
    LONG = pvproperty(value=-7, units="n", dtype=ChannelType.LONG)
    SHORT = pvproperty(value=-8, dtype=ChannelType.INT)
    ENUM = pvproperty(value="On", enum_strings=["Off", "On"], dtype=ChannelType.ENUM)
    STRING = pvproperty(value="hello", dtype=ChannelType.STRING)
    TEXT = pvproperty(value="a long text", dtype=ChannelType.CHAR, max_length=100)
    WAVE = pvproperty(value=[1.0, 2.5, 3.0], max_length=10)
    LONGS = pvproperty(value=[1, -2, 3], dtype=ChannelType.LONG, max_length=10)


if __name__ == "__main__":
    run(Group(prefix=sys.argv[1]).pvdb, interfaces=["127.0.0.1"])
