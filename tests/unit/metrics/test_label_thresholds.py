"""Label thresholds: error rates kept, sides without power left out."""

import numpy as np
import pytest
from scipy.stats import binomtest, fisher_exact

from imforensics.metrics.calibration import fit_calibration
from imforensics.metrics.label_thresholds import (
    choose_label_thresholds,
    clopper_pearson_upper,
    fisher_greater,
)


def draw(distance, *, n=200, seed=0):
    generator = np.random.default_rng(seed)
    camera, hosts = generator.normal(-distance / 2, 1, (2, n))
    tampered = generator.normal(distance / 2, 1, n)
    return tuple(1 / (1 + np.exp(-z)) for z in (camera, hosts, tampered))


def choose(camera, hosts, tampered, **options):
    calibration = fit_calibration(
        np.concatenate([hosts, tampered]),
        np.repeat([0, 1], [hosts.size, tampered.size]),
        protocol="twin",
        population="made images",
        kinds=("platt",),
    )
    return choose_label_thresholds(
        calibration,
        authentic_camera_scores=camera,
        authentic_scores=hosts,
        tampered_scores=tampered,
        **options,
    )


def share(calibration, scores, label):
    return np.mean([calibration.label(score) == label for score in scores])


def test_rates_hold_where_they_were_set_and_on_new_images():
    found = choose(*draw(3.0))
    for seed in range(6):
        camera, hosts, tampered = draw(3.0, seed=seed)
        assert share(found, camera, "tampered") <= 0.02
        assert share(found, hosts, "tampered") <= 0.02
        assert share(found, tampered, "authentic") <= 0.05
        assert share(found, tampered, "tampered") > 0.4
        assert share(found, hosts, "authentic") > 0.5
    assert found.thresholds.policy == "far_2pct_miss_5pct"


def test_camera_photographs_that_score_high_raise_the_threshold():
    camera, hosts, tampered = draw(4.0)
    calm = choose(camera, hosts, tampered)
    wary = choose(np.append(camera, np.full(20, 0.97)), hosts, tampered)
    assert wary.thresholds.tampered_above >= 0.97 > calm.thresholds.tampered_above


def test_a_method_at_chance_gets_no_label():
    found = choose(*draw(0.0))
    assert found.thresholds.tampered_above is None
    assert found.thresholds.authentic_below is None
    assert {found.label(score) for score in np.linspace(0, 1, 21)} == {"inconclusive"}
    assert sum("never given" in note for note in found.thresholds.notes) == 2


def test_with_few_photographs_no_error_is_accepted_and_the_note_says_so():
    camera, hosts, tampered = draw(5.0, n=30)
    found = choose(camera, hosts, tampered)
    assert found.thresholds.tampered_above >= max(camera.max(), hosts.max())
    assert "0 of 30 camera photographs" in found.thresholds.notes[0]
    assert "cannot show a rate of 2 %" in found.thresholds.notes[0]


@pytest.mark.parametrize(("n", "allowed"), [(102, 0), (149, 0), (236, 1), (400, 3)])
def test_as_many_errors_are_accepted_as_show_the_rate(n, allowed):
    camera = np.linspace(0.0, 0.95, n)
    _, hosts, tampered = draw(6.0)
    found = choose(camera, np.minimum(hosts, 0.3), tampered)
    assert (camera > found.thresholds.tampered_above).sum() == allowed
    bound = binomtest(allowed + 1, n, alternative="less").proportion_ci(0.95, method="exact").high
    assert bound > 0.02, "one more would not show it"
    assert ("cannot show a rate of 2 %" in found.thresholds.notes[0]) == (n < 149)


def test_separable_classes_leave_the_gap_inconclusive():
    found = choose(np.full(60, 0.1), np.full(60, 0.1), np.full(60, 0.9))
    labels = [found.label(score) for score in (0.0, 0.1, 0.11, 0.5, 0.89, 0.9, 1.0)]
    assert labels == ["authentic"] * 2 + ["inconclusive"] * 3 + ["tampered"] * 2


@pytest.mark.parametrize(
    ("hits", "n", "alarms", "m"), [(9, 30, 1, 25), (3, 3, 0, 3), (0, 5, 4, 9), (40, 90, 2, 100)]
)
def test_fisher_equals_scipy(hits, n, alarms, m):
    expected = fisher_exact([[hits, n - hits], [alarms, m - alarms]], alternative="greater").pvalue
    assert fisher_greater(hits, n, alarms, m) == pytest.approx(expected)


@pytest.mark.parametrize(("successes", "n"), [(0, 30), (2, 149), (29, 30), (30, 30)])
def test_upper_bound_equals_scipy(successes, n):
    expected = binomtest(successes, n, alternative="less").proportion_ci(0.95, method="exact").high
    assert clopper_pearson_upper(successes, n) == pytest.approx(expected, abs=1e-6)


def test_an_empty_list_is_refused():
    camera, hosts, tampered = draw(2.0)
    with pytest.raises(ValueError, match="empty"):
        choose(camera[:0], hosts, tampered)
