"""The command `synthesize`: a data set that the adapter reads, that goes on and is never overwritten."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from fixtures.textures import make_texture
from imforensics.cli.main import main
from imforensics.datasets.base import load_dataset, load_split
from imforensics.datasets.rasters import read_mask, read_rgb
from imforensics.datasets.synthesis import removal
from imforensics.datasets.synthesis.config import SynthesizeConfig
from imforensics.datasets.twins import find_twins
from imforensics.errors import OutputExistsError
from imforensics.outputs import write_atomically
from imforensics.pipeline.synthesize.plan import plan_synthesis
from imforensics.store import LineFile

OPTIONS = ("--size", "96x128", "--set", "inpainting=false", "--set", "splits={train: 1, val: 1}", "-j", "1")


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["synthesize", *map(str, arguments), "-q"], catch_exceptions=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for name in ("authentic", "tampered", "masks")
        for path in sorted((folder / name).iterdir())
    }


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    (folder / "trip").mkdir()
    for number in range(4):
        Image.fromarray(make_texture(180, 220, seed=number)).save(folder / "trip" / f"{number}.jpg")
    Image.fromarray(make_texture(70, 80)).save(folder / "small.png")
    (folder / "broken.jpg").write_bytes(b"no picture")
    return folder


@pytest.fixture(scope="module")
def made(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six pairs."""
    out = tmp_path_factory.mktemp("sets") / "made"
    result = call(photos, "-o", out, "--count", "6", *OPTIONS, "--json")
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout)
    assert (facts["pairs"], facts["made"], facts["failed"]) == (6, 6, 0)
    assert (facts["photographs"], facts["too_small_for_hosts"], facts["unreadable"]) == (5, 1, 1)
    return out


def test_the_folder_adapter_reads_it(made: Path) -> None:
    dataset = load_dataset("folder", made)
    assert dataset.mask_defects == ()
    tampered = [sample for sample in dataset.samples if sample.label == 1]
    assert len(tampered) == len(dataset.samples) - len(tampered) == 6
    for sample in tampered:
        assert sample.mask_path is not None
        mask = read_mask(sample.mask_path)
        assert mask.shape == (96, 128)
        twin = made / "authentic" / sample.image_path.name
        change = np.abs(read_rgb(sample.image_path).astype(int) - read_rgb(twin)).max(axis=2)
        assert change[mask].mean() > 2 * change[~mask].mean()
        assert sample.group.startswith("trip/")
        assert sample.manipulation is not None


def test_each_forgery_finds_its_own_twin(made: Path) -> None:
    dataset = load_dataset("folder", made)
    found = find_twins(dataset)
    assert len(found.pairs) + len(found.dropped) == 6
    assert len(found.pairs) > 0
    for pair in found.pairs:
        assert pair.host_path.stem == pair.tampered.image_path.stem


def test_no_photograph_is_in_two_splits(made: Path) -> None:
    dataset = load_dataset("folder", made)
    used = {
        split: {name for s in load_split(dataset, split) for name in (s.group, s.donor) if name is not None}
        for split in ("train", "val")
    }
    assert used["train"]
    assert used["val"]
    assert not used["train"] & used["val"]


def test_it_goes_on_after_a_stop_with_the_same_files(photos: Path, made: Path) -> None:
    before = contents(made)
    (made / "tampered" / Path(next(name for name in before if "tampered" in name)).name).unlink()
    with (made / "pairs.jsonl").open("a") as lines:
        lines.write('{"index": 99, "auth')
    manifest = (made / "manifest.csv").read_text()
    (made / "manifest.csv").unlink()
    result = call(photos, "-o", made, "--count", "7", *OPTIONS, "--json")
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout)
    assert (facts["pairs"], facts["made"]) == (7, 2)
    after = contents(made)
    assert {name: after[name] for name in before} == before
    assert len(after) == 21
    assert (made / "manifest.csv").read_text().startswith(manifest)
    assert json.loads((made / "pairs.jsonl").read_text().splitlines()[-1])["recipe"]["seed"] == 0


