import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imforensics.datasets.header_facts import (
    FACT_NAMES,
    cross_validate_lookup,
    read_header_facts,
    tabulate_facts,
)
from imforensics.errors import DatasetError


def save(path: Path, *, seed: int = 0, **options: object) -> Path:
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 56, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, **options)
    return path


def test_facts_of_a_jpeg_and_a_png(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0131] = "made"
    jpeg = read_header_facts(save(tmp_path / "a.jpg", quality=80, subsampling=0, exif=exif))
    assert (jpeg.format, jpeg.subsampling, jpeg.size, jpeg.has_exif) == ("JPEG", "4:4:4", (40, 56), True)
    assert len(jpeg.tables) == 3
    assert "SOI" in jpeg.markers
    png = read_header_facts(save(tmp_path / "a.png"))
    assert (png.format, png.tables, png.subsampling, png.markers) == ("PNG", (), "", ())
    assert not png.has_exif
    assert png.bytes_per_pixel == (tmp_path / "a.png").stat().st_size / (40 * 56)


def test_a_file_that_is_no_image_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("no")
    with pytest.raises(DatasetError, match="cannot be read as an image"):
        read_header_facts(tmp_path / "a.jpg")


def test_the_table_has_every_fact_of_every_file(tmp_path: Path) -> None:
    facts = [read_header_facts(save(tmp_path / f"{q}.jpg", quality=q)) for q in (60, 75, 90)]
    table = tabulate_facts(facts)
    assert tuple(table) == FACT_NAMES
    assert all(len(values) == 3 for values in table.values())
    assert len(set(table["quantization tables"])) == 3
    assert len(set(table["format"])) == 1


def test_a_fact_that_tells_all_scores_every_file_right() -> None:
    labels = [i % 2 for i in range(60)]
    scores = cross_validate_lookup(["ab"[x] for x in labels], labels, [str(i) for i in range(60)], seed=0)
    assert scores is not None
    assert ((scores > 0) == np.array(labels, bool)).all()


def test_a_value_seen_in_one_group_only_tells_nothing_about_it() -> None:
    """The look-up must not learn a file's own label: every value is unique, so every score is 0."""
    labels = [i % 2 for i in range(40)]
    scores = cross_validate_lookup(list(range(40)), labels, [str(i) for i in range(40)], seed=0)
    assert scores is not None
    assert (scores == 0).all()


def test_siblings_do_not_help_each_other() -> None:
    """A value that a whole group shares is unseen when the group is held out."""
    groups = [str(i // 4) for i in range(80)]
    labels = [int(group) % 2 for group in groups]
    scores = cross_validate_lookup(groups, labels, groups, seed=3)
    assert scores is not None
    assert (scores == 0).all()


def test_one_class_or_one_group_cannot_be_told_apart() -> None:
    assert cross_validate_lookup(["a", "b"], [1, 1], ["x", "y"], seed=0) is None
    assert cross_validate_lookup(["a", "b"], [0, 1], ["x", "x"], seed=0) is None


def test_pixels_are_not_decoded(tmp_path: Path) -> None:
    """A JPEG cut off in its scan still has its header facts."""
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(buffer, "JPEG")
    content = buffer.getvalue()
    (tmp_path / "cut.jpg").write_bytes(content[: len(content) - 20])
    assert read_header_facts(tmp_path / "cut.jpg").size == (64, 64)
