"""Batches depend on seed, epoch and step alone, and pictures, marks, labels and weights belong together."""

from __future__ import annotations

import io
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fixtures.localizer_data import HEIGHT, WIDTH, tiny_config, write_photographs
from fixtures.textures import make_texture
from imforensics.datasets.synthesis.pairs import ForgedPair
from imforensics.errors import ConfigError, DatasetError
from imforensics.evidence import read_evidence
from imforensics.models.localizer import feed as localizer_feed
from imforensics.models.localizer.config import LabelledPairsConfig, TrainLocalizerConfig
from imforensics.models.localizer.evidence import read_traces
from imforensics.models.localizer.feed import BatchMaker, LocalizerBatch, open_feed, take_picture
from imforensics.models.localizer.inputs import build_localizer_input
from imforensics.models.localizer.pairs import LabelledPair
from imforensics.models.localizer.shown import show_labelled
from imforensics.models.localizer.traces import describe_blocks
from imforensics.types import BoolArray, Evidence

SIZE = (64, 96)
STREAMS = ("traces", "noise")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photographs(tmp_path_factory.mktemp("photographs"))


def jpeg(pixels: np.ndarray, quality: int = 90) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, subsampling=0)
    return stream.getvalue()


def corner_pair() -> tuple[bytes, bytes, BoolArray]:
    """A picture with a dark corner, the same without, and where the corner is."""
    pixels, mask = make_texture(*SIZE, seed=50), np.zeros(SIZE, np.bool_)
    mask[:20, :32] = True
    altered = pixels.copy()
    altered[mask] = altered[mask] // 8
    return jpeg(altered), jpeg(pixels), mask


def assert_same(one: LocalizerBatch, other: LocalizerBatch) -> None:
    for field in fields(LocalizerBatch):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), field.name)


def test_a_batch_is_a_function_of_seed_epoch_and_step(manifest: Path) -> None:
    config = tiny_config(manifest)
    maker = BatchMaker(config, "train")
    found = maker.make_batch(2, 1)
    maker.make_batch(1, 0)  # what was made before does not matter
    assert_same(maker.make_batch(2, 1), found)
    assert_same(BatchMaker(config, "train").make_batch(2, 1), found)
    reseeded = BatchMaker(config.model_copy(update={"seed": 8}), "train")
    others = [maker.make_batch(2, 0), maker.make_batch(1, 1), reseeded.make_batch(2, 1)]
    for other in others:
        assert other.pixels.shape != found.pixels.shape or (other.pixels != found.pixels).mean() > 0.5


def test_the_parts_of_a_batch_have_their_shapes_and_ranges(manifest: Path) -> None:
    batch = BatchMaker(tiny_config(manifest), "val").make_batch(0, 0)
    rows, columns = batch.traces.shape[1:3]
    assert batch.pixels.shape == (5, 8 * rows, 8 * columns, 3)
    assert (8 * rows, 8 * columns) in {(64, 96), (96, 64)}
    assert batch.marks.shape == (5, rows, columns, 1)
    assert (batch.pixels.dtype, batch.traces.dtype, batch.marks.dtype) == (np.uint8, np.float16, np.float32)
    assert batch.labels[:, 0].tolist() == [1, 0, 1, 0, 0]
    assert batch.weights[:, 0].tolist() == [1, 1, 1, 1, 1]
    assert batch.origins == ("made",) * 4 + ("untouched",)
    assert batch.marks.min() >= 0
    assert batch.marks.max() <= 1
    has_marks = batch.marks.any(axis=(1, 2, 3))
    assert has_marks.tolist() == [True, False, True, False, False]
    picture = take_picture(batch, 3)
    np.testing.assert_array_equal(picture.traces.values, batch.traces[3])
    np.testing.assert_array_equal(picture.pixels, batch.pixels[3])


