"""How near reconstructions come to held-out authentic images, and what their errors localize, on CASIA v1.

    IMFORENSICS_DATA=/path/to/data python scripts/measure_reconstruction.py \\
        [--split val] [--gan casia1_gan] [-o runs/reconstruction]

Writes table.md in the output folder and prints it. The localization runs go through `imforensics evaluate`,
one results folder a variant, and go on after a stop. Constants are chosen on the training and validation
splits; `--split test` is for the end.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from imforensics.config import DatasetConfig
from imforensics.errors import BundleError
from imforensics.metrics.similarity import mse, ssim
from imforensics.models.gan.images import list_authentic, middle_patches, read_images, whole_views
from imforensics.models.gan.manifest import MODES, VIEWS
from imforensics.models.gan.reconstruction import DEFAULT_GAN_BUNDLE, load_reconstructor
from imforensics.models.kinds import list_bundles
from imforensics.models.training.progress import Progress
from imforensics.types import FloatArray, UInt8Array

ROOT = Path(__file__).parents[1]
RUN = "import sys; sys.argv[0] = 'imforensics'; from imforensics.cli.main import main; main()"
BESIDE = ("autoencoder_residual", "ela", "double_quantization", "dct_histograms")
SEARCHES = ("search", "encoder+search")  # seconds an image: measured on twins alone
COLUMNS = {
    "pixel AUC": ("localization", "auc_mean"),
    "F1 best": ("localization", "f1_best_mean"),
    "F1 stored": ("localization", "f1_fixed_mean"),
    "image AUC": ("detection", "auc"),
}


def main() -> None:
    """Measure, write and print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--split", choices=("train", "val", "test"), default="val")
    parser.add_argument("--gan", default=DEFAULT_GAN_BUNDLE, help="name of a shipped bundle, or a path")
    parser.add_argument(
        "--count", type=int, default=48, help="authentic images, evenly spread over the split"
    )
    parser.add_argument("--limit", type=int, help="tampered and authentic images of each localization run")
    parser.add_argument("--no-localization", action="store_true", help="reconstructions only")
    parser.add_argument("-j", "--workers", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/reconstruction"))
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    lines = list(reconstruction_table(arguments.gan, arguments.split, arguments.count))
    if not arguments.no_localization:
        lines += ["", *localization_table(arguments)]
    text = "\n".join(lines) + "\n"
    (arguments.output / "table.md").write_text(text, encoding="utf-8")
    print(text)


def reconstruction_table(gan: str, split: str, count: int) -> Iterator[str]:
    """MSE, PSNR and SSIM of every mode of the GAN, and of the autoencoders that ship."""
    paths = list_authentic(DatasetConfig(name="casia1"), split)
    chosen = [paths[index] for index in np.linspace(0, len(paths) - 1, min(count, len(paths))).astype(int)]
    images = read_images(chosen, stage="images", progress=Progress())
    reconstructor = load_reconstructor(gan)
    side = reconstructor.size[0]
    views = {"whole": whole_views(images, side), "patches": middle_patches(images, side)}
    yield f"Authentic images of casia1, split {split}, {len(images)} of them; pixels in [0, 1].\n"
    yield "| view | made by | MSE | PSNR (dB) | SSIM |"
    yield "|---|---|---:|---:|---:|"
    for view in VIEWS:
        wanted = views[view]
        mean = np.broadcast_to(wanted.mean((1, 2), keepdims=True), wanted.shape)
        yield row(view, "each image's mean colour (for scale)", wanted, mean)
        for mode in MODES:
            made = reconstructor.reconstruct(wanted, mode=mode)
            yield row(view, f"{reconstructor.name}, {mode}", wanted, made)
        for name in list_bundles("autoencoder"):
            rebuilt = autoencoded(name, wanted)
            if rebuilt is not None:
                yield row(view, name, wanted, rebuilt)


def autoencoded(name: str, wanted: FloatArray) -> FloatArray | None:
    """What an autoencoder makes of the images; None from one that does not take photographs."""
    from imforensics.models.autoencoder.bundle import load_autoencoder

    bundle = load_autoencoder(name)
    pixels: UInt8Array = np.rint(wanted * 255).astype(np.uint8)
    try:
        return np.stack([bundle.reconstruct_image(image) for image in pixels])
    except ValueError:  # one for gray digits
        return None


def row(view: str, name: str, wanted: FloatArray, made: FloatArray) -> str:
    """One line of the table; the peak signal-to-noise ratio is that of the mean squared error."""
    error = mse(wanted, made)
    similar = np.mean([ssim(image, again) for image, again in zip(wanted, made, strict=True)])
    return f"| {view} | {name} | {error:.4f} | {-10 * np.log10(error):.2f} | {similar:.3f} |"


def localization_table(arguments: argparse.Namespace) -> Iterator[str]:
    """Pixel-level figures and image AUC of every variant of the GAN method and of others.

    The map of a tampered file does not depend on what it is compared with: the pixel-level figures of `twin`
    are those of `raw`.
    """
    yield f"Tampered images of casia1, split {arguments.split}; means over the images, with 95 % intervals.\n"
    yield "| protocol | method | " + " | ".join(COLUMNS) + " | n |"
    yield "|---|---|" + "---:|" * (len(COLUMNS) + 1)
    for protocol in ("twin", "resaved_q90"):
        for title, method, options in list_variants(arguments.gan, with_searches=protocol == "twin"):
            folder = (
                arguments.output / arguments.split / protocol / title.replace(", ", "-").replace("+", "_")
            )
            found = evaluate(method, options, protocol, folder, arguments)
            cells = [show(found, part, name) for part, name in COLUMNS.values()]
            n = found["localization"]["n_tampered"]
            yield f"| {protocol} | {title} | " + " | ".join(cells) + f" | {n} |"


def list_variants(gan: str, *, with_searches: bool) -> Iterator[tuple[str, str, list[str]]]:
    """Title, method and options of everything that is compared."""
    for scale in load_reconstructor(gan).bundle.manifest.error_scales:
        if scale.mode in SEARCHES and not with_searches:
            continue
        sets = {"bundle": gan, "mode": scale.mode, "view": scale.view, "kind": scale.kind}
        options = [f"--set=methods.gan_reconstruction.{key}={value}" for key, value in sets.items()]
        title = f"gan_reconstruction, {scale.mode}, {scale.view}, {scale.kind}"
        yield title, "gan_reconstruction", options
    yield from ((name, name, []) for name in BESIDE if is_available(name))


def show(found: dict[str, Any], part: str, name: str) -> str:
    """One figure with its interval; nothing where the method has none."""
    if not isinstance(value := found[part]["metrics"].get(name), float):
        return ""
    interval = found[part]["intervals"].get(name)
    return f"{value:.3f}" + (f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "")


def is_available(name: str) -> bool:
    """True where the method exists and its bundle, if it needs one, ships."""
    from imforensics.methods import METHODS, load_method

    if name not in METHODS:
        return False
    try:
        load_method(name)().bundle_digests  # noqa: B018 - reads the bundle
    except BundleError:
        return False
    return True


def evaluate(
    method: str, options: list[str], protocol: str, folder: Path, arguments: argparse.Namespace
) -> dict[str, Any]:
    """What `imforensics evaluate` found of one method."""
    command = [sys.executable, "-c", RUN, "evaluate", "--method", method, "--dataset", "casia1", *options]
    command += ["--split", arguments.split, "--protocol", protocol, "-j", str(arguments.workers), "-q"]
    command += ["-o", str(folder)]
    command += ["--limit", str(arguments.limit)] if arguments.limit else []
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    document = json.loads((ROOT / folder / "metrics.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = next(iter(document["methods"].values()))
    return found


if __name__ == "__main__":
    main()
