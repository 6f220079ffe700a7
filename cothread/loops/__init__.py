# SPDX-License-Identifier: Apache-2.0
"""Who owns the wait: asyncio as a guest of the scheduler, Qt as its host."""
