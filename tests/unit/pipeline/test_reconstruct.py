"""`reconstruct` with a GAN: what is asked of the reconstructor, and what is made of its answer."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from imforensics.errors import BundleError, ConfigError
from imforensics.models.gan import reconstruction
from imforensics.pipeline.reconstruct import reconstruct
from imforensics.preprocessing.inputs import resize_image


class Gray:
    """Answers with mid-gray, whatever it is shown."""

    name, digest, size = "made_gan", "2" * 64, (16, 16)

    def __init__(self, threshold: float | None) -> None:
        self.asked: list[tuple[str, str]] = []
        scale = None if threshold is None else SimpleNamespace(threshold=threshold, policy="far_2pct")
        manifest = SimpleNamespace(find_scale=lambda **_: scale)
        self.bundle = SimpleNamespace(manifest=manifest)

    def shrink(self, pixels: np.ndarray) -> np.ndarray:
        return np.clip(resize_image(pixels, self.size) / np.float32(255), 0, 1)

    def reconstruct(self, images: np.ndarray, *, mode: str) -> np.ndarray:
        self.asked.append((mode, "whole"))
        return np.full_like(images, 0.5)

    def reconstruct_image(self, pixels: np.ndarray, *, mode: str, view: str) -> np.ndarray:
        self.asked.append((mode, view))
        return np.full(pixels.shape, 0.5, np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    path = tmp_path / "gan"
    path.mkdir()
    (path / "bundle.yaml").write_text("schema_version: 1\nkind: gan\n")
    return str(path)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Mid-gray with a white square."""
    pixels = np.full((64, 96, 3), 128, np.uint8)
    pixels[16:48, 32:64] = 255
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize("view", ["whole", "patches"])
def test_the_extent_is_where_the_error_is(
    view: str, photo: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gray = Gray(threshold=0.25)
    monkeypatch.setattr(reconstruction, "load_reconstructor", lambda *_, **__: gray)
    found = reconstruct(photo, bundle=folder, mode="encoder", view=view)
    assert gray.asked == [("encoder", view)]
    assert found.extent is not None
    (region,) = found.extent.regions
    assert abs(region.top - 16) <= 4
    assert abs(region.left - 32) <= 6
    assert found.extent.share == pytest.approx(1 / 6, rel=0.25)
    assert found.map.values[32, 48] == pytest.approx(0.5 / (0.5 + 0.25), abs=0.01), "half at the threshold"
    assert found.similarity["mse"] == pytest.approx(0.25 / 6, rel=0.02)
    assert (found.bundle["kind"], found.bundle["name"]) == ("gan", "made_gan")
    assert found.mode == {"mode": "encoder", "view": view}


def test_defaults_and_a_bundle_without_threshold(
    photo: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gray = Gray(threshold=None)
    monkeypatch.setattr(reconstruction, "load_reconstructor", lambda *_, **__: gray)
    found = reconstruct(photo, bundle=folder)
    assert found.extent is None
    assert gray.asked == [("encoder+search", "whole")]


def test_bytes_are_read_too(folder: str, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconstruction, "load_reconstructor", lambda *_, **__: Gray(None))
    found = reconstruct(photo.read_bytes(), bundle=folder, name="-")
    assert (found.name, found.pixels.shape) == ("-", (64, 96, 3))


def test_what_cannot_reconstruct_is_refused(photo: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--mode"):
        reconstruct(photo, mode="best")
    other = tmp_path / "other"
    other.mkdir()
    (other / "bundle.yaml").write_text("kind: fusion\n")
    with pytest.raises(BundleError, match="kind 'fusion'"):
        reconstruct(photo, bundle=str(other))
