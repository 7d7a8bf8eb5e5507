"""Examples: a twin whose file was not altered gives the very same input as its host."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imforensics.datasets.twins import Twin
from imforensics.errors import DatasetError
from imforensics.models.classifier.config import NetworkInputConfig
from imforensics.models.classifier.examples import (
    Example,
    encode_like,
    labels_of,
    prepare_inputs,
    raw_examples,
    read_example,
    select_exact,
    twin_examples,
)
from imforensics.types import Sample, UInt8Array

SPEC = NetworkInputConfig(kind="ela", height=32, width=48)


def noise(seed: int, shape: tuple[int, ...] = (64, 96, 3)) -> UInt8Array:
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]]
    smooth = 128 + 60 * np.sin(rows / 9 + seed)[..., None] * np.cos(columns / 7)[..., None]
    rng = np.random.default_rng(seed)
    return np.clip(smooth + rng.normal(0, 12, shape), 0, 255).astype(np.uint8)


def save(path: Path, pixels: UInt8Array, **settings: object) -> Path:
    Image.fromarray(pixels).save(path, **settings)
    return path


def decode(path: Path) -> UInt8Array:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4", "4:2:2"])
def test_unaltered_twin_equals_its_host(tmp_path: Path, subsampling: str) -> None:
    tables = [[min(255, 3 + 2 * k) for k in range(64)], [min(255, 9 + 3 * k) for k in range(64)]]
    host = save(tmp_path / "host.jpg", noise(1), quality=88)
    saved_again = save(tmp_path / "again.jpg", decode(host), qtables=tables, subsampling=subsampling)
    sample = Sample(saved_again, 1, "g")
    authentic, tampered = twin_examples([Twin(sample, host, 1.0)])
    assert (authentic.label, tampered.label) == (0, 1)
    assert authentic.group == tampered.group == "g"
    np.testing.assert_array_equal(read_example(authentic), read_example(tampered))
    assert (read_example(authentic) != decode(host)).any()


def test_twin_differs_where_it_was_altered_alone(tmp_path: Path) -> None:
    host = save(tmp_path / "host.jpg", noise(1), quality=88)
    altered = decode(host).copy()
    altered[16:32, 32:48] = noise(5)[16:32, 32:48]
    forged = save(tmp_path / "forged.jpg", altered, quality=75, subsampling="4:4:4")
    authentic, tampered = twin_examples([Twin(Sample(forged, 1, "g"), host, 0.9)])
    differs = (read_example(authentic) != read_example(tampered)).any(axis=2)
    assert differs[16:32, 32:48].any()
    differs[16:32, 32:48] = False
    assert not differs.any()


def test_host_of_a_gray_tampered_file(tmp_path: Path) -> None:
    host = save(tmp_path / "host.jpg", noise(1), quality=88)
    gray = save(tmp_path / "gray.jpg", noise(1)[..., 0], quality=75)
    example = Example(host, 0, saved_like=gray)
    assert Image.open(io.BytesIO(encode_like(example))).mode == "L"  # as the tampered file, and as evaluated
    assert read_example(example).shape == (64, 96, 3)


def test_exact_twins_are_those_with_ijg_tables(tmp_path: Path) -> None:
    host = save(tmp_path / "host.jpg", noise(1), quality=88)
    ijg = save(tmp_path / "ijg.jpg", noise(2), quality=75)
    tables = [[min(255, 3 + 2 * k) for k in range(64)]] * 2
    other = save(tmp_path / "other.jpg", noise(2), qtables=tables)
    png = save(tmp_path / "lossless.png", noise(2))
    twins = twin_examples([Twin(Sample(path, 1, "g"), host, 1.0) for path in (other, ijg, png)])
    assert [example.image_path for example in select_exact(twins)] == [host, ijg]
    assert select_exact([]) == []


def test_saved_like_must_be_a_jpeg(tmp_path: Path) -> None:
    host = save(tmp_path / "host.jpg", noise(1), quality=88)
    other = save(tmp_path / "other.png", noise(1))
    with pytest.raises(DatasetError, match="is not a JPEG"):
        read_example(Example(host, 0, saved_like=other))


def test_prepared_inputs_keep_the_order(tmp_path: Path) -> None:
    samples = [
        Sample(save(tmp_path / f"{k}.png", np.full((40, 40, 3), 10 * k, np.uint8)), k % 2, str(k))  # type: ignore[arg-type]
        for k in range(9)
    ]
    examples = raw_examples(samples)
    spec = NetworkInputConfig(kind="rgb", height=16, width=24)
    inputs = prepare_inputs(examples, spec, workers=2)
    assert inputs.shape == (9, 16, 24, 3)
    assert inputs.dtype == np.float32
    np.testing.assert_allclose(inputs.mean(axis=(1, 2, 3)) * 255, np.arange(9) * 10, atol=1e-3)
    assert labels_of(examples).tolist() == [0, 1, 0, 1, 0, 1, 0, 1, 0]


def test_no_examples() -> None:
    with pytest.raises(DatasetError, match="No images for training"):
        prepare_inputs([], SPEC, stage="training")


def test_the_encoder_is_checked_against_pillow(tmp_path: Path) -> None:
    """The twin's chain written out by hand: decode, encode with the other file's tables, decode."""
    host = save(tmp_path / "host.jpg", noise(2), quality=90)
    like = save(tmp_path / "like.jpg", noise(3), quality=60, subsampling="4:2:2")
    with Image.open(like) as image:
        tables = image.quantization
    buffer = io.BytesIO()
    Image.fromarray(decode(host)).save(buffer, "JPEG", qtables=tables, subsampling="4:2:2")
    with Image.open(buffer) as again:
        expected = np.asarray(again)
    np.testing.assert_array_equal(read_example(Example(host, 0, saved_like=like)), expected)
