"""Groups of images that share content, and splits that keep every group whole."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imforensics.datasets.lists import Split


def connect(links: Iterable[Sequence[str]]) -> dict[str, str]:
    """Connected components: every id that is linked to another, directly or through others, gets one name.

    Args:
        links: ids that belong together; a single id stands for itself.

    Returns:
        Each id to its component's name: the first of its ids in sorted order.

    >>> connect([("a", "b"), ("c",), ("b", "d")])
    {'a': 'a', 'b': 'a', 'd': 'a', 'c': 'c'}
    """
    parent: dict[str, str] = {}

    def find(node: str) -> str:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for link in links:
        for other in link:
            low, high = sorted((find(link[0]), find(other)))
            parent[high] = low
    components: dict[str, list[str]] = {}
    for node in sorted(parent):
        components.setdefault(find(node), []).append(node)
    return {node: members[0] for members in components.values() for node in members}


def assign_splits(
    strata: Mapping[str, Sequence[Hashable]],
    *,
    shares: Mapping[Split, float],
    seed: int,
    pinned: Mapping[str, Split] | None = None,
) -> dict[str, Split]:
    """Give whole groups to splits so that every stratum comes near its shares.

    The largest groups go first, equal ones in random order; each goes where the sum over strata of squared
    deviation from the wanted counts, relative to the stratum's size, becomes least. A group larger than a
    split's whole share therefore lands in the largest split.

    Args:
        strata: group to the stratum of each of its images (for example set, class and manipulation).
        shares: split to its wanted share; they sum to 1.
        seed: of the order of equal groups.
        pinned: groups whose split is decided already; they are counted first.

    Returns:
        Each group to its split; the same arguments give the same answer on every machine.
    """
    totals = Counter(stratum for members in strata.values() for stratum in members)
    filled: dict[Split, Counter[Hashable]] = {split: Counter() for split in shares}
    chosen = dict(pinned or {})
    for group, split in chosen.items():
        filled[split].update(strata[group])
    order = sorted(group for group in strata if group not in chosen)
    random.Random(seed).shuffle(order)
    order.sort(key=lambda group: -len(strata[group]))
    for group in order:
        added = Counter(strata[group])
        chosen[group] = min(
            shares, key=lambda split: _cost_of_adding(filled[split], added, totals, shares[split])
        )
        filled[chosen[group]].update(added)
    return chosen


def _cost_of_adding(
    have: Counter[Hashable], added: Counter[Hashable], totals: Counter[Hashable], share: float
) -> float:
    """Change of one split's squared relative deviation when it takes a group."""
    cost = 0.0
    for stratum, count in added.items():
        before = have[stratum] / totals[stratum] - share
        after = before + count / totals[stratum]
        cost += (after * after - before * before) / share
    return cost
