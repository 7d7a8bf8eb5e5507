"""The trained detector as a method: score, worth, and an opinion only where it was calibrated."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from imforensics.errors import BundleError
from imforensics.evidence import read_evidence
from imforensics.methods.learned.ela_cnn import DEFAULT_BUNDLE, NO_MAP_NOTE, ElaCnn
from imforensics.models.classifier.bundle import load_bundle
from imforensics.preprocessing.inputs import build_network_input
from imforensics.types import Evidence

CONDITIONS = load_bundle(DEFAULT_BUNDLE).manifest.calibration.conditions


def evidence(height: int, width: int, file_format: str = "JPEG") -> Evidence:
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float64)
    noise = np.random.default_rng(1).normal(0, 6, (height, width, 3))
    pixels = np.clip(128 + 70 * np.sin(rows / 11 + columns / 17)[..., None] + noise, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, file_format)
    return read_evidence(buffer.getvalue(), name=f"made.{file_format.lower()}")


def bundle_with_twin_auc(folder: Path, low: float, high: float) -> str:
    shutil.copytree(load_bundle(DEFAULT_BUNDLE).folder, folder)
    content = yaml.safe_load((folder / "bundle.yaml").read_text())
    for item in content["measurements"]:
        item["intervals"]["auc"] = [low, high]
    (folder / "bundle.yaml").write_text(yaml.safe_dump(content))
    return str(folder)


def test_default_is_the_bundle_trained_on_twins() -> None:
    method = ElaCnn()
    assert method.bundle_digests == {DEFAULT_BUNDLE: load_bundle(DEFAULT_BUNDLE).digest}
    assert load_bundle(DEFAULT_BUNDLE).manifest.calibration.protocol == "twin"


def test_score_is_the_bundles_and_the_opinion_its_calibrations() -> None:
    bundle, given = load_bundle(DEFAULT_BUNDLE), evidence(256, 384)
    spec = bundle.manifest.input
    inputs = build_network_input(
        given.pixels, spec.kind, size=(spec.height, spec.width), ela_quality=spec.ela_quality
    )
    finding = ElaCnn().analyze(given)
    assert finding.status == "ok"
    assert finding.score == pytest.approx(float(bundle.predict(inputs[None])[0]), abs=1e-6)
    assert finding.opinion == bundle.manifest.calibration.opinion(finding.score)
    assert finding.opinion.protocol == "twin"
    assert finding.observations["outside_calibration"] == []
    assert finding.observations["bundle"] == DEFAULT_BUNDLE
    assert finding.map is None
    assert NO_MAP_NOTE in finding.notes


@pytest.mark.parametrize(
    ("height", "width", "file_format", "clause"),
    [
        (256, 384, "PNG", "the file is not a JPEG"),
        (100, 384, "JPEG", "the shorter side is 100 pixels"),
        (1024, 1024, "JPEG", "the image has 1048576 pixels"),
    ],
)
def test_no_opinion_outside_the_calibration(height: int, width: int, file_format: str, clause: str) -> None:
    finding = ElaCnn().analyze(evidence(height, width, file_format))
    assert finding.status == "ok"
    assert finding.score is not None
    assert finding.opinion is None
    assert clause in str(finding.observations["outside_calibration"])
    assert any(note.startswith("No opinion: ") and clause in note for note in finding.notes)


@pytest.mark.parametrize(("height", "width"), [(63, 300), (300, 63), (1, 1)])
def test_small_images_are_not_applicable(height: int, width: int) -> None:
    finding = ElaCnn().analyze(evidence(height, width, "PNG"))
    assert (finding.status, finding.score) == ("not_applicable", None)
    assert f"The image is {width}x{height} pixels" in finding.notes[0]


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0.47, 0.62, "not clearly better than chance"), (0.58, 0.71, "better than chance, within")],
)
def test_the_worth_of_the_score_is_told(tmp_path: Path, low: float, high: float, words: str) -> None:
    own = bundle_with_twin_auc(tmp_path / "own", low, high)
    finding = ElaCnn(ElaCnn.Options(bundle=own)).analyze(evidence(256, 384))
    assert words in finding.notes[0]
    assert f"95 % interval {low:.2f} to {high:.2f}" in finding.notes[0]


def test_calibrated_range_is_that_of_small_jpegs() -> None:
    assert CONDITIONS.requires_jpeg
    assert CONDITIONS.min_side > 100
    assert CONDITIONS.max_pixels is not None
    assert CONDITIONS.max_pixels < 1024 * 1024


def test_a_missing_bundle_is_an_error() -> None:
    with pytest.raises(BundleError, match="No bundle named 'absent'"):
        _ = ElaCnn(ElaCnn.Options(bundle="absent")).bundle_digests
