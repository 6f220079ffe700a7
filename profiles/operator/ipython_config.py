# SPDX-License-Identifier: Apache-2.0
"""For the control room: one line for each error, and leaving always asks."""

c = get_config()  # noqa: F821  # defined by IPython

c.CoShell.tracebacks = "line"
c.TerminalInteractiveShell.confirm_exit = True
c.TerminalInteractiveShell.term_title_format = "coshell: operator"
