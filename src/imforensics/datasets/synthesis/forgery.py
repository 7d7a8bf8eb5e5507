"""What a generator of forgeries gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from imforensics.types import BoolArray, JsonValue, UInt8Array


@dataclass(frozen=True, slots=True)
class Forgery:
    """A made forgery and the truth about it.

    Attributes:
        pixels: (H, W, 3) uint8 RGB of the forged picture.
        target_mask: (H, W) bool, True where the altered content covers at least half of the pixel.
        source_mask: (H, W) bool, True where the content was taken from; None where that is another picture.
        transform: (2, 3) float64, [x', y'] = transform @ [x, y, 1] from source to target, in pixels with
            (0, 0) at the centre of the top-left one; None where there is no source in the picture.
        facts: what was done, JSON-ready.
    """

    pixels: UInt8Array
    target_mask: BoolArray
    source_mask: BoolArray | None = None
    transform: NDArray[np.float64] | None = None
    facts: Mapping[str, JsonValue] = field(default_factory=dict)
