"""The extent of what a map marks, and the pictures of a reconstruction."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fixtures.synthetic import make_photo_like
from imforensics.errors import OutputExistsError
from imforensics.outputs import MARKER
from imforensics.report.reconstruction import (
    DIFFERENCE_SCALE,
    Reconstruction,
    draw_panels,
    draw_side_by_side,
    measure_extent,
)
from imforensics.report.reconstruction_writer import write_reconstruction
from imforensics.types import LocalizationMap


def marked(height: int, width: int, *boxes: tuple[int, int, int, int]) -> LocalizationMap:
    values = np.full((height, width), 0.1, np.float32)
    for top, left, rows, columns in boxes:
        values[top : top + rows, left : left + columns] = 0.8
    return LocalizationMap(values)


def make(map_: LocalizationMap, **changes: object) -> Reconstruction:
    height, width = map_.values.shape
    pixels = make_photo_like(height, width)
    known: dict[str, object] = {
        "name": "photo\x1b[31m.jpg",
        "sha256": "0" * 64,
        "pixels": pixels,
        "orientation": 1,
        "made": np.clip(pixels.astype(int) + 10, 0, 255).astype(np.uint8),
        "map": map_,
        "extent": measure_extent(map_, threshold=0.5, policy="far_2pct"),
        "bundle": {"name": "made", "kind": "gan", "sha256": "1" * 64},
        "mode": {"mode": "encoder"},
        "similarity": {"mse": 0.1, "psnr": None, "ssim": 0.5},
        "seconds": {"read": 0.1},
        "notes": ("A note.",),
    }
    return Reconstruction(**(known | changes))  # type: ignore[arg-type]


def test_extent_gives_area_and_boxes() -> None:
    extent = measure_extent(marked(60, 80, (10, 20, 8, 5), (40, 60, 2, 3)), threshold=0.5, policy="p")
    assert extent.share == pytest.approx(46 / 4800)
    assert extent.count == 2
    first = extent.regions[0]
    assert (first.top, first.left, first.height, first.width, first.area) == (10, 20, 8, 5, 40)
    assert extent.regions[1].area == 6


def test_large_maps_are_measured_in_squares_and_told_in_pixels() -> None:
    extent = measure_extent(marked(1500, 2050, (300, 600, 90, 120)), threshold=0.5, policy="p")
    (region,) = extent.regions
    assert (region.top, region.left) == (300, 600)
    assert (region.height, region.width, region.area) == (90, 120, 90 * 120)
    assert extent.share == pytest.approx(90 * 120 / (1500 * 2050))
    whole = measure_extent(marked(1, 2050, (0, 0, 1, 2050)), threshold=0.5, policy="p")
    assert whole.share == pytest.approx(1.0)
    assert (whole.regions[0].height, whole.regions[0].width) == (1, 2050)


def test_what_is_not_valid_is_not_marked() -> None:
    map_ = marked(40, 40, (0, 0, 10, 10))
    valid = np.ones((40, 40), np.bool_)
    valid[:10, :10] = False
    extent = measure_extent(LocalizationMap(map_.values, valid), threshold=0.5, policy="p")
    assert (extent.share, extent.count, extent.regions) == (0, 0, ())


def test_panels_are_on_fixed_scales_and_upright() -> None:
    panels = draw_panels(make(marked(40, 60, (5, 5, 20, 20)), orientation=6))
    names = [panel.name for panel in panels]
    assert names == [
        "original",
        "reconstruction",
        "difference",
        "ela_original",
        "ela_reconstruction",
        "overlay",
    ]
    assert {panel.pixels.shape for panel in panels} == {(60, 40, 3)}
    difference = panels[2].pixels
    assert np.median(difference) == 10 * DIFFERENCE_SCALE
    sheet = draw_side_by_side(panels)
    assert sheet.shape[1] > 3 * 40
    assert sheet.shape[0] > 2 * 60


def test_a_folder_is_written_once(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    found = make(marked(40, 60, (5, 5, 20, 20)))
    document = write_reconstruction(found, folder)
    names = {path.name for path in folder.iterdir()}
    assert names == {MARKER, "side_by_side.png", "panels", "reconstruction.json"}
    assert json.loads((folder / "reconstruction.json").read_text()) == document
    assert "\x1b" not in json.dumps(document["file"])
    assert document["extent"]["regions"][0]["area"] == 400  # type: ignore[index, call-overload]
    for name in document["files"]:  # type: ignore[union-attr]
        with Image.open(folder / str(name)) as picture:
            assert picture.format == "PNG"
    with pytest.raises(OutputExistsError, match="or overwrite it"):
        write_reconstruction(found, folder)
    again = write_reconstruction(make(marked(40, 60), extent=None), folder, overwrite=True)
    assert json.loads((folder / "reconstruction.json").read_text())["extent"] is None
    assert again["extent"] is None
    (folder / "mine.txt").write_text("keep")
    with pytest.raises(OutputExistsError, match=r"mine\.txt"):
        write_reconstruction(found, folder, overwrite=True)
    with pytest.raises(OutputExistsError, match="is a file"):
        write_reconstruction(found, folder / "mine.txt")
