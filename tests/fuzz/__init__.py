# SPDX-License-Identifier: Apache-2.0
"""Hostile bytes for the pure protocol core: `python -m tests.fuzz --help`."""
