"""How near reconstructions come to held-out authentic images, and what their errors localize, on CASIA v1."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from experiment import Experiment, Run, Variant, thin
from imforensics.metrics.similarity import mse, ssim
from imforensics.models.autoencoder.bundle import load_autoencoder
from imforensics.models.gan.images import middle_patches, read_images, whole_views
from imforensics.models.gan.manifest import MODES, VIEWS
from imforensics.models.gan.reconstruction import load_reconstructor
from imforensics.models.kinds import list_bundles
from imforensics.models.training.progress import Progress
from imforensics.report.markdown import Table
from imforensics.types import FloatArray
from tables import figures

SEARCHES = ("search", "encoder+search")  # seconds an image: measured on twins alone


def measure(experiment: Experiment) -> Iterator[Table]:
    """Errors of reconstruction, then what each way of reconstructing localizes."""
    yield tabulate_errors(experiment)
    gan, variants = experiment.config.options["gan"], {}
    for scale in load_reconstructor(gan).bundle.manifest.error_scales:
        options = {"bundle": gan, "mode": scale.mode, "view": scale.view, "kind": scale.kind}
        title = f"gan_reconstruction, {scale.mode}, {scale.view}, {scale.kind}"
        variants[title] = Variant(method="gan_reconstruction", options=options)
    quick = [title for title, variant in variants.items() if variant.options["mode"] not in SEARCHES]
    runs = (
        Run(protocols=("twin",)),
        Run(protocols=("resaved_q90",), entries=(*experiment.config.methods, *quick)),
    )
    config = experiment.config.model_copy(update={"variants": variants, "runs": runs})
    yield from figures(replace(experiment, config=config).evaluate(), config.columns)


def tabulate_errors(experiment: Experiment) -> Table:
    """MSE, PSNR and SSIM of every mode of the GAN, and of the autoencoders that ship."""
    options, (_, samples) = experiment.config.options, experiment.load()
    chosen = thin([s.image_path for s in samples if s.label == 0], options["images"])
    images = read_images(chosen, stage="images", progress=Progress())
    reconstructor = load_reconstructor(options["gan"])
    side, rows = reconstructor.size[0], []
    views = {"whole": whole_views(images, side), "patches": middle_patches(images, side)}
    for view in VIEWS:
        wanted = views[view]
        mean = np.broadcast_to(wanted.mean((1, 2), keepdims=True), wanted.shape)
        made = {"each image's mean colour (for scale)": mean}
        made |= {f"{options['gan']}, {mode}": reconstructor.reconstruct(wanted, mode=mode) for mode in MODES}
        made |= {
            name: rebuilt
            for name in list_bundles("autoencoder")
            if (rebuilt := rebuild(name, wanted)) is not None
        }
        rows += [[view, name, *error_cells(wanted, again)] for name, again in made.items()]
    heads = ("view", "made by", "MSE", "PSNR (dB)", "SSIM")
    return Table(
        "Reconstructions", heads, rows, text=[f"{len(images)} authentic images, pixels in [0, 1]."], words=2
    )


def rebuild(name: str, wanted: FloatArray) -> FloatArray | None:
    """What an autoencoder makes of the images; None from one that does not take photographs."""
    bundle = load_autoencoder(name)
    try:
        return np.stack([bundle.reconstruct_image(image) for image in np.rint(wanted * 255).astype(np.uint8)])
    except ValueError:  # one for gray digits
        return None


def error_cells(wanted: FloatArray, made: FloatArray) -> list[str]:
    """Errors; the peak signal-to-noise ratio is that of the mean squared error."""
    error = mse(wanted, made)
    similar = np.mean([ssim(image, again) for image, again in zip(wanted, made, strict=True)])
    return [f"{error:.4f}", f"{-10 * np.log10(error):.2f}", f"{similar:.3f}"]
