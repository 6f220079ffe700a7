# SPDX-License-Identifier: Apache-2.0
"""Hours of ordinary trouble: `python -m tests.soak --help`."""
