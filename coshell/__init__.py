# SPDX-License-Identifier: Apache-2.0
"""An EPICS control room in one terminal, on one thread."""
