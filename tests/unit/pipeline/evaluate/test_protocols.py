from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imforensics.datasets.base import Dataset, load_dataset
from imforensics.errors import DatasetError
from imforensics.pipeline.evaluate.protocols import (
    PROTOCOLS,
    ROBUSTNESS_UNITS,
    image_id,
    plan_trials,
    robustness_grid,
    seeded_generator,
)
from imforensics.preprocessing.chains import Chain, apply_chain


@pytest.fixture
def dataset(labelled_set: Path) -> Dataset:
    return load_dataset("folder", labelled_set)


def test_raw_shows_every_file_once_as_it_is(dataset: Dataset) -> None:
    plan = plan_trials(dataset, dataset.samples, "raw")
    assert [t.sample for t in plan.trials] == list(dataset.samples)
    assert all(t.chain is None and t.tables_from is None for t in plan.trials)
    assert {t.id for t in plan.trials} >= {"host0.jpg", "splice5.jpg"}


def test_resaved_draws_depend_on_seed_and_image_alone(dataset: Dataset) -> None:
    forward = {t.id: t.chain for t in plan_trials(dataset, dataset.samples, "resaved", seed=7).trials}
    backward = {t.id: t.chain for t in plan_trials(dataset, dataset.samples[::-1], "resaved", seed=7).trials}
    other = {t.id: t.chain for t in plan_trials(dataset, dataset.samples, "resaved", seed=8).trials}
    assert forward == backward
    assert forward != other
    assert len(set(forward.values())) > 6


def test_resaved_q90_is_one_chain_for_all(dataset: Dataset) -> None:
    (chain,) = {t.chain for t in plan_trials(dataset, dataset.samples, "resaved_q90").trials}
    assert chain is not None
    assert chain.description == "JPEG ijg tables quality 90 4:2:0"


def test_twin_pairs_each_tampered_file_with_its_own_host(dataset: Dataset) -> None:
    plan = plan_trials(dataset, dataset.samples, "twin")
    assert len(plan.trials) == 12
    for host, tampered in zip(plan.trials[::2], plan.trials[1::2], strict=True):
        assert (host.sample.label, tampered.sample.label) == (0, 1)
        assert host.sample.image_path.name == tampered.sample.image_path.name.replace("splice", "host")
        assert host.tables_from == tampered.sample.image_path
        assert tampered.tables_from is None
        assert host.pair == tampered.pair == tampered.id
        assert host.sample.group == tampered.sample.group


def test_twin_keeps_to_the_split_and_says_what_it_leaves_out(dataset: Dataset) -> None:
    orphan = [replace(s, host="nobody") if s.image_path.name == "splice3.jpg" else s for s in dataset.samples]
    changed = replace(dataset, samples=tuple(orphan))
    wanted = [s for s in orphan if s.group in ("s2", "s3")]
    plan = plan_trials(changed, wanted, "twin")
    assert {t.id for t in plan.trials} == {"splice2.jpg", "host2.jpg [saved like splice2.jpg]"}
    ((left, reason),) = plan.left_out
    assert left == "splice3.jpg"
    assert "nobody" in reason


def test_exact_twins_are_those_of_our_own_encoder(dataset: Dataset, tmp_path: Path) -> None:
    foreign = tmp_path / "splice1.jpg"
    source = next(s for s in dataset.samples if s.image_path.name == "splice1.jpg")
    pixels = np.asarray(Image.open(source.image_path).convert("RGB"))
    foreign.write_bytes(apply_chain(pixels, Chain("x", quality=90, table_family="ramp")))
    samples = tuple(replace(s, image_path=foreign) if s is source else s for s in dataset.samples)
    changed = replace(dataset, samples=samples)
    assert len(plan_trials(changed, samples, "twin").trials) == 12
    plan = plan_trials(changed, samples, "exact_twin")
    assert len(plan.trials) == 10
    ((left, reason),) = plan.left_out
    assert left == str(foreign)
    assert "another encoder" in reason


