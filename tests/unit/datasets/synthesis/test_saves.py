"""Saves: the tables drawn are those in the file, and configurations that make no sense are refused."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin
from pydantic import ValidationError

from fixtures.textures import make_texture
from imforensics.config import load_config
from imforensics.datasets.synthesis.config import (
    SaveConfig,
    SynthesisConfig,
    SynthesizeConfig,
    SynthesizeNativeConfig,
)
from imforensics.datasets.synthesis.draws import draw_log_uniform, pick
from imforensics.datasets.synthesis.saves import camera_tables, draw_save, photoshop_tables
from imforensics.errors import ConfigError


def test_known_tables_are_there() -> None:
    names = {known.name for known in photoshop_tables()}
    assert {"photoshop level 10 (older set)", "photoshop level 8 (newer set)"} <= names
    assert {"photoshop quality 60", "photoshop quality 100"} <= names
    assert not any("level 0" in name or name[-10:] == "quality 10" or "level 3" in name for name in names)
    chroma = {known.name: known.subsampling for known in photoshop_tables()}
    assert chroma["photoshop level 6 (newer set)"] == "4:2:0"
    assert chroma["photoshop level 7 (newer set)"] == "4:4:4"
    assert chroma["photoshop quality 60"] == "4:4:4"
    assert len(camera_tables()) > 20


@pytest.mark.parametrize("source", ["ijg", "ramp", "capped", "mozjpeg", "jpegli", "photoshop", "real"])
def test_a_file_has_the_tables_that_were_drawn(source: str) -> None:
    pixels = make_texture(48, 64)
    config = SaveConfig.model_validate({"tables": {source: 1}})
    samplings = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}
    for seed in range(6):
        save = draw_save(np.random.default_rng(seed), config, ())
        assert save.table_set is not None
        assert save.table_set.subsampling in {None, save.subsampling}
        image = Image.open(io.BytesIO(save.encode(pixels)))
        assert isinstance(image, JpegImagePlugin.JpegImageFile)
        for number, table in enumerate(save.table_set.tables):
            np.testing.assert_array_equal(np.array(image.quantization[number]).reshape(8, 8), table)
        assert JpegImagePlugin.get_sampling(image) == samplings[save.subsampling]
        np.testing.assert_array_equal(save.pass_through(pixels), np.asarray(image))


def test_no_jpeg_leaves_the_pixels_alone() -> None:
    pixels = make_texture(48, 64)
    save = draw_save(np.random.default_rng(0), SaveConfig(jpeg=0), ())
    assert (save.suffix, save.describe()) == (".png", None)
    np.testing.assert_array_equal(save.pass_through(pixels), pixels)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(save.encode(pixels)))), pixels)


def test_most_qualities_are_usual() -> None:
    config = SaveConfig(quality=(50, 98), usual_quality=(80, 85), usual=0.8, tables={"ijg": 1})
    rng = np.random.default_rng(0)
    qualities = np.array([draw_save(rng, config, ()).quality for _ in range(600)])
    assert (qualities.min(), qualities.max()) == (50, 98)
    assert ((qualities >= 80) & (qualities <= 85)).mean() == pytest.approx(0.8 + 0.2 * 6 / 49, abs=0.05)


def test_draws_follow_their_weights() -> None:
    rng = np.random.default_rng(1)
    drawn = [pick(rng, {"a": 1, "b": 0, "c": 3}) for _ in range(2000)]
    assert drawn.count("c") / 2000 == pytest.approx(0.75, abs=0.04)
    assert "b" not in drawn
    values = [draw_log_uniform(rng, 0.01, 1) for _ in range(2000)]
    assert np.median(values) == pytest.approx(0.1, rel=0.2)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"manipulations": {"text": 0}}, "manipulations must be weights"),
        ({"edges": {"hard": -1, "feathered": 2}}, "edges must be weights"),
        ({"area": (0.3, 0.1)}, "area must be two numbers"),
        ({"min_area": 0.2, "area": (0.01, 0.1)}, "min_area must not be above"),
        ({"last_save": {"quality": (0, 50)}}, "quality must be two qualities"),
        ({"last_save": {"tables": {}}}, "tables must be weights"),
    ],
)
def test_configurations_without_sense_are_refused(values: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        SynthesisConfig.model_validate(values)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"deliveries": {"png": 0}}, "deliveries must be weights"),
        ({"deliveries": {"fax": 1}}, "as_saved"),
        ({"megapixels": (4, 2)}, "megapixels must be two numbers"),
        ({"copies": {"png": 2}}, "less than or equal to 1"),
        ({"copy_scales": (0, 1)}, "copy_scales must be two numbers"),
    ],
)
def test_native_configurations_without_sense_are_refused(values: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        SynthesizeNativeConfig.model_validate(values)


def test_a_small_size_is_refused_and_a_typo_is_named() -> None:
    with pytest.raises(ConfigError, match="size must be two sides of at least 64"):
        load_config(SynthesizeConfig, overrides=["size=[32, 64]"])
    with pytest.raises(ConfigError, match="did you mean last_save"):
        load_config(SynthesizeConfig, overrides=["last_sav.jpeg=1"])
