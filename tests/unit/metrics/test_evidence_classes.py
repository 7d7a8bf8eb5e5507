"""Classes of evidence: by size, history and fineness; drawings are told from photographs."""

import numpy as np
import pytest

from imforensics.evidence import read_evidence
from imforensics.evidence.quantization import ijg_tables
from imforensics.metrics.evidence_classes import (
    CLASS_NAMES,
    classes_of,
    describe_class,
    describe_graphic,
    name_classes,
)


@pytest.mark.parametrize(
    ("height", "width", "size"),
    [
        (64, 64, "small"),
        (1000, 999, "small"),
        (1000, 1000, "medium"),
        (2000, 2000, "medium"),
        (2001, 2000, "large"),
    ],
)
def test_sizes_meet_without_a_gap(height, width, size):
    assert name_classes(height=height, width=width, history="no_jpeg") == (f"no_jpeg_{size}",)


@pytest.mark.parametrize(
    ("quality", "fineness"), [(75, "coarse"), (89, "coarse"), (90, "fine"), (98, "fine")]
)
def test_fineness_is_that_of_the_luma_table(quality, fineness):
    table = ijg_tables(quality)[0]
    names = name_classes(height=100, width=100, history="jpeg", luma_table=table)
    assert names == (f"jpeg_small_{fineness}", "jpeg_small")


def test_a_jpeg_and_a_png_of_it_are_of_different_classes(jpeg_bytes, tmp_path):
    from io import BytesIO

    from PIL import Image

    content = jpeg_bytes(96, 128)
    assert classes_of(read_evidence(content, name="a.jpg"))[-1] == "jpeg_small"
    Image.open(BytesIO(content)).save(tmp_path / "a.png")
    (name,) = classes_of(read_evidence(tmp_path / "a.png"))
    assert name in {"no_jpeg_small", "inferred_jpeg_small"}


def test_every_class_has_words_of_its_own():
    words = {describe_class(f"{name}{end}") for name in CLASS_NAMES for end in ("", "_fine", "_coarse")}
    assert len(words) == 3 * len(CLASS_NAMES)


def test_a_drawing_is_no_photograph(photo_like):
    photo = photo_like(200, 300, seed=1)
    assert describe_graphic(photo) is None
    drawing = np.full((200, 300, 3), 255, np.uint8)
    drawing[40:160, 50:90] = (200, 30, 30)
    assert "of one colour" in describe_graphic(drawing)
    half = photo.copy()
    half[:, :150] = 255  # a product in front of plain white is a photograph still
    assert describe_graphic(half) is None
    few = np.random.default_rng(0).integers(0, 4, (200, 300, 1), np.uint8) * np.uint8(60)
    assert "4 colours" in describe_graphic(few.repeat(3, axis=2))
    assert describe_graphic(photo[:7]) is None


def test_a_large_picture_is_judged_by_a_sample(photo_like):
    photo = np.tile(photo_like(200, 300, seed=2), (12, 10, 1))
    assert describe_graphic(photo) is None
