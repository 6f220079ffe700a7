# SPDX-License-Identifier: Apache-2.0
"""Measurements beside the peers, all in one run; numbers are recorded, never asserted."""
