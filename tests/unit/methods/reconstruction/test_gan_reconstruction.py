"""GAN reconstruction with a generator of flat colours: what is not the image's mean colour stands out."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fixtures.flat_gan import SIDE, THRESHOLD, write_flat_gan
from imforensics.errors import BundleError
from imforensics.evidence import read_evidence
from imforensics.methods.reconstruction.gan_reconstruction import GanReconstruction
from imforensics.types import Evidence, Finding

pytestmark = pytest.mark.train  # the made bundle is written with onnx


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    pytest.importorskip("onnx")
    folder = tmp_path_factory.mktemp("bundles") / "flat"
    write_flat_gan(folder)
    return str(folder)


def evidence_of(pixels: NDArray[np.uint8]) -> Evidence:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return read_evidence(buffer.getvalue(), name="made.png")


def forged(height: int = 160, width: int = 200) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A flat image with a patch of another colour in it."""
    pixels = np.full((height, width, 3), 90, np.uint8)
    mask = np.zeros((height, width), bool)
    mask[40:100, 110:170] = True
    pixels[mask] = (220, 200, 210)
    return pixels, mask


def analyze(pixels: NDArray[np.uint8], bundle: str, **options: str) -> Finding:
    chosen = GanReconstruction.Options.model_validate({"bundle": bundle, "kind": "absolute"} | options)
    method = GanReconstruction(chosen)
    return method.analyze(evidence_of(pixels))


@pytest.mark.parametrize("view", ["whole", "patches"])
def test_a_part_that_the_generator_cannot_make_is_found(bundle: str, view: str) -> None:
    pixels, mask = forged()
    finding = analyze(pixels, bundle, view=view)
    assert finding.status == "ok"
    assert finding.map is not None
    assert finding.mask is not None
    inside, outside = finding.map.values[mask], finding.map.values[~mask]
    assert inside.mean() > outside.mean() + 0.2
    assert finding.mask[mask].mean() > 0.6
    assert finding.mask[~mask].mean() < 0.1
    assert finding.observations["view"] == view
    flat = analyze(np.full_like(pixels, 90), bundle, view=view)
    assert flat.score is not None
    assert finding.score is not None
    assert flat.score < 0.05 < finding.score
    assert flat.mask is not None
    assert not flat.mask.any()


def test_the_map_is_a_half_at_the_threshold(bundle: str) -> None:
    """Half of the image is darker than the mean by exactly the threshold, half lighter."""
    pixels = np.full((SIDE, SIDE, 3), 128, np.uint8)
    pixels[:32] -= round(255 * THRESHOLD)
    pixels[32:] += round(255 * THRESHOLD)
    finding = analyze(pixels, bundle)
    assert finding.map is not None
    np.testing.assert_allclose(finding.map.values[8:24], 0.5, atol=0.01)
    np.testing.assert_allclose(finding.map.values[40:56], 0.5, atol=0.01)


def test_picture_shows_image_reconstruction_and_difference(bundle: str) -> None:
    finding = analyze(forged()[0], bundle)
    picture = finding.artifacts["reconstruction"].pixels
    assert picture.shape == (SIDE, 3 * SIDE, 3)
    assert np.ptp(picture[:, SIDE : 2 * SIDE].reshape(-1, 3), axis=0).max() <= 1, "one colour"


def test_small_images_and_too_many_patches_are_declined(bundle: str) -> None:
    small = analyze(np.zeros((40, 300, 3), np.uint8), bundle)
    assert small.status == "not_applicable"
    assert "300x40" in small.notes[0]
    large = np.zeros((900, 1200, 3), np.uint8)
    assert "Set view to whole" in analyze(large, bundle, view="patches").notes[0]
    assert analyze(large, bundle).status == "ok"


def test_a_mode_without_a_threshold_is_named(bundle: str) -> None:
    with pytest.raises(BundleError, match=r"flat has no threshold for noise, whole, absolute\. It has"):
        analyze(forged()[0], bundle, mode="noise")


def test_the_bundle_in_use_is_told(bundle: str) -> None:
    method = GanReconstruction(GanReconstruction.Options(bundle=bundle))
    assert list(method.bundle_digests) == ["flat"]
    assert len(method.bundle_digests["flat"]) == 64


def test_missing_bundle_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is no bundle"):
        analyze(forged()[0], f"{tmp_path}/none")
