"""What the fault drill runs: every command that writes, with small inputs, and how its output is checked."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from imforensics.outputs import MARKER
from imforensics.outputs.manifest import Manifest

FOLDER_DATA = ("dataset.name=folder", "dataset.root={data}")


@dataclass(frozen=True)
class Case:
    """A command with small inputs.

    Attributes:
        name: of the command.
        arguments: with {photo}, {photos}, {data} and so on for the inputs.
        settings: KEY=VALUE texts.
        again: what is added to go on, or to replace what is there.
    """

    name: str
    arguments: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    again: tuple[str, ...] = ()

    def command(self, inputs: Path, output: Path, *more: str) -> list[str]:
        """The command line."""
        names = {
            "photo": inputs / "photos" / "0.jpg",
            "photos": inputs / "photos",
            "data": inputs / "manifest.csv",
            "camera": inputs / "camera.csv",
            "classes": inputs / "classes",
            "digits": inputs / "digits.npz",
        }
        words = [*self.arguments, *(f"--set={text}" for text in self.settings)]
        program = [sys.executable, "-m", "imforensics.cli.main", self.name.split()[0]]
        return [*program, *(word.format(**names) for word in words), "-o", str(output), *more]


CASES = {
    case.name: case
    for case in (
        Case("analyze", ("{photo}", "--save-maps"), again=("--overwrite",)),
        Case("scan", ("{photos}", "--reports", "all", "--profile", "fast", "-q")),
        Case("synthesize", ("{photos}", "--size", "64x64", "--count", "12", "-q"), ("inpainting=false",)),
        Case(
            "evaluate", ["--method", "ela", "--dataset", "folder", "--root", "{data}", "--split", "all", "-q"]
        ),  # type: ignore[arg-type]
        Case("audit", ("{classes}", "-q"), again=("--overwrite",)),
        Case("reconstruct", ("{photo}", "--bundle", "casia1_residual_autoencoder"), again=("--overwrite",)),
        Case(
            "train-detector",
            (),
            (
                *(*FOLDER_DATA, "input.kind=rgb", "input.height=32", "input.width=32", "workers=1"),
                *("network.filters=[4, 4]", "network.dense=4", "fit.batch_size=8", "fit.epochs=4"),
            ),
            ("--resume",),
        ),
        Case(
            "train-gan",
            (),
            (
                *(*FOLDER_DATA, "images.size=16", "networks.latent=4", "networks.encoder_filters=[4, 8]"),
                *("networks.generator_filters=[8, 8, 4]", "networks.discriminator_filters=[4, 8]"),
                *("fit.batch_size=4", "fit.epochs=3", "fit.sample_every=1", "fit.samples=8"),
                *("encoder.batch_size=4", "encoder.epochs=2", "search.steps=2", "search.restarts=2"),
            ),
            ("--resume",),
        ),
        Case(
            "train-autoencoder",
            (),
            (
                *("data.source=npz", "data.content=gray", "data.path={digits}", "network.filters=[4, 4]"),
                *("network.latent=4", "fit.loss=binary_crossentropy", "fit.batch_size=16", "fit.epochs=4"),
            ),
            ("--resume",),
        ),
        Case(
            "train-fusion",
            ("-q",),
            (
                "methods=[ela, wavelet_noise]",
                "twins=[{{name: folder, root: '{data}', splits: [train, val]}}]",
                "camera_photos=[{{name: folder, root: '{camera}', splits: [val]}}]",
            ),
            ("--resume",),
        ),
    )
}


def make_inputs(folder: Path, *, count: int, seed: int) -> None:
    """Photographs, a labelled set in two forms, and digits, as a user might have them."""
    rng = np.random.default_rng(seed)
    rows = [["image", "label", "group", "split", "host"]]
    for place in ("photos", "classes/authentic", "classes/tampered"):
        (folder / place).mkdir(parents=True)
    for number in range(count):
        coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        pixels = np.asarray(coarse.resize((128, 96), Image.Resampling.BICUBIC)).astype(int)
        pixels = np.clip(pixels + rng.normal(0, 6, pixels.shape), 0, 255).astype(np.uint8)
        split = ("train", "val", "test")[number % 3]
        Image.fromarray(pixels).save(folder / "photos" / f"{number}.jpg", quality=60)
        altered = np.asarray(Image.open(folder / "photos" / f"{number}.jpg")).copy()
        altered[24:72, 32:96] = rng.integers(0, 256, (48, 64, 3))
        Image.fromarray(altered).save(folder / "classes" / "tampered" / f"{number}.jpg", quality=92)
        shutil.copyfile(
            folder / "photos" / f"{number}.jpg", folder / "classes" / "authentic" / f"h{number}.jpg"
        )
        rows.append([f"classes/authentic/h{number}.jpg", "authentic", f"g{number}", split, f"g{number}"])
        rows.append([f"classes/tampered/{number}.jpg", "tampered", f"g{number}", split, f"g{number}"])
    camera = [[f"photos/{number}.jpg", "authentic", f"g{number}", "val", ""] for number in range(count)]
    for name, lines in (("manifest", rows), ("camera", [rows[0], *camera])):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(lines)
    images = rng.integers(0, 256, (96, 16, 16), dtype=np.uint8)
    np.savez(folder / "digits.npz", x_train=images[:64], x_test=images[64:])


def digests(folder: Path) -> dict[str, str]:
    """Every file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def find_damage(output: Path) -> Iterator[str]:
    """What in an output folder is neither whole nor absent."""
    if not output.exists():
        return
    manifest = Manifest(output / MARKER)
    for path in sorted(path for path in output.rglob("*") if path.is_file()):
        if path.name == MARKER or ".part" in path.name or any(".part" in name for name in path.parts):
            continue
        if not manifest.is_own(path):
            yield f"{path.relative_to(output)} is not recorded as it is"
        elif (check := CHECKS.get(path.suffix)) is not None:
            try:
                check(path)
            except Exception as error:
                yield f"{path.relative_to(output)} is damaged: {error}"


def _check_lines(path: Path) -> None:
    for line in path.read_text().split("\n")[:-1]:
        json.loads(line)


def _check_table(path: Path) -> None:
    widths = {len(row) for row in csv.reader(io.StringIO(path.read_text()))}
    if len(widths) != 1:
        raise ValueError(f"rows of {sorted(widths)} cells")


def _check_page(path: Path) -> None:
    if not path.read_text().rstrip().endswith("</html>"):
        raise ValueError("cut off")


def _check_archive(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        if archive.testzip() is not None:
            raise ValueError("damaged archive")


CHECKS: dict[str, Callable[[Path], object]] = {
    ".json": lambda path: json.loads(path.read_text()),
    ".jsonl": _check_lines,
    ".csv": _check_table,
    ".html": _check_page,
    ".yaml": lambda path: yaml.safe_load(path.read_text()),
    ".png": lambda path: Image.open(path).load(),
    ".jpg": lambda path: Image.open(path).load(),
    ".npy": np.load,
    ".npz": _check_archive,
    ".keras": _check_archive,
}
