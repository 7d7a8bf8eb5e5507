"""The header baseline."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imforensics.datasets.shortcuts import (
    EncoderSettings,
    fit_header_baseline,
    measure_shortcut,
    read_encoder_settings,
)
from imforensics.errors import DatasetError
from imforensics.types import Sample

PIXELS = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
A, B = EncoderSettings("JPEG", ((1,) * 64,), "4:2:0"), EncoderSettings("JPEG", ((2,) * 64,), "4:2:0")
UNSEEN = EncoderSettings("PNG")


def save(path: Path, **settings: object) -> Path:
    Image.fromarray(PIXELS).save(path, **settings)
    return path


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_settings_of_a_jpeg(tmp_path: Path, subsampling: str) -> None:
    found = read_encoder_settings(save(tmp_path / "a.jpg", quality=80, subsampling=subsampling))
    assert (found.format, found.subsampling) == ("JPEG", subsampling)
    assert len(found.tables) == 3
    assert found.tables[0][0] == 6  # IJG table at quality 80: (16 * 40 + 50) // 100


def test_settings_of_other_formats_and_names(tmp_path: Path) -> None:
    assert read_encoder_settings(save(tmp_path / "a.png")) == EncoderSettings("PNG")
    png_named_jpg = tmp_path / "b.jpg"
    png_named_jpg.write_bytes((tmp_path / "a.png").read_bytes())
    assert read_encoder_settings(png_named_jpg) == EncoderSettings("PNG")


def test_a_gray_jpeg_has_one_component(tmp_path: Path) -> None:
    Image.fromarray(PIXELS[..., 0]).save(tmp_path / "gray.jpg")
    found = read_encoder_settings(tmp_path / "gray.jpg")
    assert (found.subsampling, len(found.tables)) == ("gray", 1)


def test_no_image_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"no image")
    with pytest.raises(DatasetError, match=r"a\.jpg cannot be read as an image"):
        read_encoder_settings(path)


def test_header_baseline_is_the_share_of_tampered_and_the_prior_for_what_was_never_seen() -> None:
    baseline = fit_header_baseline([A, A, A, A, B], [1, 1, 1, 0, 0])
    assert baseline.score(A) == 0.75
    assert baseline.score(B) == 0.0
    assert baseline.score(UNSEEN) == pytest.approx(0.6)


def test_header_baseline_needs_files() -> None:
    with pytest.raises(ValueError, match="at least one"):
        fit_header_baseline([], [])
    with pytest.raises(ValueError, match="one label per file"):
        fit_header_baseline([A], [1, 0])


def test_result_counts_what_was_never_seen(tmp_path: Path) -> None:
    train = [
        Sample(save(tmp_path / "0.jpg", quality=90), 0, "0"),
        Sample(save(tmp_path / "1.jpg", quality=75), 1, "1"),
        Sample(save(tmp_path / "2.jpg", quality=75), 1, "2"),
    ]
    test = [
        Sample(save(tmp_path / "3.jpg", quality=90), 0, "3"),
        Sample(save(tmp_path / "4.jpg", quality=75), 0, "4"),  # misled: it has the settings of the tampered
        Sample(save(tmp_path / "5.jpg", quality=50), 1, "5"),  # unseen: the prior, two thirds, says tampered
    ]
    result = measure_shortcut(train, test)
    assert result.scores == pytest.approx((0.0, 1.0, 2 / 3))
    assert result.accuracy == pytest.approx(2 / 3)
    assert result.unseen == 1
    with pytest.raises(ValueError, match="at least one sample"):
        measure_shortcut(train, [])


@pytest.mark.data
@pytest.mark.skipif("IMFORENSICS_DATA" not in os.environ, reason="IMFORENSICS_DATA names no data sets")
def test_casia1_is_told_apart_by_its_tables() -> None:
    from imforensics.datasets.base import load_dataset, load_split

    dataset = load_dataset("casia1")
    result = measure_shortcut(load_split(dataset, "train"), load_split(dataset, "test"))
    assert result.accuracy > 0.97
