# SPDX-License-Identifier: Apache-2.0
"""Read PVs with everything an operator wants to see beside the value."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catools import FORMAT_CTRL, FORMAT_TIME, caget, connect
from coshell.panel.model import Metadata, metadata_of


def read(
    names: Sequence[str],
    metadata: MutableMapping[str, Metadata],
    *,
    timeout: float,
    datatype: Any = None,
    count: int = 0,
) -> list[Any]:
    """Return the values of PVs in time format, and remember what their control format says.

    A PV that cannot be read gives the reason in place of its value. All PVs are read in parallel
    under one deadline; units and states are asked for after the values, of those that answered.

    Args:
        names: the PVs.
        metadata: updated for each PV that says something of itself.
        timeout: seconds for the values.
        datatype: as for caget; with it states stay numbers.
        count: elements of an array, 0 for all.

    Suspends: yes.
    """
    values: list[Any] = caget(
        list(names), timeout=timeout, datatype=datatype, format=FORMAT_TIME, count=count,
        throw=False,
    )  # fmt: skip
    answered = [value.name for value in values if value.ok]
    controls = caget(answered, timeout=timeout, format=FORMAT_CTRL, count=1, throw=False)
    for control in controls:
        if control.ok:
            metadata[control.name] = metadata_of(control)
    return values


@dataclass(frozen=True, slots=True)
class About:
    """Everything there is to know of one PV without watching it."""

    info: Any
    control: Any = None
    value: Any = None
    problem: str = ""
    metadata: Metadata = field(default_factory=Metadata)

    @property
    def name(self) -> str:
        """The PV."""
        return str(self.info.name)


def about(names: Sequence[str], *, timeout: float) -> list[About]:
    """Return channel, control and alarm data of each PV; those without an answer say why.

    Suspends: yes.
    """
    infos = connect(list(names), cainfo=True, timeout=timeout, throw=False)
    found = [info.name for info in infos if info.ok]
    controls = _by_name(caget(found, timeout=timeout, format=FORMAT_CTRL, throw=False))
    values = _by_name(caget(found, timeout=timeout, format=FORMAT_TIME, throw=False))
    result = []
    for info in infos:
        if not info.ok:
            result.append(About(info, problem=str(info)))
            continue
        control, value = controls[info.name], values[info.name]
        problem = "" if control.ok else str(control)
        metadata = metadata_of(control) if control.ok else Metadata()
        result.append(About(info, control, value, problem, metadata))
    return result


def _by_name(values: Sequence[Any]) -> Mapping[str, Any]:
    return {value.name: value for value in values}
