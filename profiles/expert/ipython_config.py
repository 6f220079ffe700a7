# SPDX-License-Identifier: Apache-2.0
"""For those who write the scripts: full tracebacks, modules reloaded when they change."""

c = get_config()  # noqa: F821  # defined by IPython

c.CoShell.tracebacks = "full"
c.InteractiveShell.xmode = "Context"
c.TerminalInteractiveShell.term_title_format = "coshell: expert"
c.InteractiveShellApp.extensions = ["autoreload"]
c.InteractiveShellApp.exec_lines = ["%autoreload 2"]
