# SPDX-License-Identifier: Apache-2.0
"""Channel Access without input or output: bytes and `now` in; bytes, events and deadlines out.

Nothing in this package opens a socket, reads a clock or the environment, logs, or knows of
cothreads, so every rule of the protocol can be tested from outside in no time at all.
"""
