# SPDX-License-Identifier: Apache-2.0
"""One family of errors; texts begin as programs expect, and each one names its PV."""

from __future__ import annotations

import copy
import inspect
import json
import pickle

import pytest

from catools import errors
from catools.errors import CAException, Disconnected, InvalidDatatype, ca_nothing, success

FAMILY = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, ca_nothing)
]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (1, "x: Normal successful completion"),
        (80, "x: User specified timeout on IO operation expired"),
        (152, "x: Channel read request failed"),
        (160, "x: Channel write request failed"),
        (176, "x: Invalid element count requested"),
        (186, "x: Invalid string"),
        (192, "x: Virtual circuit disconnect"),
        (330, "x: Invalid event selection mask"),
        (376, "x: Write access denied"),
        (9999, "x: Unknown status code 9999"),
    ],
)
def test_texts(code, text):
    assert str(ca_nothing("x", code)) == text
    assert str(ca_nothing("x", code, "why")) == f"{text}; why"
    assert ca_nothing("x", code).message == text.removeprefix("x: ")


def test_success_is_true_and_everything_else_false():
    assert ca_nothing("x")
    assert ca_nothing("x").ok
    assert ca_nothing("x").errorcode == 1
    assert not ca_nothing("x", 80)
    assert not ca_nothing("x", 80).ok


def test_face():
    error = ca_nothing("x", 80, "detail")
    assert repr(error) == "ca_nothing('x', 80)"
    assert error.args == ("x", 80)
    assert f"{error:>60}" == f"{error!s:>60}"
    with pytest.raises(TypeError, match="iteration over non-sequence"):
        iter(error)
    with pytest.raises(TypeError, match="iteration over non-sequence"):
        _a, _b = error
    assert json.loads(json.dumps(error.to_dict())) == {
        "name": "x",
        "ok": False,
        "errorcode": 80,
        "error": "ECA_TIMEOUT",
        "message": "x: User specified timeout on IO operation expired; detail",
    }


@pytest.mark.parametrize("kind", FAMILY)
@pytest.mark.parametrize("clone", [copy.copy, lambda x: pickle.loads(pickle.dumps(x))])
def test_errors_travel(kind, clone):
    error = kind("x", 80, "detail")
    error.elapsed_s = 1.5
    other = clone(error)
    assert type(other) is kind
    assert vars(other) == vars(error)
    assert str(other) == str(error)
    assert "x" in str(error)
    assert "detail" in str(error)


@pytest.mark.parametrize("kind", [kind for kind in FAMILY if kind is not ca_nothing])
def test_local_refusals_are_both(kind):
    assert issubclass(kind, CAException)
    assert issubclass(kind, ca_nothing)


def test_disconnected():
    error = Disconnected("x")
    assert error.errorcode == 192
    assert str(error) == "Channel x disconnected"
    assert str(Disconnected("x", detail="why")) == "Channel x disconnected; why"


def test_bad_arguments_are_no_pv_errors():
    assert not issubclass(InvalidDatatype, ca_nothing)
    assert issubclass(InvalidDatatype, ValueError)


def test_success_is_what_the_constructor_makes():
    for made in (
        success("PV"),
        copy.copy(success("PV")),
        pickle.loads(pickle.dumps(success("PV"))),
    ):
        plain = ca_nothing("PV")
        assert type(made) is ca_nothing
        assert made
        assert (str(made), repr(made), made.args) == (str(plain), repr(plain), plain.args)
        assert made.to_dict() == plain.to_dict()
        assert (made.ok, made.errorcode, made.detail) == (True, plain.errorcode, "")
    made.detail = "changed"
    assert success("PV").detail == ""
