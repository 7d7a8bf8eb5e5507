"""Whether a picture keeps its label when it is delivered again: it may lose it, it must not change sides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from imforensics.types import Label


@dataclass(frozen=True, slots=True)
class Delivered:
    """What was stated on one delivery of a photograph.

    Attributes:
        photo: id of the photograph; all its deliveries show the same scene, pixel for pixel but for size.
        chain: how it was delivered, such as "telegram>slack".
        label: that it got.
        has_ratio: False where no ratio was stated.
    """

    photo: str
    chain: str
    label: Label
    has_ratio: bool


@dataclass(frozen=True, slots=True)
class Flip:
    """Two deliveries of one photograph with opposite labels."""

    photo: str
    authentic: str
    tampered: str


def find_flips(deliveries: Iterable[Delivered]) -> tuple[Flip, ...]:
    """Every pair of deliveries of one photograph of which one is "authentic" and the other "tampered".

    >>> first = Delivered("a", "as received", "authentic", True)
    >>> find_flips([first, Delivered("a", "slack", "inconclusive", False)])
    ()
    >>> find_flips([first, Delivered("a", "telegram", "tampered", True)])
    (Flip(photo='a', authentic='as received', tampered='telegram'),)
    """
    by_photo: dict[str, list[Delivered]] = {}
    for each in deliveries:
        by_photo.setdefault(each.photo, []).append(each)
    flips = []
    for photo, seen in by_photo.items():
        for pair in combinations(seen, 2):
            chains = {each.label: each.chain for each in pair}
            if "authentic" in chains and "tampered" in chains:
                flips.append(Flip(photo, chains["authentic"], chains["tampered"]))
    return tuple(flips)


@dataclass(frozen=True, slots=True)
class ChainCounts:
    """Deliveries of one kind: how many, and what was stated on them."""

    total: int
    tampered: int
    authentic: int
    without_ratio: int

    @property
    def inconclusive(self) -> int:
        """Deliveries without a label on either side."""
        return self.total - self.tampered - self.authentic


def count_by_chain(deliveries: Iterable[Delivered]) -> Mapping[str, ChainCounts]:
    """Counts of each chain, in the order first seen."""
    by_chain: dict[str, list[Delivered]] = {}
    for each in deliveries:
        by_chain.setdefault(each.chain, []).append(each)
    return {
        chain: ChainCounts(
            total=len(seen),
            tampered=sum(each.label == "tampered" for each in seen),
            authentic=sum(each.label == "authentic" for each in seen),
            without_ratio=sum(not each.has_ratio for each in seen),
        )
        for chain, seen in by_chain.items()
    }
