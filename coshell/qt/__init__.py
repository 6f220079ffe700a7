# SPDX-License-Identifier: Apache-2.0
"""Windows of the shell: the same panels and puts as in the terminal, shown by Qt."""
