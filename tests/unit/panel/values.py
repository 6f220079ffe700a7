# SPDX-License-Identifier: Apache-2.0
"""Values as Channel Access delivers them, made without it."""


class Float(float):
    ok = True
    severity = 0
    status = 0
    timestamp = 1_700_000_000.0
    datatype = 6
    update_count = 1


class Int(int):
    ok = True
    severity = 0
    status = 0
    timestamp = 1_700_000_000.0
    datatype = 5
    update_count = 1


class Str(str):
    ok = True
    severity = 0
    status = 0
    timestamp = 1_700_000_000.0
    datatype = 0
    update_count = 1


class Control:
    def __init__(self, **fields):
        self.__dict__.update(fields)


def augmented(value, **fields):
    kind = {float: Float, int: Int, str: Str}[type(value)]
    result = kind(value)
    result.__dict__.update(fields)
    return result
