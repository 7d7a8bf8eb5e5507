import csv
import hashlib
import io
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from imforensics.datasets.base import load_dataset

SCRIPTS = Path(__file__).parents[3] / "scripts"
HEADER = ("repository", "commit", "path", "sha256", "original_path", "original_sha256", "tool", "scene")


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))  # scripts import each other by plain name
    import derive_ai_edit_masks

    yield derive_ai_edit_masks
    for name in ("derive_ai_edit_masks", "package_archives", "photograph_lists", "repository_files"):
        del sys.modules[name]


@pytest.fixture(scope="module")
def scene():
    """A smooth scene of 600x800 pixels, and the same with a patch of other content; the patch's mask."""
    rng = np.random.default_rng(5)
    original = cv2.resize(rng.integers(40, 200, (15, 20, 3), dtype=np.uint8), (800, 600))
    edited, mask = original.copy(), np.zeros((600, 800), dtype=bool)
    mask[200:320, 300:480] = True
    edited[mask] = 255 - edited[mask]
    edited[mask] = np.where(np.abs(edited[mask].astype(int) - original[mask]) < 40, 0, edited[mask])
    return original, edited, mask


def save(pixels, *, kind="JPEG", quality=88):
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, kind, quality=quality)
    return data.getvalue()


def overlap(first, second):
    return (first & second).sum() / (first | second).sum()


def test_an_edit_of_the_same_size_is_found_after_another_save(script, scene):
    original, edited, mask = scene
    derived = script.derive_mask(original, script.read_pixels(save(edited)))
    assert derived.is_aligned
    assert not derived.is_resampled
    assert overlap(derived.mask, mask) > 0.85


def test_an_edit_that_was_resized_moved_and_toned_is_found(script, scene):
    original, edited, mask = scene
    inner = (slice(6, 594), slice(8, 792))
    resized = np.clip(cv2.resize(edited[inner], (640, 480)).astype(int) + 5, 0, 255).astype(np.uint8)
    derived = script.derive_mask(original, resized)
    wanted = cv2.resize(mask[inner].astype(np.uint8), (640, 480), interpolation=cv2.INTER_NEAREST) > 0
    assert derived.is_aligned
    assert derived.is_resampled
    assert overlap(derived.mask, wanted) > 0.85


def test_the_same_picture_has_an_empty_mask_and_another_is_not_aligned(script, scene):
    original, _, _ = scene
    assert not script.derive_mask(original, script.read_pixels(save(original))).mask.any()
    other = cv2.resize(np.random.default_rng(6).integers(0, 256, (15, 20, 3), dtype=np.uint8), (640, 480))
    assert not script.derive_mask(original, other).is_aligned


def test_pairs_are_written_as_a_data_set(script, scene, tmp_path, capsys):
    original, edited, mask = scene
    clone = tmp_path / "name"
    clone.mkdir()
    files = {
        "o.jpg": save(original),
        "e.png": save(edited, kind="PNG"),
        "z.png": save(original[::2], kind="PNG"),
    }
    for name, data in files.items():
        (clone / name).write_bytes(data)
    git = ["git", "-C", str(clone), "-c", "user.name=made", "-c", "user.email=made@example.org"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "made"]):
        subprocess.run([*git, *command], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    with (tmp_path / "list.csv").open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(HEADER)
        for name in ("e.png", "z.png"):
            row = ("owner/name", commit.strip(), name, digests[name], "o.jpg", digests["o.jpg"], "made", "s1")
            writer.writerow(row)
    out = tmp_path / "out"
    script.write_pairs(tmp_path / "list.csv", out, refused={digests["z.png"]}, clones=tmp_path)
    dataset = load_dataset("folder", out)
    assert [sample.label for sample in dataset.samples] == [1, 0]
    assert {(sample.group, sample.host) for sample in dataset.samples} == {("s1", digests["o.jpg"][:12])}
    with Image.open(dataset.samples[0].mask_path) as image:
        assert overlap(np.asarray(image) > 0, mask) > 0.85
    assert capsys.readouterr().out.endswith(f"1 masks of 1 edits in {out}\n")
    text = (tmp_path / "list.csv").read_text().replace(digests["e.png"], "0" * 64)
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(script.GatherError, match=r"has not the files of e\.png"):
        script.write_pairs(tmp_path / "list.csv", out, refused=(), clones=tmp_path)


def test_the_committed_lists():
    with (SCRIPTS / "ai_edits.csv").open(encoding="utf-8", newline="") as lines:
        edits = list(csv.DictReader(lines))
    assert len({row["sha256"] for row in edits}) == len(edits) == 19
    with (SCRIPTS / "redelivery.csv").open(encoding="utf-8", newline="") as lines:
        delivered = list(csv.DictReader(lines))
    assert len({row["sha256"] for row in delivered}) == len(delivered) == 166
    assert len({row["photo"] for row in delivered}) == 30
    assert {hop for row in delivered for hop in row["chains"].replace(">", " ").split()} == {
        "telegram",
        "slack",
        "discord",
    }
