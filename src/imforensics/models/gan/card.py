"""The model card of a GAN bundle, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from imforensics.models.bundle.card import describe_provenance, format_card, format_table
from imforensics.models.gan.manifest import GanManifest
from imforensics.models.gan.scores import STATED_FEATURES

_WAYS = {
    "noise": "the best of {noise_samples} random vectors (as in the paper)",
    "search": "gradient search from {restarts} random starts, {steps} steps each",
    "encoder": "one pass of the encoder",
    "encoder+search": "the encoder, then {steps} steps of gradient search",
}


def format_gan_card(manifest: GanManifest) -> str:
    """The card of a bundle.

    Args:
        manifest: its facts, measurements included.

    Returns:
        Markdown.
    """
    return format_card(
        manifest.name,
        _describe(manifest),
        {
            "Samples": _samples(manifest),
            "Reconstructions": _table(manifest),
            "Error maps": _scales(manifest),
            "Limits": _LIMITS,
            "Provenance": describe_provenance(manifest, manifest.provenance, [_training(manifest)]),
        },
    )


def _describe(manifest: GanManifest) -> str:
    source = manifest.provenance
    return (
        "A deep convolutional generative adversarial network of "
        f"{manifest.height}x{manifest.width} RGB images, noise vectors of length {manifest.latent}, with an "
        "encoder (f-AnoGAN) that was fitted to the trained generator. It was trained on the "
        f"{source.train_images} authentic training images of {source.dataset}, split by source group; "
        f"{source.val_images} authentic validation images were held out. Everything runs on ONNX Runtime, "
        "including the gradient search: its backward pass is part of `search.onnx`, whose weights are stored "
        "as float16; those of the other networks are float32.\n"
    )


def _samples(manifest: GanManifest) -> str:
    source = manifest.provenance
    if source.kernel_distance is None:
        return "The samples were not evaluated.\n"
    return (
        f"`samples.jpg`: the same noise vectors over the epochs. Kernel distance between the last samples "
        f"and validation images {source.kernel_distance:.2f}, between training and validation images "
        f"{source.kernel_distance_floor:.2f} (lower is better). It uses the formula of the kernel inception "
        f"distance on other features and is comparable within this project only: {STATED_FEATURES}.\n"
    )


def _table(manifest: GanManifest) -> Iterator[str]:
    settings = manifest.search.model_dump()
    yield "Held-out authentic images; pixels in [0, 1].\n"
    yield from format_table(
        ("view", "mode", "reconstruction by", "images:", "MSE:", "PSNR (dB):", "SSIM:"),
        (
            (
                *(item.view, item.mode, _WAYS[item.mode].format(**settings), item.n),
                *(f"{item.mse:.4f}", f"{item.psnr:.2f}", f"{item.ssim:.3f}"),
            )
            for item in manifest.measurements
        ),
    )


def _scales(manifest: GanManifest) -> Iterator[str]:
    yield "Threshold: the error exceeded by 2 % of the pixels of authentic validation images.\n"
    yield from format_table(
        ("mode", "view", "error", "threshold:", "policy"),
        ((s.mode, s.view, s.kind, f"{s.threshold:.4f}", s.policy) for s in manifest.error_scales),
    )


def _training(manifest: GanManifest) -> str:
    source = manifest.provenance
    return (
        f"{source.gan_epochs} epochs of generator and discriminator; {source.encoder_epochs} of the encoder, "
        f"whose weights are those of epoch {source.encoder_best_epoch}. Logs: `training_log.csv`, "
        "`encoder_log.csv`; curves: `curves.png`."
    )


_LIMITS = """\
- The reconstructions are coarse: from a few hundred photographs the network learns colours, lighting and
  large shapes, but no detail. Content that the generator cannot reproduce has a large error whether or not
  it was altered.
- No published generative adversarial network of RGB images localizes the splices of CASIA. The performance
  of this one was measured, not assumed: `imforensics methods --explain gan_reconstruction`.
- It was trained on one collection of small scene photographs and is not meant as a generator for other uses.
"""
