"""One made picture that shows what a method does: a hit, or a false alarm."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scene:
    """A made picture and what to see in it.

    Attributes:
        data: the bytes of the image file.
        name: a file name for them, with the extension.
        words: what was done to the picture, and what the method's map shows there.
    """

    data: bytes
    name: str
    words: str
