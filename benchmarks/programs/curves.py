# SPDX-License-Identifier: Apache-2.0
"""The sizes at which curves are measured."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterable

__all__ = ["DESCRIPTOR_SIZES", "SIZES", "curve", "many_descriptors"]

SIZES = (10, 100, 1_000, 10_000, 100_000)
DESCRIPTOR_SIZES = (10, 100, 1_000, 5_000)


def curve(sizes: Iterable[int], cost: Callable[[int], float]) -> dict[str, float]:
    """Return the cost at each size, the best of several at the small ones."""
    return {
        str(size): min(cost(size) for _ in range(max(1, min(5, 10_000 // size)))) for size in sizes
    }


def many_descriptors(cost: Callable[[int], float]) -> Callable[[int], float]:
    """Allow the process two descriptors for each pipe that it will wait for."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * max(DESCRIPTOR_SIZES) + 200
    allowed = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    return cost
