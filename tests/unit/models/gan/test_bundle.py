"""GAN bundles on disk: checked, run, refused where they were changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from fixtures.flat_gan import SIDE, write_flat_gan
from imforensics.errors import BundleError
from imforensics.models.classifier.bundle import load_bundle
from imforensics.models.gan.bundle import load_gan_bundle
from imforensics.models.gan.card import format_gan_card
from imforensics.models.gan.manifest import GanManifest, ReconstructionMeasurement
from imforensics.models.gan.reconstruction import load_reconstructor
from imforensics.models.kinds import list_bundles

pytestmark = pytest.mark.train  # the made bundle is written with onnx


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pytest.importorskip("onnx")
    write_flat_gan(tmp_path / "flat")
    return tmp_path / "flat"


def rewrite(folder: Path, **changes: object) -> None:
    path = folder / "bundle.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **changes}))


def test_networks_run_in_batches(folder: Path) -> None:
    bundle = load_gan_bundle(folder, threads=1)
    assert bundle.size == (SIDE, SIDE)
    images = np.random.default_rng(0).random((21, SIDE, SIDE, 3)).astype(np.float32)
    made = bundle.generate(bundle.encode(images))
    colours = np.broadcast_to(images.mean((1, 2), keepdims=True), images.shape)
    np.testing.assert_allclose(made, colours, atol=1e-5)
    np.testing.assert_allclose(bundle.features(images), images.mean((1, 2)), atol=1e-5)
    np.testing.assert_allclose(bundle.logits(images), images.mean((1, 2, 3)), atol=1e-5)
    with pytest.raises(ValueError, match="at least one"):
        bundle.encode(images[:0])


def test_reconstructor_by_path(folder: Path) -> None:
    maker = load_reconstructor(f"{folder}", threads=1)
    assert (maker.name, maker.size) == ("flat", (SIDE, SIDE))
    assert maker.digest == load_gan_bundle(folder).digest
    pixels = np.full((70, 90, 3), (10, 100, 200), np.uint8)
    made = maker.reconstruct_image(pixels, mode="encoder")
    np.testing.assert_allclose(made, pixels / 255, atol=1e-4)


@pytest.mark.parametrize("part", ["generator", "encoder", "discriminator", "search"])
def test_a_changed_network_is_refused(folder: Path, part: str) -> None:
    path = folder / f"{part}.onnx"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(BundleError, match=rf"{part}.onnx is not the network that bundle.yaml names"):
        load_gan_bundle(folder)


def test_a_changed_manifest_has_another_digest(folder: Path) -> None:
    before = load_gan_bundle(folder).digest
    rewrite(folder, name="other")
    assert load_gan_bundle(folder).digest != before


def test_what_is_no_gan_bundle_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"is no bundle: bundle\.yaml cannot be read"):
        load_gan_bundle(tmp_path)
    with pytest.raises(BundleError, match="of kind 'classifier', expected 'gan'"):
        load_gan_bundle("casia1_ela_cnn_twin")
    with pytest.raises(BundleError, match="of kind 'gan', expected 'classifier'"):
        load_bundle(folder)
    rewrite(folder, schema_version=2)
    with pytest.raises(BundleError, match="schema_version 2, expected 1"):
        load_gan_bundle(folder)
    rewrite(folder, schema_version=1, files={})
    with pytest.raises(BundleError, match="no file for generator, encoder, discriminator, search"):
        load_gan_bundle(folder)
    rewrite(folder, latent=-1)
    with pytest.raises(BundleError, match="latent"):
        load_gan_bundle(folder)


def test_a_network_that_does_not_load_is_named(folder: Path) -> None:
    import hashlib

    junk = b"no network"
    (folder / "encoder.onnx").write_bytes(junk)
    files = yaml.safe_load((folder / "bundle.yaml").read_text())["files"]
    files["encoder"]["sha256"] = hashlib.sha256(junk).hexdigest()
    rewrite(folder, files=files)
    with pytest.raises(BundleError, match=r"encoder\.onnx: the model does not load"):
        load_gan_bundle(folder).encode(np.zeros((1, SIDE, SIDE, 3), np.float32))


def test_kinds_are_listed_apart() -> None:
    assert "casia1_ela_cnn_twin" in list_bundles("classifier")
    assert "casia1_ela_cnn_twin" not in list_bundles("gan")
    for name in list_bundles("gan"):
        assert sum(path.stat().st_size for path in load_gan_bundle(name).folder.iterdir()) < 10_000_000


def test_the_card_tells_what_was_measured(folder: Path) -> None:
    manifest: GanManifest = load_gan_bundle(folder).manifest
    item = ReconstructionMeasurement(
        mode="search", view="whole", dataset="made", split="val", n=7, mse=0.0123, ssim=0.5, psnr=19.1
    )
    card = format_gan_card(manifest.model_copy(update={"measurements": (item,)}))
    assert (
        "| whole | search | gradient search from 3 random starts, 60 steps each | 7 | 0.0123 | 19.10 |"
        in card
    )
    assert "| encoder | patches | ssim | 0.2000 | far_2pct |" in card
    assert manifest.files["encoder"].sha256 in card
