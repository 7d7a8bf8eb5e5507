"""Results kept with the array that they were computed from: methods side by side compute them once."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from functools import wraps
from threading import Lock
from typing import Any, ParamSpec, TypeVar

import numpy as np

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class _Slot:
    """One result, and the lock of those who wait for it."""

    def __init__(self) -> None:
        self.filling = Lock()
        self.content: list[Any] = []


def keep_with_array(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Keep what a function of an array gives for as long as the array lives.

    Threads may ask at once: one computes, the others wait for it. Only for read-only arrays, such as those of
    evidence, are results kept; arrays among the results are made read-only too.

    Args:
        function: its first argument is the array; the others are hashable, or arrays of some bytes.
    """
    shelves: dict[int, dict[Hashable, _Slot]] = {}
    looking = Lock()

    @wraps(function)
    def ask(*arguments: Parameters.args, **options: Parameters.kwargs) -> Result:
        array = arguments[0]
        if not isinstance(array, np.ndarray) or array.flags.writeable:
            return function(*arguments, **options)
        key = (*map(_key, arguments[1:]), *((name, _key(value)) for name, value in sorted(options.items())))
        with looking:
            if id(array) not in shelves:
                shelves[id(array)] = {}
                weakref.finalize(array, shelves.pop, id(array), None).atexit = False
            slot = shelves[id(array)].setdefault(key, _Slot())
        with slot.filling:
            if not slot.content:
                result = function(*arguments, **options)
                if isinstance(result, np.ndarray):
                    result.flags.writeable = False
                slot.content.append(result)
            kept: Result = slot.content[0]
            return kept

    return ask


def _key(value: object) -> Hashable:
    return value.tobytes() if isinstance(value, np.ndarray) else value
