# SPDX-License-Identifier: Apache-2.0
"""Cothreads and sockets that drive the pure protocol and own no rule of it."""
