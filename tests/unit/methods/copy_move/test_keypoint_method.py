"""Both copy-move methods: made copies are found where they are, untouched pictures and patterns are not."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from PIL import Image

from fixtures.textures import make_texture
from imforensics.datasets.synthesis.copy_move import forge_copy_move
from imforensics.datasets.synthesis.forgery import Forgery
from imforensics.evidence import read_evidence
from imforensics.methods.base import Method
from imforensics.methods.copy_move.dense_method import CopyMoveDense
from imforensics.methods.copy_move.finding import report_duplicates
from imforensics.methods.copy_move.keypoint_method import CopyMove
from imforensics.methods.copy_move.keypoints import has_opencv
from imforensics.preprocessing.noise import luma
from imforensics.types import Evidence

needs_opencv = pytest.mark.skipif(not has_opencv(), reason="needs the extra copy-move")
both_methods = pytest.mark.parametrize(
    "method", [pytest.param(CopyMove, marks=needs_opencv), CopyMoveDense], ids=lambda m: m.name
)


def evidence_of(pixels: np.ndarray, quality: int | None = 90) -> Evidence:
    stream = io.BytesIO()
    if quality is None:
        Image.fromarray(pixels).save(stream, "PNG")
    else:
        Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return read_evidence(stream.getvalue(), name="made")


def forged(**options: float) -> Forgery:
    return forge_copy_move(make_texture(176, 224, 4), np.random.default_rng(4), area=0.08, **options)


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


@both_methods
@pytest.mark.parametrize(("rotation", "quality"), [(0, 90), (0, None), (35, 90), (180, 90)])
def test_source_and_target_of_a_copy_are_marked(
    method: type[Method], rotation: float, quality: int | None
) -> None:
    made = forged(rotation=rotation)
    finding = method().analyze(evidence_of(made.pixels, quality))
    assert finding.status == "ok"
    assert finding.score > 0.6
    assert iou(finding.mask, made.source_mask | made.target_mask) > 0.65
    for part in (made.source_mask, made.target_mask):
        assert finding.mask[part].mean() > 0.7
    np.testing.assert_array_equal(finding.mask, finding.map.values >= finding.threshold)
    (copy,) = finding.observations["copies"]
    assert abs(copy["rotation_degrees"]) == pytest.approx(rotation, abs=1)
    assert copy["scale"] == pytest.approx(1, abs=0.02)
    assert not copy["is_mirrored"]
    assert "copies" in finding.artifacts


@both_methods
def test_an_untouched_picture_and_a_repeated_pattern_give_no_alarm(method: type[Method]) -> None:
    finding = method().analyze(evidence_of(make_texture(176, 224, 4)))
    assert finding.status == "ok"
    assert finding.score < 0.2
    assert not finding.mask.any()
    assert finding.artifacts == {}
    tile = make_texture(128, 128, 2)[:44, :40]
    pattern = np.tile(tile, (4, 5, 1))
    noisy = pattern + np.random.default_rng(0).normal(0, 2, pattern.shape)
    repeated = method().analyze(evidence_of(np.clip(noisy, 0, 255).astype(np.uint8)))
    assert repeated.score < 0.5


@both_methods
def test_a_mirrored_copy_is_found_and_called_so(method: type[Method]) -> None:
    pixels = make_texture(176, 224, 4)
    pixels[100:160, 120:210] = pixels[20:80, 10:100][:, ::-1]
    finding = method().analyze(evidence_of(pixels))
    assert finding.score > 0.6
    (copy,) = finding.observations["copies"]
    assert copy["is_mirrored"]
    transform = np.array(copy["transform"])
    assert abs(transform[0, 0] + 1) < 0.02
    assert finding.mask[108:152, 128:202].mean() > 0.9
    assert finding.mask[28:72, 18:92].mean() > 0.9


@both_methods
def test_a_symmetric_picture_gives_no_alarm(method: type[Method]) -> None:
    half = make_texture(160, 110, 4)
    finding = method().analyze(evidence_of(np.concatenate([half, half[:, ::-1]], axis=1)))
    assert finding.score < 0.5


@needs_opencv
def test_keypoints_find_a_copy_made_larger_and_tell_which_it_is() -> None:
    pixels = make_texture(220, 280, 4)
    made = forge_copy_move(pixels, np.random.default_rng(4), scale=1.4, rotation=20, area=0.06)
    finding = CopyMove().analyze(evidence_of(made.pixels, 95))
    assert finding.score > 0.5
    (copy,) = finding.observations["copies"]
    assert copy["scale"] == pytest.approx(1.4, rel=0.03)
    assert copy["target"] == "second"
    left, top, right, bottom = copy["second_box"]
    assert made.target_mask[top:bottom, left:right].mean() > 0.4
    picture = finding.artifacts["copies"].pixels
    assert picture[made.target_mask].mean() > picture[made.source_mask].mean()


@both_methods
def test_large_pictures_are_searched_smaller_and_told_in_file_pixels(method: type[Method]) -> None:
    made = forged()
    big = np.asarray(Image.fromarray(made.pixels).resize((448, 352), Image.Resampling.LANCZOS))
    options = method.Options(max_megapixels=0.1)
    finding = method(options).analyze(evidence_of(big, None))
    assert finding.observations["working_scale"] < 0.9
    assert finding.map.values.shape == (352, 448)
    assert finding.score > 0.5
    truth = np.kron(made.source_mask | made.target_mask, np.ones((2, 2), bool))
    assert iou(finding.mask, truth) > 0.5
    (copy,) = finding.observations["copies"]
    shift = np.array(copy["transform"])[:, 2]
    expected = 2 * made.transform[:, 2]
    assert min(np.abs(shift - expected).max(), np.abs(shift + expected).max()) < 3


def test_without_opencv_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    evidence = evidence_of(make_texture(100, 120, 1))
    finding = CopyMove().analyze(evidence)
    assert finding.status == "not_applicable"
    assert finding.score is None
    assert 'pip install "imforensics[copy-move]"' in finding.notes[0]
    assert CopyMoveDense().analyze(evidence).status == "ok"


@both_methods
@pytest.mark.parametrize(
    ("pixels", "reason"),
    [(np.full((90, 90, 3), 77, np.uint8), "Flat"), (make_texture(120, 120, 1)[:40], "at least 48")],
)
def test_blind_pictures_are_declined(method: type[Method], pixels: np.ndarray, reason: str) -> None:
    finding = method().analyze(evidence_of(pixels, None))
    assert finding.status == "not_applicable"
    assert reason in finding.notes[0]


@both_methods
def test_flat_parts_are_not_valid(method: type[Method]) -> None:
    pixels = make_texture(120, 200, 4)
    pixels[:, :100] = 128
    valid = method().analyze(evidence_of(pixels, None)).map.valid
    assert not valid[:, :85].any()
    assert valid[:, 115:].mean() > 0.95


def test_a_wall_of_repeats_is_not_verified_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = evidence_of(make_texture(176, 224, 4))
    points = np.array([[20.0, 20.0], [60.0, 60.0], [20.0, 60.0]])
    candidates = [(np.array([[1.0, 0, shift], [0, 1.0, 40]]), points) for shift in (50, 60, 70)]
    working = (luma(evidence.pixels), 1.0)
    monkeypatch.setattr("imforensics.methods.copy_move.finding.MAX_SEARCHED", 1)
    finding = report_duplicates("copy_move", "copy-move", evidence, working, candidates, ())
    assert finding.observations["candidates_left_out"] == 2
    assert finding.notes[0].startswith("2 further candidates")
