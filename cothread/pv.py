# SPDX-License-Identifier: Apache-2.0
"""PV and PV_array under their old import path; `catools.pv` is where they live."""

from __future__ import annotations

from catools.pv import PV, PV_array

__all__ = ["PV", "PV_array"]
