# SPDX-License-Identifier: Apache-2.0
"""Measurements beside the peers, in one run on one machine; numbers are recorded, never asserted."""
