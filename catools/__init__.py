# SPDX-License-Identifier: Apache-2.0
"""Channel Access client."""
