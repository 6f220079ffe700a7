# SPDX-License-Identifier: Apache-2.0
"""What the interpreter and its extensions do inside cothreads: numpy, ctypes, recursion."""

import ctypes
import decimal
import json
import logging
import sys
import traceback
import warnings

import numpy as np
import pytest

import cothread
from cothread import Sleep, Spawn, WaitForAll, Yield


def spawn(function, *args):
    return Spawn(function, *args, raise_on_wait=True)


def test_numpy_warnings_are_raised_in_the_cothread():
    def divide():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            np.float64(1) / np.float64(0)
            np.arange(3.0) / np.zeros(3)
        return [str(warning.message) for warning in caught]

    tasks = [spawn(divide) for _ in range(10)]
    for messages in WaitForAll(tasks, 10):
        assert len(messages) == 3
        assert "divide by zero" in messages[0]


def test_numpy_errstate_belongs_to_a_cothread_and_is_inherited():
    def fails():
        with pytest.raises(FloatingPointError):
            np.float64(1) / np.float64(0)

    def lets_pass():
        with np.errstate(divide="ignore"):
            for _ in range(3):
                assert np.isinf(np.float64(1) / np.float64(0))
                Sleep(0.001)

    with np.errstate(divide="raise"):
        tasks = [spawn(fails), spawn(lets_pass), spawn(fails)]
    WaitForAll(tasks, 10)


def test_decimal_contexts_do_not_mix():
    def work(precision):
        with decimal.localcontext(prec=precision):
            Yield()
            return str(decimal.Decimal(1) / 3)

    tasks = [spawn(work, precision) for precision in (3, 5, 7)]
    assert WaitForAll(tasks, 5) == ["0.333", "0.33333", "0.3333333"]


def test_ctypes_callbacks_may_suspend():
    compare = ctypes.CFUNCTYPE(
        ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int)
    )
    library = ctypes.CDLL(None)
    turns = []

    @compare
    def by_value(one, other):
        turns.append(1)
        Sleep(0.0001)
        return one[0] - other[0]

    def sort(numbers):
        array = (ctypes.c_int * len(numbers))(*numbers)
        library.qsort(array, len(numbers), ctypes.sizeof(ctypes.c_int), by_value)
        return list(array)

    tasks = [spawn(sort, [(number * 7 + start) % 20 for number in range(20)]) for start in range(5)]
    assert WaitForAll(tasks, 20) == [list(range(20))] * 5
    assert len(turns) > 100


def test_deep_recursion_in_many_cothreads():
    def dive(depth):
        if depth == 0:
            Yield()
            return 0
        return 1 + dive(depth - 1)

    assert WaitForAll([spawn(dive, 500) for _ in range(50)], 20) == [500] * 50


def test_endless_recursion_is_an_error_and_no_crash():
    def dive():
        return dive()

    for _ in range(3):
        with pytest.raises(RecursionError):
            spawn(dive).Wait(20)


def test_recursion_in_extensions():
    text = "[" * 400 + "]" * 400

    def parse():
        return len(json.dumps(json.loads(text)))

    tasks = [Spawn(parse, stack_size=16384, raise_on_wait=True) for _ in range(20)]
    assert WaitForAll(tasks, 10) == [800] * 20


def test_each_cothread_has_its_own_exception():
    def work(number):
        try:
            raise ValueError(number)
        except ValueError:
            for _ in range(3):
                Yield()
                assert sys.exc_info()[1].args == (number,)
        assert sys.exc_info() == (None, None, None)

    WaitForAll([spawn(work, number) for number in range(10)], 5)


def test_generators_and_context_managers_across_switches():
    def numbers():
        for number in range(5):
            Sleep(0.0001)
            yield number

    assert WaitForAll([spawn(list, numbers()) for _ in range(5)], 5) == [[0, 1, 2, 3, 4]] * 5


def test_tracebacks_show_the_cothreads_own_frames():
    def inner():
        raise ValueError("oops")

    def outer():
        Yield()
        inner()

    task = spawn(outer)
    with pytest.raises(ValueError, match="oops") as caught:
        task.Wait(5)
    names = [entry.name for entry in traceback.extract_tb(caught.value.__traceback__)]
    assert names[-2:] == ["outer", "inner"]


def test_logging_and_printing_in_cothreads(caplog, capsys):
    def work(number):
        logging.getLogger("test").warning("log %d", number)
        print("print", number)

    WaitForAll([spawn(work, number) for number in range(3)], 5)
    assert [record.getMessage() for record in caplog.records] == ["log 0", "log 1", "log 2"]
    assert capsys.readouterr().out == "print 0\nprint 1\nprint 2\n"


def test_a_function_that_is_traced_sees_cothreads():
    seen = []

    def trace(frame, event, _):
        seen.append((frame.f_code.co_name, event))
        return trace

    def traced_cothread():
        Yield()
        return cothread.current()

    previous = sys.gettrace()
    task = spawn(traced_cothread)
    sys.settrace(trace)
    try:
        task.Wait(5)
    finally:
        sys.settrace(previous)
    assert ("traced_cothread", "return") in seen
