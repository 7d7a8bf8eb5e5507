"""`train-gan` as a program: a kill in the middle costs nothing but the unfinished epoch."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fixtures.training_runs import TrainingProgram, rows_of, skip_without, write_manifest
from imforensics.models.gan.bundle import load_gan_bundle
from imforensics.models.gan.reconstruction import load_reconstructor

pytestmark = [pytest.mark.train, pytest.mark.usefixtures("training_extra")]
PROGRAM = TrainingProgram(
    "train-gan",
    (
        "dataset.name=folder",
        "images.size=16",
        "networks.latent=4",
        "networks.generator_filters=[8, 8, 4]",
        "networks.discriminator_filters=[4, 8]",
        "networks.encoder_filters=[4, 8]",
        "fit.batch_size=4",
        "fit.epochs=6",
        "fit.sample_every=3",
        "fit.samples=8",
        "encoder.batch_size=4",
        "encoder.epochs=3",
        "search.steps=3",
        "search.restarts=2",
    ),
)


@pytest.fixture(scope="module")
def training_extra() -> None:
    skip_without("tensorflow", "keras", "onnx")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made data set of two-coloured pictures; the tampered ones must not be read."""
    root = tmp_path_factory.mktemp("made")
    rng = np.random.default_rng(0)
    rows = []
    for number in range(24):
        pixels = np.empty((20, 24, 3), np.uint8)
        pixels[:, :12], pixels[:, 12:] = rng.integers(0, 256, (2, 3))
        name, label = f"{number:03d}.png", int(number % 6 == 5)
        if label:
            (root / name).write_bytes(b"no image")
        else:
            Image.fromarray(pixels).save(root / name)
        split = "train" if number < 15 else "val"
        rows.append({"image": name, "label": label, "group": f"g{number}", "split": split})
    return write_manifest(root, rows)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
def test_killed_run_goes_on_to_the_same_losses(manifest: Path, tmp_path: Path) -> None:
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    printed = PROGRAM.train_straight_and_killed(manifest, straight, killed)
    assert rows_of(killed, "encoder_log.csv") == rows_of(straight, "encoder_log.csv") != []
    for name in ("generator", "encoder", "discriminator", "search"):
        networks = [(run / "bundle" / f"{name}.onnx").read_bytes() for run in (straight, killed)]
        assert networks[0] == networks[1]
    check_run_folder(killed, json.loads(printed))
    check_export_again(manifest, straight)
    PROGRAM.check_other_settings_are_refused(manifest, killed)


def check_run_folder(run: Path, printed: dict[str, object]) -> None:
    names = {path.name for path in run.iterdir()}
    assert names >= {"config.yaml", "training_log.csv", "encoder_log.csv", "curves.png", "curves.md"}
    assert names >= {"tensorboard", "checkpoints", "samples", "samples.jpg", "bundle", "MODEL_CARD.md"}
    assert sorted(path.name for path in (run / "samples").iterdir()) == [
        "epoch_0000.png",
        "epoch_0003.png",
        "epoch_0006.png",
    ]
    manifest = load_gan_bundle(run / "bundle").manifest
    assert {(item.mode, item.view) for item in manifest.measurements} == {
        (mode, view)
        for mode in ("noise", "search", "encoder", "encoder+search")
        for view in ("whole", "patches")
    }
    assert manifest.provenance.train_images == 13, "authentic images only"
    assert len(manifest.error_scales) == 10
    assert printed["epochs"] == 6
    made = load_reconstructor(run / "bundle").reconstruct(np.zeros((1, 16, 16, 3), np.float32))
    assert made.shape == (1, 16, 16, 3)


def check_export_again(manifest: Path, run: Path) -> None:
    """A finished run that is resumed changes no network and writes the bundle anew."""
    rows, bundle = rows_of(run), run / "bundle"
    network = (bundle / "search.onnx").read_bytes()
    (bundle / "search.onnx").unlink()
    (bundle / "bundle.yaml").unlink()
    PROGRAM.train_well(manifest, run, "--resume")
    assert rows_of(run) == rows
    assert (bundle / "search.onnx").read_bytes() == network
    assert load_gan_bundle(bundle).manifest.provenance.gan_epochs == 6
