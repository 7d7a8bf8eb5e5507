from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from imforensics.datasets.grouping import assign_splits, connect

SHARES = {"train": 0.7, "val": 0.15, "test": 0.15}
LINKS = st.lists(st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=3), max_size=12)


@given(LINKS)
def test_connect_equals_repeated_merging(links):
    expected: list[set[str]] = []
    for link in links:
        touching = [c for c in expected if c & set(link)]
        expected = [c for c in expected if not c & set(link)] + [set(link).union(*touching)]
    components = connect(links)
    for component in expected:
        assert {components[node] for node in component} == {min(component)}
    assert len(set(components.values())) == len(expected)


@given(LINKS)
def test_connect_does_not_depend_on_order(links):
    assert connect(links) == connect([link[::-1] for link in reversed(links)])


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=3), st.lists(st.sampled_from("xy"), min_size=1, max_size=5), max_size=20
    )
)
def test_every_group_gets_one_split_and_the_answer_repeats(strata):
    first = assign_splits(strata, shares=SHARES, seed=1)
    assert first.keys() == strata.keys()
    assert first == assign_splits(dict(reversed(strata.items())), shares=SHARES, seed=1)


def test_single_images_reach_the_shares_in_every_stratum():
    strata = {f"{kind}{n}": [kind] for kind, count in (("a", 200), ("b", 40)) for n in range(count)}
    chosen = assign_splits(strata, shares=SHARES, seed=3)
    counts = Counter((strata[group][0], split) for group, split in chosen.items())
    assert [counts["a", split] for split in SHARES] == [140, 30, 30]
    assert [counts["b", split] for split in SHARES] == [28, 6, 6]


def test_a_giant_group_goes_to_the_largest_split_and_the_rest_makes_up_for_it():
    strata = {"giant": ["a"] * 40, **{f"small{n}": ["a"] for n in range(60)}}
    chosen = assign_splits(strata, shares=SHARES, seed=0)
    assert chosen["giant"] == "train"
    counts = Counter(split for group, split in chosen.items() for _ in strata[group])
    assert counts == {"train": 70, "val": 15, "test": 15}


def test_seed_changes_equal_groups_and_pinned_groups_stay():
    strata = {f"g{n}": ["a"] for n in range(40)}
    assert assign_splits(strata, shares=SHARES, seed=0) != assign_splits(strata, shares=SHARES, seed=1)
    pinned = {f"g{n}": "test" for n in range(6)}
    chosen = assign_splits(strata, shares=SHARES, seed=0, pinned=pinned)
    assert {group for group, split in chosen.items() if split == "test"} == set(pinned)
