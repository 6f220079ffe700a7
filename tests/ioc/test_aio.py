# SPDX-License-Identifier: Apache-2.0
"""caget and its companions in coroutines on the guest loop."""

from __future__ import annotations

import asyncio

import pytest

import catools
import cothread
from catools import aio, ca_nothing
from tests.support.ioc import Ioc


def test_await(ioc: Ioc) -> None:
    async def main() -> list[object]:
        await aio.caput(ioc.name("AO2"), 6, wait=True)
        values = await asyncio.gather(*(aio.caget(ioc.name(r)) for r in ("AO2", "LONG")))
        info = await aio.cainfo(ioc.name("AO2"))
        with pytest.raises(ca_nothing):
            await aio.connect(ioc.name("NO:SUCH"), timeout=0.05)
        return [*values, info.state]

    with asyncio.Runner(loop_factory=cothread.GuestLoop) as runner:
        assert runner.run(main()) == [6, -7, 2]


def test_cancelled_await_leaves_nothing(ioc: Ioc) -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await aio.caget(ioc.name("NO:SUCH"), timeout=None)

    with asyncio.Runner(loop_factory=cothread.GuestLoop) as runner:
        runner.run(main())
    cothread.Sleep(0.01)
    assert not catools.default_client().channels[ioc.name("NO:SUCH")].wanted
