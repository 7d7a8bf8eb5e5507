"""The forensic methods: METHODS names them, `load_method` loads one."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from imforensics.method_table import METHODS

if TYPE_CHECKING:
    from imforensics.methods.base import Method

__all__ = ["METHODS", "load_method"]


def load_method(name: str) -> type[Method]:
    """The class of a method by its name.

    Raises:
        KeyError: no method has that name.

    >>> load_method("ela").name
    'ela'
    """
    module_name, class_name = METHODS[name].path.split(":")
    method: type[Method] = getattr(import_module(module_name), class_name)
    return method