def test_pixels_change_where_the_marks_are(manifest: Path) -> None:
    maker = BatchMaker(tiny_config(manifest, "data.pairs=8"), "train")
    batch = maker.make_batch(1, 0)
    inside, outside = [], []
    for index in range(0, 16, 2):
        change = np.abs(batch.pixels[index].astype(int) - batch.pixels[index + 1]).mean(axis=2)
        blocks = change.reshape(change.shape[0] // 8, 8, -1, 8).mean(axis=(1, 3))
        marks = batch.marks[index, ..., 0]
        inside.append(blocks[marks > 0.9].mean() if (marks > 0.9).any() else np.nan)
        outside.append(blocks[marks == 0].mean())
    assert np.nanmean(inside) > 8 * np.mean(outside)


def test_flips_move_pixels_traces_and_marks_alike(monkeypatch: pytest.MonkeyPatch, manifest: Path) -> None:
    tampered, twin, mask = corner_pair()
    made = ForgedPair(tampered, twin, mask, ".jpg", {})
    monkeypatch.setattr(localizer_feed, "draw_pair", lambda *_, **__: made)
    settings = ("data.sizes=[[64, 96]]", "data.pairs=1", "data.untouched=0")
    maker = BatchMaker(tiny_config(manifest, *settings), "train")
    evidence = read_evidence(tampered)
    assert evidence.jpeg is not None
    given = (evidence.jpeg.read_coefficients()[0], evidence.jpeg.quantization_tables[0])
    plain = build_localizer_input(evidence.pixels, *given, streams=STREAMS)
    corner = np.zeros((8, 12))
    corner[:2, :4], corner[2, :4] = 1, 0.5
    seen = set()
    for step in range(24):
        batch = maker.make_batch(1, step)
        marks = batch.marks[0, ..., 0]
        turns = next(
            (down, across)
            for down in (1, -1)
            for across in (1, -1)
            if np.array_equal(marks, corner[::down, ::across])
        )
        seen.add(turns)
        where = (slice(None, None, turns[0]), slice(None, None, turns[1]))
        np.testing.assert_array_equal(batch.pixels[0], evidence.pixels[where])
        np.testing.assert_array_equal(batch.traces[0], plain.traces.values[where])
        assert not batch.marks[1].any()
    assert len(seen) == 4


def test_traces_of_a_mirrored_picture_are_the_mirrored_traces() -> None:
    """Turning whole blocks around changes signs of coefficients, and nothing that the traces look at."""
    rng = np.random.default_rng(0)
    coefficients = np.rint(rng.laplace(0, 4, (9, 7, 8, 8))).astype(np.int16)
    table = np.full((8, 8), 5, np.uint16)
    signs = np.where(np.arange(8) % 2, -1, 1)
    mirrored = coefficients[:, ::-1] * signs[None, None, None, :]
    flipped = mirrored[::-1] * signs[None, None, :, None]
    plain = describe_blocks(coefficients, table).values
    turned = describe_blocks(flipped.astype(np.int16), table).values
    np.testing.assert_array_equal(turned[::-1, ::-1], plain)


def test_untouched_pictures_are_lossless_crops_of_the_files(manifest: Path) -> None:
    config = tiny_config(manifest, "data.pairs=1", "data.untouched=3")
    batch = BatchMaker(config, "train").make_batch(1, 0)
    files = [read_evidence(manifest.parent / f"photo_{number}.jpg") for number in range(4)]
    height, width = batch.pixels.shape[1:3]
    starts = set()
    for index in range(2, 5):
        top, left, evidence = next(
            (top, left, evidence)
            for evidence in files
            for top in range(0, HEIGHT - height + 1, 8)
            for left in range(0, WIDTH - width + 1, 8)
            if np.array_equal(evidence.pixels[top : top + height, left : left + width], batch.pixels[index])
        )
        assert evidence.jpeg is not None
        luma = evidence.jpeg.read_coefficients()[0]
        part = luma[top // 8 : (top + height) // 8, left // 8 : (left + width) // 8]
        traces = describe_blocks(part, evidence.jpeg.quantization_tables[0])
        np.testing.assert_array_equal(batch.traces[index], traces.values)
        np.testing.assert_array_equal(batch.table[index], traces.table)
        starts.add((top, left))
    assert len(starts) > 1


def test_untouched_pictures_need_a_photograph_that_holds_them(tmp_path: Path) -> None:
    settings = ("data.pairs=1", "data.sizes=[[224, 176]]")
    upright = tiny_config(write_photographs(tmp_path / "jpeg"), *settings)
    with pytest.raises(DatasetError, match="No photograph holds 224x176 pixels"):
        BatchMaker(upright, "train").make_batch(1, 0)
    lossless = tiny_config(write_photographs(tmp_path / "png", suffix=".png"), "data.pairs=1")
    batch = BatchMaker(lossless, "train").make_batch(1, 0)
    assert not batch.table[2].any(), "a PNG has no traces"


@pytest.mark.parametrize("fault", ["table", "grid"])
def test_traces_that_would_not_be_read_are_not_shown_of_untouched_pictures(
    monkeypatch: pytest.MonkeyPatch, manifest: Path, fault: str
) -> None:
    """The same rule as of `read_traces`, which the other pictures of a batch go through."""

    def read(given: Path | bytes) -> Evidence:
        evidence = read_evidence(given)
        if isinstance(given, bytes) or evidence.jpeg is None:
            return evidence
        table = np.full((8, 8), 256 if fault == "table" else 7, np.uint16)
        half = evidence.jpeg.read_coefficients()[0][::2, ::2]
        odd = (
            {"quantization_tables": (table,)} if fault == "table" else {"coefficient_reader": lambda: (half,)}
        )
        return replace(evidence, jpeg=replace(evidence.jpeg, **odd))  # type: ignore[arg-type]

    config = tiny_config(manifest, "data.pairs=1", "data.untouched=3")
    plain = BatchMaker(config, "train").make_batch(1, 0)
    monkeypatch.setattr(localizer_feed, "read_evidence", read)
    batch = BatchMaker(config, "train").make_batch(1, 0)
    np.testing.assert_array_equal(batch.pixels, plain.pixels)
    np.testing.assert_array_equal(batch.traces[:2], plain.traces[:2])
    assert plain.table[2:].any(axis=1).all()
    assert not batch.table[2:].any()
    assert not batch.traces[2:].any()
    traces = read_traces(read(manifest.parent / "photo_0.jpg"))
    assert not traces.is_read
    assert str(traces.absent_because).startswith("its ")


def labelled_config(
    monkeypatch: pytest.MonkeyPatch, manifest: Path, *, is_exact: bool, resaved: float
) -> TrainLocalizerConfig:
    tampered, host, mask = corner_pair()
    pair = LabelledPair(tampered, host, mask, is_exact, "g")
    monkeypatch.setattr(localizer_feed, "load_labelled_pairs", lambda *_: {SIZE: [pair]})
    labelled = f"data.labelled={{share: 1, resaved: {resaved}}}"
    return tiny_config(manifest, labelled, "data.sizes=[[64, 96]]", "data.untouched=0")


@pytest.mark.parametrize("is_exact", [True, False])
def test_labelled_pairs_are_shown_as_they_are(
    monkeypatch: pytest.MonkeyPatch, manifest: Path, *, is_exact: bool
) -> None:
    config = labelled_config(monkeypatch, manifest, is_exact=is_exact, resaved=0)
    batch = BatchMaker(config, "train").make_batch(1, 0)
    assert batch.origins == ("labelled",) * 4
    assert batch.labels[:, 0].tolist() == [1, 0, 1, 0]
    assert batch.weights[:, 0].tolist() == [float(is_exact)] * 4, "another encoder's label is not learned"
    tampered = read_evidence(corner_pair()[0]).pixels
    turned = [tampered[::down, ::across] for down in (1, -1) for across in (1, -1)]
    assert any(np.array_equal(batch.pixels[0], pixels) for pixels in turned)
    assert batch.marks[0].sum() == pytest.approx(20 * 32 / 64)
    assert not batch.marks[1].any()


@pytest.mark.parametrize("is_exact", [True, False])
def test_resaved_pairs_go_through_one_chain(
    monkeypatch: pytest.MonkeyPatch, manifest: Path, *, is_exact: bool
) -> None:
    config = labelled_config(monkeypatch, manifest, is_exact=is_exact, resaved=1)
    batch = BatchMaker(config, "train").make_batch(1, 0)
    assert batch.origins == ("resaved",) * 4
    assert batch.weights[:, 0].tolist() == [float(is_exact)] * 4, "one more save does not hide the encoder"
    np.testing.assert_array_equal(batch.table[0], batch.table[1])
    assert not np.array_equal(batch.table[0], batch.table[2]), "each pair has its own"


@pytest.mark.parametrize(("size", "low"), [((64, 96), 1.0), ((32, 48), 0.5)])
def test_resized_pairs_are_windows_that_hold_a_part_of_the_alteration(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], low: float
) -> None:
    tampered, host, mask = corner_pair()
    pair = LabelledPair(tampered, host, mask, True, "g")
    config = LabelledPairsConfig(share=1, resaved=0, resized=1, resize=(0.25, 1.5))
    rng = np.random.default_rng(0)
    heights = []
    for _ in range(12):
        shown, twin = show_labelled(pair, size, rng, config)
        evidence = read_evidence(shown.content)
        heights.append(evidence.height)
        assert shown.mask is not None
        assert shown.mask.shape == (evidence.height, evidence.width)
        assert (shown.origin, shown.corner) == ("resized", twin.corner)
        window = shown.cut_mask(size)
        assert window is not None
        assert window.shape == size
        assert window.any()
        found = shown.read(size, STREAMS)
        top, left = shown.corner
        np.testing.assert_array_equal(
            found.pixels, evidence.pixels[top : top + size[0], left : left + size[1]]
        )
        whole = read_traces(evidence).traces.values
        rows, columns = slice(top // 8, (top + size[0]) // 8), slice(left // 8, (left + size[1]) // 8)
        np.testing.assert_array_equal(found.traces.values, whole[rows, columns])
    assert min(heights) >= low * SIZE[0]
    assert low * SIZE[0] * 1.3 < max(heights) <= 1.5 * SIZE[0] + 1


def test_originals_are_hosts_and_shown_as_they_are(manifest: Path) -> None:
    """Forgeries of 128x160 pixels of them, and windows of their files against the whole file's histograms."""
    originals = (
        f"data.originals={{dataset: {{name: folder, root: '{manifest}'}}, share: 1, context: [128, 160], "
        "max_side: 256, untouched: 2, synthesis: {area: [0.02, 0.3], megapixels: [0.01, 1]}}"
    )
    config = tiny_config(manifest, originals, "data.pairs=2", "data.untouched=0")
    maker = BatchMaker(config, "train")
    batch = maker.make_batch(1, 0)
    assert_same(BatchMaker(config, "train").make_batch(1, 0), batch)
    assert batch.origins == ("original",) * 4 + ("untouched original",) * 2
    assert batch.marks[[0, 2]].any(axis=(1, 2, 3)).all()
    assert not batch.marks[[1, 3, 4, 5]].any()
    height, width = batch.pixels.shape[1:3]
    for index in (4, 5):
        assert any(
            np.array_equal(evidence.pixels[top : top + height, left : left + width], batch.pixels[index])
            and np.array_equal(
                read_traces(evidence).traces.values[
                    top // 8 : (top + height) // 8, left // 8 : (left + width) // 8
                ],
                batch.traces[index],
            )
            for evidence in (read_evidence(manifest.parent / f"photo_{n}.jpg") for n in range(4))
            for top in range(0, HEIGHT - height + 1, 8)
            for left in range(0, WIDTH - width + 1, 8)
        )


def test_a_context_holds_every_size(manifest: Path) -> None:
    originals = f"data.originals={{dataset: {{name: folder, root: '{manifest}'}}, context: [64, 64]}}"
    with pytest.raises(ConfigError, match="context must hold every one of sizes"):
        tiny_config(manifest, originals)


def test_sizes_without_labelled_pairs_are_refused_for_training(
    monkeypatch: pytest.MonkeyPatch, manifest: Path
) -> None:
    config = labelled_config(monkeypatch, manifest, is_exact=True, resaved=0)
    data = config.data.model_copy(update={"sizes": ((96, 64),)})
    changed = config.model_copy(update={"data": data})
    with pytest.raises(DatasetError, match=r"holds 96x64 pixels .* most .*are of 64x96"):
        BatchMaker(changed, "train")
    assert BatchMaker(changed, "val").make_batch(0, 0).origins == ("made",) * 4


def test_residual_streams_take_the_place_of_the_pixels(manifest: Path) -> None:
    config = tiny_config(manifest, "network.streams=[ela]", "data.sizes=[[64, 96]]")
    pixels = BatchMaker(tiny_config(manifest, "data.sizes=[[64, 96]]"), "train").make_batch(1, 0).pixels
    batch = BatchMaker(config, "train").make_batch(1, 0)
    assert (batch.pixels.dtype, batch.pixels.shape) == (np.float32, pixels.shape)
    assert np.abs(batch.pixels).mean() < np.abs(pixels.astype(np.float32)).mean() / 4


def test_workers_give_the_batches_in_order(manifest: Path) -> None:
    config = tiny_config(manifest)
    maker = BatchMaker(config, "val")
    with open_feed(config, "val") as feed:
        for step, batch in enumerate(feed.iterate(0, 5)):
            assert_same(batch, maker.make_batch(0, step))
    assert step == 4


def test_what_goes_wrong_in_a_worker_is_told_as_it_is(tmp_path: Path) -> None:
    config = tiny_config(write_photographs(tmp_path, train=0))
    with open_feed(config, "train") as feed, pytest.raises(DatasetError, match="train"):
        next(feed.iterate(1, 1))
