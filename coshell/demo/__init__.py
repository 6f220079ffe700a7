# SPDX-License-Identifier: Apache-2.0
"""The demo machine: a small storage ring served by a real EPICS IOC on loopback."""
