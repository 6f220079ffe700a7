# SPDX-License-Identifier: Apache-2.0
"""The old import path of the Qt binding in use: QtCore, QtWidgets, exec_name, QT_LIB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["QT_LIB", "QtCore", "QtGui", "QtWidgets", "exec_name"]

if TYPE_CHECKING:
    QT_LIB: str
    QtCore: Any
    QtGui: Any
    QtWidgets: Any
    exec_name: str


def __getattr__(name: str) -> Any:
    if name in ("QtCore", "QtGui", "QtWidgets"):
        from importlib import import_module

        return import_module(f"qtpy.{name}")
    if name == "QT_LIB":
        from qtpy import API_NAME

        return API_NAME
    if name == "exec_name":
        return "exec_" if hasattr(__getattr__("QtWidgets").QApplication, "exec_") else "exec"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
