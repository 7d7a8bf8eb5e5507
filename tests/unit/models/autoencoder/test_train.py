"""The fit of an autoencoder: learns, resumes to the same rows, is exported again when it is finished."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from imforensics.config import load_config
from imforensics.errors import InterruptedRunError, OutputExistsError
from imforensics.metrics.similarity import ssim
from imforensics.models.autoencoder.bundle import load_autoencoder
from imforensics.models.autoencoder.config import TrainAutoencoderConfig
from imforensics.models.autoencoder.fit import AutoencoderRow
from imforensics.models.training.checkpoints import SavedState
from imforensics.models.training.run import TrainingRun

SETTINGS = (
    "data.source=npz",
    "data.content=gray",
    "network.filters=[8, 8]",
    "network.latent=4",
    "fit.loss=binary_crossentropy",
    "fit.batch_size=16",
)
QUIET = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    """Bars at random places, 16x16."""
    rng = np.random.default_rng(0)
    images = np.zeros((96, 16, 16), np.uint8)
    for image in images:
        top, left = rng.integers(0, 12, 2)
        image[top : top + 4, :] = 120
        image[:, left : left + 3] = 255
    path = tmp_path / "bars.npz"
    np.savez(path, x_train=images[:64], x_test=images[64:])
    return path


def configure(digits: Path, epochs: int) -> TrainAutoencoderConfig:
    return load_config(
        TrainAutoencoderConfig, None, [*SETTINGS, f"data.path={digits}", f"fit.epochs={epochs}"]
    )


def comparable(state: SavedState[AutoencoderRow]) -> list[dict[str, float]]:
    return [one.model_dump(exclude={"seconds", "images_per_second"}) for one in state.rows]


@pytest.mark.slow
@pytest.mark.train
@QUIET
def test_a_resumed_run_ends_with_the_same_rows(digits: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    pytest.importorskip("onnx")
    from imforensics.models.autoencoder.data import load_autoencoder_data
    from imforensics.models.autoencoder.fit import fit_autoencoder
    from imforensics.models.autoencoder.train import train_autoencoder

    whole = train_autoencoder(configure(digits, 4), TrainingRun(tmp_path / "whole"))
    (tmp_path / "parts").mkdir()
    for epochs in (2, 4):  # a stop after the second epoch
        config = configure(digits, epochs)
        data = load_autoencoder_data(config.data, seed=config.seed)
        _, resumed = fit_autoencoder(config, data, tmp_path / "parts")
    assert comparable(resumed) == comparable(whole.state)
    assert whole.state.rows[-1].mse < whole.state.rows[0].mse, "it learns"

    again = train_autoencoder(configure(digits, 4), TrainingRun(tmp_path / "whole", resume=True))
    assert again.state == whole.state, "a finished run is not fitted again"
    assert again.manifest.measurements == whole.manifest.measurements
    check_run(tmp_path / "whole", np.load(digits)["x_test"])
    with pytest.raises(OutputExistsError, match="--resume"):
        train_autoencoder(configure(digits, 4), TrainingRun(tmp_path / "whole"))
    changed = configure(digits, 4).model_copy(update={"seed": 1})
    with pytest.raises(InterruptedRunError, match="seed: 1"):
        train_autoencoder(changed, TrainingRun(tmp_path / "whole", resume=True))


def check_run(run: Path, validation: np.ndarray) -> None:
    import tensorflow as tf

    names = {"config.yaml", "training_log.csv", "curves.png", "curves.md", "curves.json", "metrics.json"}
    names |= {"MODEL_CARD.md", "bundle", "checkpoints", "tensorboard"}
    assert names <= {path.name for path in run.iterdir()}
    bundle = load_autoencoder(run / "bundle")
    images = (validation / np.float32(255))[..., None].astype(np.float32)
    made = bundle.reconstruct(images)
    assert ((made >= 0) & (made <= 1)).all()
    measured = next(item for item in bundle.manifest.measurements if item.split == "val")
    assert measured.mse == pytest.approx(float(((made - images) ** 2).mean()), rel=1e-4)
    assert json.loads((run / "metrics.json").read_text())["measurements"][1]["mse"] == measured.mse
    theirs = tf.image.ssim(images, made, max_val=1.0).numpy()
    ours = [ssim(one, other) for one, other in zip(images, made, strict=True)]
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
    assert bundle.manifest.reference is None
    with pytest.raises(ValueError, match="digits"):
        bundle.reconstruct_image(np.zeros((32, 32, 3), np.uint8))


@pytest.mark.train
@QUIET
def test_the_network_halves_and_doubles() -> None:
    pytest.importorskip("tensorflow")
    from imforensics.models.autoencoder.network import build_autoencoder

    model = build_autoencoder(3, filters=(4, 6, 8), latent=2, output="sigmoid", seed=1)
    inputs = np.random.default_rng(0).random((2, 12, 20, 3), dtype=np.float32)
    assert model(inputs).shape == (2, 12, 20, 3)
    assert [layer.name for layer in model.layers if "double" in layer.name] == ["double_0", "double_1"]
    same = build_autoencoder(3, filters=(4, 6, 8), latent=2, output="sigmoid", seed=1)
    np.testing.assert_array_equal(model(inputs), same(inputs))
    with pytest.raises(ValueError, match="at least two"):
        build_autoencoder(3, filters=(4,), latent=2, output="linear")