def test_robustness_runs_the_whole_grid_with_unique_ids(dataset: Dataset) -> None:
    plan = plan_trials(dataset, dataset.samples[:2], "robustness")
    assert len(plan.trials) == 2 * (1 + len(robustness_grid()))
    assert len({t.id for t in plan.trials}) == len(plan.trials)
    kinds = {t.condition for t in plan.trials}
    assert kinds == {"raw", "reference", *ROBUSTNESS_UNITS}
    seeds = {t.sample.image_path: t.chain.noise_seed for t in plan.trials if t.chain and t.chain.noise}
    assert len(set(seeds.values())) == 2


def test_kinds_limit_the_grid_to_what_is_asked_for(dataset: Dataset) -> None:
    plan = plan_trials(dataset, dataset.samples[:1], "robustness", kinds=("jpeg", "resize"))
    whole = {t.id: t for t in plan_trials(dataset, dataset.samples[:1], "robustness").trials}
    assert {t.condition for t in plan.trials} == {"raw", "reference", "jpeg", "resize"}
    assert all(whole[t.id] == t for t in plan.trials)
    points = [(t.chain.name, t.chain.strength) for t in plan.trials if t.chain]
    assert {q for name, q in points if name == "jpeg"} == {50, 60, 70, 80, 90, 100}
    assert {s for name, s in points if name == "resize"} >= {0.5, 0.6, 0.75, 0.9}


def test_both_halves_of_a_twin_go_through_the_same_chains(dataset: Dataset) -> None:
    plan = plan_trials(dataset, dataset.samples, "twin", kinds=("noise",))
    plain = [t for t in plan.trials if t.chain is None]
    assert plain == list(plan_trials(dataset, dataset.samples, "twin").trials)
    assert len({t.id for t in plan.trials}) == len(plan.trials) == len(plain) * (1 + 1 + 4)
    halves = [[t for t in plan.trials if t.pair == "splice2.jpg" and t.sample.label == i] for i in (0, 1)]
    assert [t.chain for t in halves[0]] == [t.chain for t in halves[1]]
    assert all(t.tables_from is not None for t in halves[0])
    seeds = {t.pair: t.chain.noise_seed for t in plan.trials if t.chain and t.chain.noise}
    assert len(set(seeds.values())) == len(seeds) == 6


def test_kinds_that_cannot_be_shown_are_errors(dataset: Dataset) -> None:
    with pytest.raises(DatasetError, match=r"unknown kind of processing 'reference'\. Known: jpeg"):
        plan_trials(dataset, dataset.samples, "robustness", kinds=("reference",))
    with pytest.raises(DatasetError, match="raw has one treatment"):
        plan_trials(dataset, dataset.samples, "raw", kinds=("jpeg",))


def test_grid_points_are_distinct() -> None:
    points = [(chain.name, chain.strength) for chain in robustness_grid()]
    assert len(set(points)) == len(points)


def test_unknown_protocol_and_empty_plans_are_errors(dataset: Dataset) -> None:
    with pytest.raises(DatasetError, match="Known: raw"):
        plan_trials(dataset, dataset.samples, "raww")  # type: ignore[arg-type]
    with pytest.raises(DatasetError, match="nothing to evaluate"):
        plan_trials(dataset, [s for s in dataset.samples if s.label == 0], "twin")


def test_every_protocol_is_described() -> None:
    assert all(description.endswith(".") for description in PROTOCOLS.values())


def test_ids_are_relative_and_survive_names_that_are_not_utf8(tmp_path: Path) -> None:
    assert image_id(tmp_path, tmp_path / "Au" / "x.jpg") == "Au/x.jpg"
    assert image_id(tmp_path, Path("/elsewhere/x.jpg")) == "/elsewhere/x.jpg"
    assert image_id(tmp_path, tmp_path / "caf\udce9.jpg") == "caf\\xe9.jpg"


def test_seeded_generators_differ_by_key_and_repeat() -> None:
    draws = [seeded_generator(0, key).integers(2**31) for key in ("a", "a", "b")]
    assert draws[0] == draws[1]
    assert draws[0] != draws[2]