def test_nothing_is_overwritten(photos: Path, made: Path, tmp_path: Path) -> None:
    before = contents(made)
    result = call(photos, "-o", made, "--count", "1", *OPTIONS, "--seed", "5")
    assert result.exit_code == 1
    assert "made otherwise (other seed). Name another folder, or --overwrite" in result.output
    assert contents(made) == before
    (tmp_path / "tampered").mkdir()
    (tmp_path / "tampered" / "mine.jpg").write_bytes(b"mine")
    for extra in ((), ("--overwrite",)):
        result = call(photos, "-o", tmp_path, *OPTIONS, *extra)
        assert result.exit_code == 1
        assert "holds 'tampered', which imforensics did not write" in result.output
    assert (tmp_path / "tampered" / "mine.jpg").read_bytes() == b"mine"


def test_overwrite_starts_again(photos: Path, tmp_path: Path) -> None:
    config = SynthesizeConfig.model_validate({"size": (96, 128), "splits": {"train": 1}})
    first = plan_synthesis(photos, tmp_path / "out", config, count=3, seed=0)
    for name in ("000000.png", "000007.png"):
        write_atomically(tmp_path / "out" / "masks" / name, b"of a pair that a kill left without a record")
    record = {"index": 0, "authentic": "../mine.jpg", "tampered": "tampered/../../mine.jpg"}
    lines = LineFile(tmp_path / "out" / "pairs.jsonl")
    for line in (json.dumps(record), "7", "{"):
        lines.append(line)
    lines.close()
    (tmp_path / "mine.jpg").write_bytes(b"mine")
    again = plan_synthesis(photos, tmp_path / "out", config, count=3, seed=1, overwrite=True)
    assert first.todo == again.todo == (0, 1, 2)
    assert not list((tmp_path / "out" / "masks").iterdir())
    assert (tmp_path / "mine.jpg").exists(), "nothing outside the folder is deleted, whatever a record says"
    assert not (tmp_path / "out" / "pairs.jsonl").exists()
    assert json.loads((tmp_path / "out" / "plan.json").read_text())["seed"] == 1


