# SPDX-License-Identifier: Apache-2.0
"""IPython joined to the scheduler: prompt, output, interrupts, jobs.  Knows no EPICS."""
