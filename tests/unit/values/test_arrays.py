# SPDX-License-Identifier: Apache-2.0
"""Arrays: views and copies are still the PV's value, computed things are plain."""

from __future__ import annotations

import pickle
import struct
from operator import iadd, imul

import numpy as np
import pytest

from catools import dbr
from catools.conversion import message_memory, requests_of
from catools.values import ca_array


@pytest.fixture
def value():
    asked = requests_of("PV", dbr.DBR_DOUBLE, 10)[None, dbr.FORMAT_TIME, 0]
    return asked.decode("PV", struct.pack(">hhII4x4d", 3, 2, 1, 0, 4, 1, 3, 2), 4)


@pytest.mark.parametrize(
    "keep",
    [
        lambda a: a[:2],
        lambda a: a[::-1],
        lambda a: a[[0, 2]],
        lambda a: a[a > 1],
        lambda a: a.copy(),
        lambda a: a.reshape(2, 2),
        lambda a: a.astype(int),
        lambda a: a.view(),
        lambda a: a.T,
        lambda a: np.sort(a),
        lambda a: np.array(a, copy=True, subok=True),
    ],
)
def test_views_and_copies_keep_the_attributes(value, keep):
    kept = keep(value)
    assert type(kept) is ca_array
    assert vars(kept) == vars(value)
    assert vars(kept) is not vars(value)


@pytest.mark.parametrize(
    "compute",
    [
        lambda a: a + 1,
        lambda a: 1 - a,
        lambda a: -a,
        lambda a: +a,
        lambda a: a == a,
        lambda a: a @ a,
        lambda a: a**2,
        np.sin,
        np.mean,
        np.cumsum,
        np.diff,
        np.abs,
        lambda a: a.sum(),
        lambda a: a.max(),
        lambda a: a.clip(0, 1),
        lambda a: np.add.reduce(a),
        lambda a: np.concatenate([a, a]),
        lambda a: np.where(a > 1, a, 0),
        lambda a: np.linalg.norm(a),
        lambda a: np.fft.fft(a),
        lambda a: np.interp(a, [0, 5], [0, 1]),
        lambda a: np.stack([a, a]),
        lambda a: np.outer(a, a),
        np.zeros_like,
        np.ones_like,
        lambda a: np.full_like(a, 2),
        np.gradient,
        np.argsort,
        lambda a: np.argpartition(a, 2),
        lambda a: np.correlate(a, a),
        lambda a: np.convolve(a, a),
        lambda a: a.argsort(),
        lambda a: a.argpartition(2),
        lambda a: a.dot(a.reshape(4, 1)),
        lambda a: a.searchsorted([1, 2]),
        lambda a: a.reshape(2, 2).trace(),
        lambda a: a.reshape(2, 2).argmax(axis=0),
        lambda a: np.asarray(a),
        lambda a: a[0],
        lambda a: a.tolist()[0],
    ],
)
def test_computed_things_are_plain(value, compute):
    computed = compute(value)
    assert not isinstance(computed, ca_array)
    assert np.array_equal(computed, compute(np.array(value)))


def test_what_has_no_values_yet_is_plain(value):
    computed = np.empty_like(value)
    assert not isinstance(computed, ca_array)
    assert (computed.shape, computed.dtype) == (value.shape, value.dtype)


@pytest.mark.parametrize("operation", [iadd, imul])
def test_in_place_operations_stay_in_place(value, operation):
    before = vars(value).copy()
    result = operation(value, 2)
    assert result is value
    assert vars(value) == before


def test_output_arguments(value):
    out = value.copy()
    assert np.multiply(value, 2, out=out) is out
    assert out.tolist() == [8, 2, 6, 4]
    first, second = value.copy(), value.copy()
    results = np.divmod(value, 2, out=(first, second))
    assert results[0] is first
    assert results[1] is second
    assert first.tolist() == [2, 0, 1, 1]
    assert np.add(value, 1, where=value > 1, out=value.copy()).tolist() == [5, 1, 4, 3]


def test_plus_gives_an_array_of_its_own(value):
    plain = +value
    assert type(plain) is np.ndarray
    plain[0] = 99
    assert value[0] == 4


def test_plus_of_text_arrays():
    asked = requests_of("PV", dbr.DBR_STRING, 10)[None, dbr.FORMAT_RAW, 0]
    plain = +asked.decode("PV", b"a".ljust(40, b"\0"), 1)
    assert type(plain) is np.ndarray
    assert plain.tolist() == ["a"]


def test_formatting(value):
    assert f"{value}" == str(value)
    assert f"{value:.2f}" == "[4.00 1.00 3.00 2.00]"
    assert repr(value) == "ca_array([4., 1., 3., 2.])"


def test_states_of_an_array():
    asked = requests_of("PV", dbr.DBR_ENUM, 5)[None, dbr.FORMAT_CTRL, 0]
    names = b"Off".ljust(26, b"\0") + b"On".ljust(390, b"\0")
    value = asked.decode("PV", struct.pack(">hhh416s3H", 0, 0, 2, names, 1, 0, 7), 3)
    assert value.enum_str == ["On", "Off", ""]


def test_arrays_are_not_hashable(value):
    with pytest.raises(TypeError):
        hash(value)


def test_an_array_nobody_read_has_no_attributes():
    bare = np.zeros(3).view(ca_array)
    assert vars(bare) == {}
    assert type(bare[:1]) is ca_array


def test_a_payload_with_no_other_reader_becomes_the_memory_of_the_array():
    asked = requests_of("PV", dbr.DBR_DOUBLE, 3)[None, dbr.FORMAT_TIME, 0]
    memory = bytearray(struct.pack(">hhII4x3d", 3, 2, 1, 0, 4, 1, 3))
    value = asked.decode("PV", memoryview(memory), 3)
    assert value.tolist() == [4, 1, 3]
    assert value.dtype.isnative
    assert value.severity == 2
    value[0] = 7
    assert struct.unpack_from("=d", memory, 16) == (7,)
    kept = pickle.loads(pickle.dumps(value[1:]))
    del memory
    assert (kept.tolist(), kept.name, kept.severity) == ([1, 3], "PV", 2)


@pytest.mark.parametrize("offset", [0, 4])
def test_a_payload_that_others_read_too_stays_as_it_is(offset):
    asked = requests_of("PV", dbr.DBR_DOUBLE, 3)[None, dbr.FORMAT_RAW, 0]
    memory = bytearray(offset) + struct.pack(">3d", 4, 1, 3)
    before = bytes(memory)
    payload = memoryview(memory)[offset:]
    # Misaligned memory is no good for an array, whoever reads it.
    values = [asked.decode("PV", payload if offset else payload.toreadonly(), 3) for _ in range(2)]
    assert memory == before
    assert [value.tolist() for value in values] == [[4, 1, 3]] * 2
    assert all(value.flags.owndata and value.flags.aligned for value in values)


def test_large_messages_are_collected_in_memory_of_numpys():
    memory = message_memory(64)
    assert isinstance(memory.obj, np.ndarray)
    assert (len(memory), memory.readonly) == (64, False)
    asked = requests_of("PV", dbr.DBR_DOUBLE, 5)[None, dbr.FORMAT_RAW, 0]
    memory[24:] = struct.pack(">5d", 5, 4, 3, 2, 1)
    value = asked.decode("PV", memory[24:], 5)
    assert value.tolist() == [5, 4, 3, 2, 1]
    assert np.shares_memory(value, memory.obj)
