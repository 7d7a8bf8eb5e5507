"""The residual autoencoder as a method: marks what is sharper than the rest, knows where it is blind."""

from __future__ import annotations

import numpy as np
import pytest

from fixtures.textures import make_texture
from imforensics.errors import BundleError
from imforensics.methods.reconstruction.autoencoder_residual import MIN_SIDE, AutoencoderResidual
from imforensics.types import Evidence, Metadata


def evidence_of(pixels: np.ndarray) -> Evidence:
    return Evidence(
        "made", None, 1, "0" * 64, "0" * 64, "PNG", True, "RGB", pixels, 1, 1, None, Metadata()
    )  # fmt: skip


def smooth_scene(height: int = 256, width: int = 320) -> np.ndarray:
    """A texture averaged over 5x5 pixels: out of focus all over."""
    sharp = make_texture(height, width, seed=4).astype(np.float32)
    for axis in (0, 1):
        sharp = np.mean([np.roll(sharp, shift, axis) for shift in range(-2, 3)], axis=0)
    return np.rint(sharp).astype(np.uint8)


def forged() -> np.ndarray:
    """The same with colourful, sharp noise pasted in."""
    pixels = smooth_scene()
    rng = np.random.default_rng(1)
    pixels[96:176, 128:224] = rng.integers(40, 216, (80, 96, 3), dtype=np.uint8)
    return pixels


def test_a_sharp_patch_is_marked_and_the_rest_is_not() -> None:
    finding = AutoencoderResidual().analyze(evidence_of(forged()))
    assert finding.status == "ok"
    assert finding.map.values[112:160, 144:208].min() > finding.threshold
    assert finding.mask[112:160, 144:208].all()
    assert not finding.mask[:48].any()
    assert not finding.mask[:, :64].any()
    even = AutoencoderResidual().analyze(evidence_of(smooth_scene()))
    assert not even.mask.any()
    assert even.score < 0.2 < finding.score


def test_mask_is_the_map_at_the_bundles_threshold() -> None:
    finding = AutoencoderResidual().analyze(evidence_of(forged()))
    wanted = (finding.map.values >= finding.threshold) & finding.map.valid
    np.testing.assert_array_equal(finding.mask, wanted)
    assert finding.threshold_policy == "far_2pct"
    share = finding.mask.sum() / finding.map.valid.sum()
    assert finding.observations["marked_share"] == pytest.approx(share, abs=1e-4)


def test_colour_that_deviates_downwards_raises_the_map() -> None:
    """Chroma counts in both directions: a place without colour noise among colour noise."""
    rng = np.random.default_rng(2)
    luma = rng.normal(0, 6, (256, 256, 1))
    pixels = np.clip(128 + luma + rng.normal(0, 6, (256, 256, 3)), 0, 255)
    with_gray = pixels.copy()
    with_gray[96:160, 96:160] = np.clip(128 + 1.2 * luma, 0, 255)[96:160, 96:160]
    maps = [AutoencoderResidual().analyze(evidence_of(p.astype(np.uint8))).map for p in (pixels, with_gray)]
    inside = [float(m.values[112:144, 112:144].mean()) for m in maps]
    assert inside[1] > inside[0]


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (np.zeros((MIN_SIDE - 1, 200, 3), np.uint8), "at least 32"),
        (np.full((64, 64, 3), 128, np.uint8), "Flat"),
        (np.full((64, 64, 3), 254, np.uint8), "Flat or saturated"),
    ],
)
def test_it_says_where_it_is_blind(pixels: np.ndarray, reason: str) -> None:
    finding = AutoencoderResidual().analyze(evidence_of(pixels))
    assert finding.status == "not_applicable"
    assert reason in finding.notes[0]


def test_the_bundle_is_named_and_a_missing_one_is_an_error() -> None:
    (name,) = AutoencoderResidual().bundle_digests
    assert name == "casia1_residual_autoencoder"
    with pytest.raises(BundleError, match="No bundle named"):
        AutoencoderResidual(AutoencoderResidual.Options(bundle="nothing")).analyze(evidence_of(forged()))
    with pytest.raises(BundleError, match="expected 'autoencoder'"):
        AutoencoderResidual(AutoencoderResidual.Options(bundle="casia1_ela_cnn_twin")).analyze(
            evidence_of(forged())
        )
