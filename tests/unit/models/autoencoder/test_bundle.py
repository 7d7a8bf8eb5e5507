"""Autoencoder bundles: checked, run strip by strip without a seam; errors of blocks and their reference."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from fixtures.textures import make_texture
from imforensics.errors import BundleError
from imforensics.models.autoencoder import bundle as autoencoder_bundle
from imforensics.models.autoencoder.bands import group_means, residual_bands
from imforensics.models.autoencoder.bundle import DEFAULT_AUTOENCODER, AutoencoderBundle, load_autoencoder
from imforensics.models.autoencoder.error import FLOOR, error_map, log_errors, measure_reference


@pytest.fixture(scope="module")
def bundle() -> AutoencoderBundle:
    return load_autoencoder(DEFAULT_AUTOENCODER, threads=1)


def test_block_errors_are_the_mean_squares_of_what_is_lost(bundle: AutoencoderBundle) -> None:
    pixels = make_texture(90, 75)
    bands = residual_bands(pixels)
    lost = group_means((bundle.reconstruct(bands[None])[0] - bands) ** 2)
    found = bundle.block_errors(pixels, block=16)
    assert found.shape == (6, 5, 6)
    np.testing.assert_allclose(found[1, 2], lost[4:8, 8:12].mean(axis=(0, 1)), rtol=1e-4)
    np.testing.assert_allclose(found[0, 4], lost[:4, 16:].mean(axis=(0, 1)), rtol=1e-4)


def test_strips_leave_no_seam(bundle: AutoencoderBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = make_texture(230, 70)
    whole = bundle.block_errors(pixels, block=16), bundle.reconstruct_image(pixels)
    monkeypatch.setattr(autoencoder_bundle, "STRIP_PIXELS", 64 * 70)
    np.testing.assert_allclose(bundle.block_errors(pixels, block=16), whole[0], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(bundle.reconstruct_image(pixels), whole[1], atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (33, 17), (1, 40)])
def test_a_reconstruction_has_the_size_of_the_image(
    bundle: AutoencoderBundle, height: int, width: int
) -> None:
    pixels = make_texture(40, 40)[:height, :width]
    made = bundle.reconstruct_image(pixels)
    assert (made.shape, made.dtype) == (pixels.shape, np.float32)
    assert made.min() >= 0
    assert made.max() <= 1
    assert np.abs(made - pixels / 255).mean() < 0.1


def test_wrong_inputs_are_refused(bundle: AutoencoderBundle) -> None:
    with pytest.raises(TypeError, match="float32"):
        bundle.reconstruct(np.zeros((1, 4, 4, 45)))  # type: ignore[arg-type]
    for shape in ((1, 3, 4, 45), (1, 4, 4, 3), (4, 4, 45)):
        with pytest.raises(ValueError, match="multiples of 2"):
            bundle.reconstruct(np.zeros(shape, np.float32))
    with pytest.raises(ValueError, match="multiple of 8"):
        bundle.block_errors(np.zeros((16, 16, 3), np.uint8), block=12)


def test_a_changed_model_or_another_kind_is_refused(tmp_path: Path) -> None:
    source = load_autoencoder(DEFAULT_AUTOENCODER).folder
    copy = tmp_path / "copy"
    shutil.copytree(source, copy)
    assert load_autoencoder(copy).digest == load_autoencoder(DEFAULT_AUTOENCODER).digest
    with (copy / "model.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(BundleError, match="is not the model"):
        load_autoencoder(copy)
    manifest = copy / "bundle.yaml"
    text = manifest.read_text()
    for changed, message in (
        (text.replace("kind: autoencoder", "kind: classifier"), "expected 'autoencoder'"),
        (text.replace("schema_version: 1", "schema_version: 2"), "schema_version 2"),
        (text + "surplus: 1\n", "surplus: unknown key"),
        ("a: [", "not YAML"),
    ):
        manifest.write_text(changed)
        with pytest.raises(BundleError, match=message):
            load_autoencoder(copy)
    manifest.unlink()
    with pytest.raises(BundleError, match=r"bundle\.yaml cannot be read"):
        load_autoencoder(copy)


def test_the_manifest_comes_back_from_its_text(bundle: AutoencoderBundle, tmp_path: Path) -> None:
    shutil.copytree(bundle.folder, tmp_path / "copy")
    (tmp_path / "copy" / "bundle.yaml").write_text(bundle.manifest.to_yaml())
    assert load_autoencoder(tmp_path / "copy").manifest == bundle.manifest
    assert (bundle.folder / "model.onnx").stat().st_size < 10_000_000


def test_errors_are_averaged_over_what_is_valid_only() -> None:
    errors = np.ones((7, 7, 6), np.float32)
    errors[3, 3] = 1000
    valid = np.ones((7, 7), np.bool_)
    valid[3, 3] = False
    np.testing.assert_allclose(log_errors(errors, valid), np.log(1 + FLOOR), atol=1e-6)
    spread = log_errors(errors, np.ones_like(valid))
    assert spread[1, 1, 0] > spread[0, 0, 0] == pytest.approx(np.log(1 + FLOOR))
    nothing = log_errors(errors, np.zeros_like(valid))
    np.testing.assert_allclose(nothing, np.log(FLOOR), atol=1e-6)


def test_two_of_a_hundred_authentic_pixels_are_beyond_the_threshold(bundle: AutoencoderBundle) -> None:
    images = [make_texture(160, 160, seed) for seed in range(5)]
    reference = measure_reference(bundle, images, population="made")
    assert reference.population == "made"
    beyond = []
    for pixels in images:
        valid = np.ones((10, 10), np.bool_)
        logs = log_errors(bundle.block_errors(pixels, block=16), valid)
        beyond.append(error_map(logs, valid, reference) >= reference.threshold)
    assert 0.005 <= np.mean(beyond) <= 0.05
    with pytest.raises(ValueError, match="something to analyse"):
        measure_reference(bundle, [np.zeros((32, 32, 3), np.uint8)], population="none")


def test_the_map_is_half_two_deviations_above_the_mean(bundle: AutoencoderBundle) -> None:
    reference = bundle.manifest.reference
    assert reference is not None
    means, deviations = np.array(reference.log_mean), np.array(reference.log_std)
    logs = np.broadcast_to(means + 2 * deviations, (4, 5, 6)).astype(np.float32)
    valid = np.ones((4, 5), np.bool_)
    np.testing.assert_allclose(error_map(logs, valid, reference), 0.5, atol=1e-4)
    aside = logs.copy()
    aside[0, 0, [1, 2, 4, 5]] += deviations[[1, 2, 4, 5]]  # one deviation more in chroma: 2/3 and 1
    value = error_map(aside, valid, reference)[0, 0]
    assert value == pytest.approx(1 / (1 + np.exp(-(4 / 6 + 1))), abs=1e-4)
