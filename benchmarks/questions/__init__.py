# SPDX-License-Identifier: Apache-2.0
"""Each module asks a question, and says who is asked and what answer we want: its BENCHMARKS."""
