"""A picture that is delivered again may lose its label; it must not change sides."""

from hypothesis import given
from hypothesis import strategies as st

from imforensics.metrics.stability import Delivered, count_by_chain, find_flips

DELIVERIES = st.lists(
    st.builds(
        Delivered,
        st.sampled_from("abc"),
        st.sampled_from(["slack", "telegram"]),
        st.sampled_from(["authentic", "tampered", "inconclusive"]),
        st.booleans(),
    ),
    max_size=12,
)


@given(DELIVERIES)
def test_flips_are_the_pairs_with_opposite_labels(seen):
    expected = sum(
        len([d for d in seen if (d.photo, d.label) == (photo, "authentic")])
        * len([d for d in seen if (d.photo, d.label) == (photo, "tampered")])
        for photo in "abc"
    )
    assert len(find_flips(seen)) == expected


@given(DELIVERIES)
def test_counts_add_up(seen):
    counts = count_by_chain(seen)
    assert sum(each.total for each in counts.values()) == len(seen)
    assert all(each.inconclusive >= 0 for each in counts.values())
    assert sum(each.without_ratio for each in counts.values()) == sum(not d.has_ratio for d in seen)
