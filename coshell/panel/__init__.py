# SPDX-License-Identifier: Apache-2.0
"""Live tables of PVs: model (pure) → style (pure) → render (pure) → views.

A view is anything that listens to a `Panel`, asks a `Table` for lines when something changed, and
shows them: the dock under the prompt, the full screen, the log. A recorder observes the same panel.
"""
