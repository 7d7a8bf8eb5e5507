"""Pairs: the mask is exact, the twin is the untouched host, and both go through one chain."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from fixtures.textures import make_texture
from imforensics.datasets.synthesis.config import MANIPULATIONS, SaveConfig, SynthesisConfig
from imforensics.datasets.synthesis.pairs import ForgedPair, draw_pair
from imforensics.datasets.synthesis.pool import PhotoPool, load_pool
from imforensics.errors import DatasetError, MissingExtraError
from imforensics.preprocessing.jpeg import resave_jpeg

SIZE = (160, 240)
LOSSLESS = SaveConfig(jpeg=0)
KINDS = list(MANIPULATIONS)


def read(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=np.int16)


def only(kind: str, **values: object) -> SynthesisConfig:
    """One manipulation, nothing after it but a lossless save."""
    plain: dict[str, object] = {"resized": 0, "middle_save": 0, "last_save": LOSSLESS, "inpainting": False}
    return SynthesisConfig.model_validate({"manipulations": {kind: 1}, **plain, **values})


def draw(pool: PhotoPool, config: SynthesisConfig, index: int, seed: int = 1) -> ForgedPair:
    return draw_pair(pool, config, seed=seed, index=index, size=SIZE)


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_mask_differs_and_nearly_all_of_it(pool: PhotoPool, kind: str) -> None:
    config = only(kind, edges={"hard": 1}, min_change=4)
    for index in range(8):
        pair = draw(pool, config, index)
        differs = (read(pair.tampered) != read(pair.twin)).any(axis=2)
        assert pair.recipe["manipulation"] == kind
        assert not (differs & ~pair.mask).any()
        assert differs[pair.mask].mean() > (0.35 if kind == "text" else 0.8)


@pytest.mark.parametrize("kind", ["splicing", "copy_move", "retouch"])
def test_a_softened_edge_leaves_the_mask_by_its_own_width_only(pool: PhotoPool, kind: str) -> None:
    config = only(kind, edges={"feathered": 1}, feather=(2, 2), area=(0.1, 0.1))
    for index in range(4):
        pair = draw(pool, config, index)
        change = np.abs(read(pair.tampered) - read(pair.twin)).max(axis=2)
        rows, columns = np.nonzero((change > 0) & ~pair.mask)
        near = np.pad(pair.mask, 8)
        assert len(rows)
        assert all(near[r : r + 17, c : c + 17].any() for r, c in zip(rows, columns, strict=True))
        assert change[pair.mask].mean() > 4 * change[~pair.mask].mean()


def test_same_arguments_same_bytes_whatever_was_drawn_before(pool: PhotoPool, photo_folder: Path) -> None:
    config = SynthesisConfig(inpainting=False)
    first = [draw(pool, config, index) for index in (0, 1, 2)]
    fresh = load_pool(sorted(photo_folder.iterdir()), cache_bytes=1)
    again = draw(fresh, config, 2)
    assert (again.tampered, again.twin, again.recipe) == (
        first[2].tampered,
        first[2].twin,
        first[2].recipe,
    )
    np.testing.assert_array_equal(again.mask, first[2].mask)
    assert len({pair.twin for pair in first} | {draw(pool, config, 2, seed=2).twin}) == 4


def test_the_twin_is_the_photograph_itself(tmp_path: Path) -> None:
    pixels = make_texture(*SIZE, seed=9)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    config = only("removal", first_save=LOSSLESS)
    pool = load_pool([tmp_path / "photo.png"])
    for index in range(3):
        twin = read(draw(pool, config, index).twin)
        mirrored = [pixels[::up, ::left] for up in (1, -1) for left in (1, -1)]
        assert any(np.array_equal(twin, each) for each in mirrored)


def test_a_first_save_is_on_the_grid_of_the_picture_unless_asked(pool: PhotoPool) -> None:
    save = SaveConfig(
        jpeg=1, quality=(60, 60), usual_quality=(60, 60), tables={"ijg": 1}, subsampling={"4:4:4": 1}
    )

    def change_by_resaving(off_grid: float) -> float:
        """A picture that was saved at these settings on this grid hardly changes at another such save."""
        config = only("text", first_save=save, off_grid=off_grid, native=0, max_reduction=1.3)
        twins = [read(draw(pool, config, index).twin).astype(np.uint8) for index in range(6)]
        again = [resave_jpeg(twin, quality=60, subsampling="4:4:4") for twin in twins]
        changes = [np.abs(a.astype(int) - t).mean() for a, t in zip(again, twins, strict=True)]
        return float(max(changes) if off_grid == 0 else np.median(changes))

    assert change_by_resaving(0) < 0.6
    assert change_by_resaving(1) > 1.2


def test_both_files_went_through_one_chain(pool: PhotoPool) -> None:
    config = SynthesisConfig(inpainting=False, resized=0.5, middle_save=0.3, last_save=SaveConfig(jpeg=0.7))
    suffixes = set()
    for index in range(24):
        pair = draw(pool, config, index)
        one, other = (Image.open(io.BytesIO(data)) for data in (pair.tampered, pair.twin))
        assert one.format == other.format == {".jpg": "JPEG", ".png": "PNG"}[pair.suffix]
        assert one.size == other.size == SIZE[::-1]
        assert pair.mask.shape == SIZE
        assert config.min_area <= pair.mask.mean() < 0.5
        suffixes.add(pair.suffix)
        if isinstance(one, JpegImagePlugin.JpegImageFile):
            assert isinstance(other, JpegImagePlugin.JpegImageFile)
            assert one.quantization == other.quantization
            assert JpegImagePlugin.get_sampling(one) == JpegImagePlugin.get_sampling(other)
    assert suffixes == {".jpg", ".png"}


def test_far_from_the_alteration_both_files_decode_alike(pool: PhotoPool) -> None:
    config = only("splicing", middle_save=0.5, last_save=SaveConfig(jpeg=1), area=(0.02, 0.1))
    for index in range(12):
        pair = draw(pool, config, index)
        cells = np.asarray(Image.fromarray(pair.mask).convert("F").resize((15, 10), Image.Resampling.BOX)) > 0
        near = np.pad(cells, 1)
        touched = np.any([near[r : r + 10, c : c + 15] for r in range(3) for c in range(3)], axis=0)
        far = ~np.kron(touched, np.ones((16, 16), dtype=bool))
        assert far.any()
        np.testing.assert_array_equal(read(pair.tampered)[far], read(pair.twin)[far])


def test_a_resize_keeps_the_mask_on_the_alteration(pool: PhotoPool) -> None:
    config = only("splicing", resized=1, resize=(0.7, 0.7), area=(0.08, 0.08), edges={"hard": 1})
    for index in range(4):
        pair = draw(pool, config, index)
        assert pair.recipe["resize"] == pytest.approx(0.7, abs=0.15)
        change = np.abs(read(pair.tampered) - read(pair.twin)).max(axis=2)
        assert (change[pair.mask] > 0).mean() > 0.9
        assert (change[~pair.mask] > 0).mean() < 0.08


def test_areas_span_the_range_evenly_in_logarithm(pool: PhotoPool) -> None:
    config = only("splicing", area=(0.01, 0.2))
    areas = np.array([draw(pool, config, index).mask.mean() for index in range(60)])
    assert 0.025 < np.median(areas) < 0.075
    assert areas.min() < 0.02
    assert areas.max() > 0.1


def test_what_nobody_could_see_is_refused(pool: PhotoPool) -> None:
    with pytest.raises(DatasetError, match=r"None of 40 attempts at retouch .* lower min_change"):
        draw(pool, only("retouch", min_change=200), 0)


def test_too_large_a_size_names_the_fix(pool: PhotoPool) -> None:
    with pytest.raises(DatasetError, match="ask for a smaller size"):
        draw_pair(pool, SynthesisConfig(), seed=0, index=0, size=(500, 500))
    with pytest.raises(ValueError, match="at least 64x64; received 32x64"):
        draw_pair(pool, SynthesisConfig(), seed=0, index=0, size=(32, 64))


def test_inpainting_without_opencv_says_what_to_install(
    pool: PhotoPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingExtraError, match=r"imforensics\[copy-move\]"):
        [draw(pool, only("removal", inpainting=True), index) for index in range(8)]
    assert {draw(pool, only("removal"), index).recipe["manipulation"] for index in range(4)} == {"removal"}
