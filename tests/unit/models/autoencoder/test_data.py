"""What autoencoders learn from: digits, npz files, patches; and the configuration's checks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fixtures.synthetic import make_photo_like
from imforensics.config import load_config
from imforensics.errors import ConfigError, DatasetError
from imforensics.models.autoencoder.bands import residual_bands
from imforensics.models.autoencoder.config import AutoencoderDataConfig, TrainAutoencoderConfig
from imforensics.models.autoencoder.data import cut_patches, load_autoencoder_data

ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize("name", ["paper", "casia", "residual"])
def test_shipped_configurations_are_valid(name: str) -> None:
    config = load_config(TrainAutoencoderConfig, ROOT / "configs" / f"train_autoencoder_{name}.yaml")
    if name == "paper":  # convolutional, Adam, binary cross-entropy, 50 epochs, batch 256
        assert (config.fit.loss, config.fit.epochs, config.fit.batch_size) == ("binary_crossentropy", 50, 256)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("fit.loss=binary_crossentropy", "residuals have both signs"),
        ("data.source=npz", "npz needs path"),
        ("data.source=digits", "content is gray"),
        ("data.resave_qualities=[90, 80]", "lower one first"),
        ("data.side=20", "multiple of 8"),
        ("data.side=40", "at least 48"),
        ("network.filters=[8]", "at least 2 items"),
    ],
)
def test_what_does_not_fit_together_is_refused(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(TrainAutoencoderConfig, None, [override])


def test_digits_are_split_and_enlarged() -> None:
    pytest.importorskip("sklearn")
    data = load_autoencoder_data(AutoencoderDataConfig(source="digits", content="gray"), seed=0)
    assert data.train.shape == (1438, 28, 28, 1)
    assert data.validation.shape == (359, 28, 28, 1)
    assert (data.train.min(), data.train.max()) == (0, 1)


def test_an_npz_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "made.npz"
    rng = np.random.default_rng(0)
    digits = rng.integers(0, 256, (6, 14, 15), dtype=np.uint8)
    np.savez(path, x_train=digits, x_test=digits[:2])
    data = load_autoencoder_data(AutoencoderDataConfig(source="npz", path=path, content="gray"), seed=0)
    assert (data.train.shape, data.validation.shape) == ((6, 16, 16, 1), (2, 16, 16, 1))
    np.testing.assert_allclose(data.train[0, :14, :15, 0], digits[0] / 255, atol=1e-6)
    for arrays, message in (
        ({"x_train": digits}, "x_test"),
        ({"x_train": digits / 2, "x_test": digits}, "expected uint8"),
        ({"x_train": digits[:, :5], "x_test": digits}, "at least 11"),
    ):
        np.savez(path, **arrays)
        with pytest.raises(DatasetError, match=message):
            load_autoencoder_data(AutoencoderDataConfig(source="npz", path=path, content="gray"), seed=0)
    missing = AutoencoderDataConfig(source="npz", path=tmp_path / "none.npz", content="gray")
    with pytest.raises(DatasetError, match="cannot be read"):
        load_autoencoder_data(missing, seed=0)


def test_patches_are_parts_of_the_image_and_a_function_of_the_generator() -> None:
    pixels = make_photo_like(96, 128)
    config = AutoencoderDataConfig(side=64, per_image=5, resave_share=0)
    patches = cut_patches(pixels, config, rng=np.random.default_rng(3))
    assert patches.shape == (5, 16, 16, 45)
    bands = residual_bands(pixels)
    places = [
        (top, left)
        for top in range(9)
        for left in range(17)
        if np.array_equal(bands[top : top + 16, left : left + 16], patches[0])
    ]
    assert len(places) == 1
    again = cut_patches(pixels, config, rng=np.random.default_rng(3))
    np.testing.assert_array_equal(patches, again)
    other = cut_patches(pixels, config, rng=np.random.default_rng(4))
    assert not np.array_equal(patches, other)


def test_rgb_patches_are_pixels_and_some_images_are_saved_again() -> None:
    pixels = make_photo_like(64, 64)
    config = AutoencoderDataConfig(content="rgb", side=64, per_image=1, resave_share=0)
    plain = cut_patches(pixels, config, rng=np.random.default_rng(0))[0]
    np.testing.assert_allclose(plain, pixels / 255, atol=1e-6)
    resaved = config.model_copy(update={"resave_share": 1.0, "resave_qualities": (50, 50)})
    changed = cut_patches(pixels, resaved, rng=np.random.default_rng(0))[0]
    assert 0.001 < np.abs(changed - plain).mean() < 0.1


def test_an_image_smaller_than_a_patch_gives_none() -> None:
    config = AutoencoderDataConfig(side=64)
    assert len(cut_patches(make_photo_like(40, 200), config, rng=np.random.default_rng(0))) == 0
