# SPDX-License-Identifier: Apache-2.0
"""For the control room: short tracebacks, and leaving always asks."""

c = get_config()  # noqa: F821  # defined by IPython

c.InteractiveShell.xmode = "Minimal"
c.TerminalInteractiveShell.confirm_exit = True
c.TerminalInteractiveShell.term_title_format = "coshell: operator"
