# SPDX-License-Identifier: Apache-2.0
"""Names other projects import, from where they import them."""

from __future__ import annotations

import subprocess
import sys

import pytest

import catools
import cothread.cadef
import cothread.catools
import cothread.dbr
import cothread.load_ca
import cothread.pv
from catools import values

FUNCTIONS = {"caput", "caget", "camonitor", "connect", "cainfo"}
CONSTANTS = {
    "DBR_STRING": 0,
    "DBR_SHORT": 1,
    "DBR_FLOAT": 2,
    "DBR_ENUM": 3,
    "DBR_CHAR": 4,
    "DBR_LONG": 5,
    "DBR_DOUBLE": 6,
    "DBR_CHAR_STR": 999,
    "DBR_ENUM_STR": 996,
    "DBR_CHAR_BYTES": 997,
    "DBR_PUT_ACKT": 35,
    "DBR_PUT_ACKS": 36,
    "DBR_STSACK_STRING": 37,
    "DBR_CLASS_NAME": 38,
    "FORMAT_RAW": 0,
    "FORMAT_TIME": 1,
    "FORMAT_CTRL": 2,
    "DBE_VALUE": 1,
    "DBE_LOG": 2,
    "DBE_ALARM": 4,
    "DBE_PROPERTY": 8,
}


def star(module):
    names: dict[str, object] = {}
    exec(f"from {module} import *", names)
    del names["__builtins__"]
    return names


def test_star_import_gives_the_historic_names_and_no_others():
    names = star("cothread.catools")
    assert set(names) == FUNCTIONS | set(CONSTANTS) | {"ca_extra_fields"}
    assert {name: names[name] for name in CONSTANTS} == CONSTANTS
    assert "ca_nothing" not in cothread.catools.__all__


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("cothread.dbr", {n for n in CONSTANTS if n[:2] != "DB" or n[2] == "R"}),
        ("cothread.cadef", {n for n in CONSTANTS if n.startswith("DBE_")}),
        ("cothread.pv", {"PV", "PV_array"}),
    ],
)
def test_other_star_imports(module, names):
    assert set(star(module)) - {"ca_extra_fields"} == names


def test_names_that_are_imported_one_by_one():
    from cothread.cadef import CAException, Disconnected
    from cothread.catools import ca_info, ca_nothing
    from cothread.dbr import InvalidDatatype, ca_array, ca_float

    assert ca_nothing is catools.ca_nothing
    assert ca_info is catools.ca_info
    assert CAException is catools.CAException
    assert Disconnected is catools.Disconnected
    assert InvalidDatatype is catools.InvalidDatatype
    assert ca_array is values.ca_array
    assert ca_float is catools.ca_float


def test_the_two_paths_lead_to_the_same_things():
    for name in FUNCTIONS | set(CONSTANTS):
        assert getattr(cothread.catools, name) is getattr(catools, name)


def test_channel_cache_can_be_purged():
    cothread.catools._channel_cache.purge()


def test_constants_of_the_old_modules():
    assert cothread.dbr.EPICS_epoch == 631152000
    assert cothread.dbr.BasicDbrTypes == {0, 1, 2, 3, 4, 5, 6}
    assert cothread.dbr.DBR_TIME_DOUBLE == 20
    assert cothread.dbr.DBR_CTRL_ENUM == 31
    sizes = ["MAX_STRING_SIZE", "MAX_UNITS_SIZE", "MAX_ENUM_STATES", "MAX_ENUM_STRING_SIZE"]
    assert [getattr(cothread.dbr, name) for name in sizes] == [40, 8, 16, 26]
    states = ["cs_never_conn", "cs_prev_conn", "cs_conn", "cs_closed"]
    assert [getattr(cothread.cadef, name) for name in states] == [0, 1, 2, 3]
    assert (cothread.cadef.ECA_NORMAL, cothread.cadef.ECA_TIMEOUT) == (1, 80)
    assert cothread.cadef.ECA_DISCONN == 192
    assert cothread.cadef.ca_message(80) == "User specified timeout on IO operation expired"


def test_names_that_do_not_exist_say_so():
    for module in (cothread.catools, cothread.dbr, cothread.cadef):
        with pytest.raises(AttributeError, match="no attribute"):
            module.no_such_name  # noqa: B018
    with pytest.raises(AttributeError, match="no libca"):
        cothread.cadef.libca  # noqa: B018


def test_host_architecture():
    system, _, machine = cothread.load_ca.epics_host_arch.partition("-")
    assert system
    assert machine
    if sys.platform == "linux" and "EPICS_HOST_ARCH" not in __import__("os").environ:
        assert system == "linux"


def test_old_paths_load_no_numpy():
    program = """
import sys
from cothread.catools import *
from cothread.pv import PV
import cothread.dbr, cothread.cadef, cothread.load_ca
assert "numpy" not in sys.modules, "numpy"
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
