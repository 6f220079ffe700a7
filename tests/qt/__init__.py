# SPDX-License-Identifier: Apache-2.0
"""Tests of Qt on the scheduler's thread, and of the windows of the shell."""
