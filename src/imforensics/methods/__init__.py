"""The forensic methods: METHODS names them, `load_method` loads one."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING

from imforensics.method_table import METHODS

if TYPE_CHECKING:
    from imforensics.methods.base import Method

__all__ = ["METHODS", "load", "load_method"]


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


def load(name: str, /, **options: object) -> Method:
    """A method, ready to analyze evidence; the options that are not given have their defaults.

    Args:
        name: key of METHODS.
        options: of the method, see its `Options` or `imforensics methods --explain NAME`.

    Raises:
        ConfigError: no method has that name, or options are unknown or wrong; one line for each.
        BundleError: a trained bundle that it needs is missing or damaged.

    >>> load("ela", quality=75).options.quality
    75
    """
    from pydantic import ValidationError

    from imforensics.config import describe_problems
    from imforensics.errors import ConfigError

    if name not in METHODS:
        nearest = get_close_matches(name, METHODS, n=1)
        hint = f"did you mean {nearest[0]}?" if nearest else f"known methods: {', '.join(METHODS)}"
        raise ConfigError(f"methods.{name}: unknown method; {hint}")
    method_class = load_method(name)
    try:
        checked = method_class.Options.model_validate(options)
    except ValidationError as error:
        problems = describe_problems(method_class.Options, error)
        raise ConfigError("\n".join(f"methods.{name}.{line}" for line in problems)) from None
    return method_class(checked)