def test_overwrite_replaces_the_files_that_are_there(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for seed in ("0", "1"):
        result = call(photos, "-o", out, "--count", "2", "--seed", seed, *OPTIONS, "--overwrite")
        assert result.exit_code == 0, result.output
        records = [json.loads(line) for line in (out / "pairs.jsonl").read_text().splitlines()]
        named = sorted(record[key] for record in records for key in ("authentic", "tampered", "mask"))
        assert sorted(contents(out)) == named
        assert [record["recipe"]["seed"] for record in records] == [int(seed)] * 2


@pytest.mark.parametrize("place", ["authentic", "."])
def test_a_set_is_not_made_over_its_own_photographs(photos: Path, tmp_path: Path, place: str) -> None:
    out = tmp_path / "out"
    assert call(photos, "-o", out, "--count", "2", *OPTIONS).exit_code == 0
    before = contents(out)
    for extra in ((), ("--overwrite",)):
        result = call(out / place, "-o", out, "--size", "64x64", *OPTIONS[2:], *extra)
        assert result.exit_code == 1
        assert "lies in the output folder" in result.output
        assert contents(out) == before


def test_what_was_made_is_no_photograph_to_make_from(photos: Path, tmp_path: Path) -> None:
    own = tmp_path / "photos"
    shutil.copytree(photos, own)
    for name in ("first", "second"):
        result = call(own, "-o", own / name, "--count", "2", *OPTIONS, "--json")
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["photographs"] == 5


@pytest.mark.parametrize("name", ["masks/old.png", "authentic/000001.jpeg", "notes.txt"])
def test_files_of_others_are_refused_and_stay(photos: Path, tmp_path: Path, name: str) -> None:
    config = SynthesizeConfig.model_validate({"size": (96, 128), "splits": {"train": 1}})
    plan_synthesis(photos, tmp_path / "out", config, count=3, seed=0)
    (tmp_path / "out" / name).write_bytes(b"mine")
    for overwrite in (False, True):
        with pytest.raises(OutputExistsError, match=f"{name} was not written by imforensics"):
            plan_synthesis(photos, tmp_path / "out", config, count=3, seed=0, overwrite=overwrite)
    assert (tmp_path / "out" / name).read_bytes() == b"mine"
    assert (tmp_path / "out" / "plan.json").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--size", "96"), 2, "is not HEIGHTxWIDTH"),
        (("--size", "960x960"), 1, "None of the 5 photographs holds 960x960 pixels"),
        (("--set", "area=[1, 2]"), 2, "area must be two numbers"),
        (("--size", "96x96", "--set", "splits={val: 0.01, test: 9}"), 1, "splits={train: 1}"),
    ],
)
def test_errors_name_the_fix(
    photos: Path, tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    result = call(photos, "-o", tmp_path / "out", *arguments)
    assert (result.exit_code, words in result.output) == (code, True), result.output
    assert not (tmp_path / "out").exists()


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder, words in (("empty", "contains no image"), ("none", "is not a folder")):
        result = call(tmp_path / folder, "-o", tmp_path / "out")
        assert result.exit_code == 1
        assert words in result.output


def test_what_it_needs_is_asked_for_before_anything_is_made(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "find_spec", lambda name: None)
    result = call(photos, "-o", tmp_path / "out", "--count", "2", "--size", "96x128", "-j", "1")
    assert result.exit_code == 1
    assert "needs the extra 'copy-move'" in result.stderr
    assert "--set inpainting=false" in result.stderr
    assert not (tmp_path / "out").exists()
    without = call(photos, "-o", tmp_path / "out", "--count", "1", *OPTIONS)
    assert without.exit_code == 0


def test_inpainting_is_not_asked_for_where_nothing_is_removed(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "find_spec", lambda name: None)
    config = SynthesizeConfig(manipulations={"splicing": 1}, size=(96, 128), splits={"train": 1})
    assert plan_synthesis(photos, tmp_path / "out", config, count=1, seed=0).todo == (0,)


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("originals")
    for number in range(6):
        exif = Image.Exif()
        exif[271], exif[272] = "Maker", f"M{number // 2}"
        image = Image.fromarray(make_texture(200, 264, seed=number))
        image.save(folder / f"{number}.jpg", quality=90, exif=exif)
    return folder


NATIVE = (
    *("--native", "--set", "inpainting=false", "--set", "megapixels=[0.05, 1]", "-j", "1"),
    *("--set", "splits={train: 2, test: 1}", "--set", "deliveries={as_saved: 1}"),
    *("--set", "copies={resized: 1, png: 0.5, webp: 1}", "--set", "area=[0.02, 0.2]"),
)


def test_native_pairs_keep_size_and_camera_and_come_with_delivered_copies(
    originals: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert call(originals, "-o", out, "--count", "4", *NATIVE).exit_code == 0
    with (out / "manifest.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    deliveries = Counter(row["delivery"] for row in rows)
    assert deliveries["as_saved"] == deliveries["resized"] == deliveries["webp"] == 8
    assert 0 < deliveries["png"] < 8
    cameras = {split: {row["device"] for row in rows if row["split"] == split} for split in ("train", "test")}
    assert not cameras["train"] & cameras["test"]
    for row in rows:
        size = read_rgb(out / row["image"]).shape[:2]
        assert row["delivery"] == "resized" or size == (200, 264)
        assert row["label"] == "authentic" or read_mask(out / row["mask"]).shape == size
        assert row["label"] == "authentic" or 0 < float(row["area"]) < 0.5
    dataset = load_dataset("folder", out)
    assert len(find_twins(dataset).pairs) + len(find_twins(dataset).dropped) == len(rows) // 2
    before = contents(out)
    next(iter((out / "masks").glob("000002_webp*"))).unlink()
    assert json.loads(call(originals, "-o", out, "--count", "4", *NATIVE, "--json").stdout)["made"] == 1
    assert contents(out) == before


def test_native_takes_no_size(originals: Path, tmp_path: Path) -> None:
    result = call(originals, "-o", tmp_path / "out", *NATIVE, "--size", "96x96")
    assert result.exit_code == 2
    assert "leave --size out" in result.output
