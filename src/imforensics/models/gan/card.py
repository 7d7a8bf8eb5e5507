"""The model card of a GAN bundle, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator

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
    sections = [
        f"# {manifest.name}\n",
        _describe(manifest),
        "## Samples\n\n" + _samples(manifest),
        "## Reconstructions\n\n" + "\n".join(_table(manifest)),
        "## Error maps\n\n" + "\n".join(_scales(manifest)),
        "## Limits\n\n" + _LIMITS,
        "## Provenance\n\n" + "\n".join(_provenance(manifest)),
    ]
    return "\n".join(section.rstrip("\n") + "\n" for section in sections)


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
    yield "| view | mode | reconstruction by | images | MSE | PSNR (dB) | SSIM |"
    yield "|---|---|---|---:|---:|---:|---:|"
    for item in manifest.measurements:
        way = _WAYS[item.mode].format(**settings)
        yield (
            f"| {item.view} | {item.mode} | {way} | {item.n} | {item.mse:.4f} | {item.psnr:.2f} | "
            f"{item.ssim:.3f} |"
        )


def _scales(manifest: GanManifest) -> Iterator[str]:
    yield "Threshold: the error exceeded by 2 % of the pixels of authentic validation images.\n"
    yield "| mode | view | error | threshold | policy |"
    yield "|---|---|---|---:|---|"
    for scale in manifest.error_scales:
        yield f"| {scale.mode} | {scale.view} | {scale.kind} | {scale.threshold:.4f} | {scale.policy} |"


def _provenance(manifest: GanManifest) -> Iterator[str]:
    source = manifest.provenance
    yield f"- Exported {source.created_at:%Y-%m-%d} by imforensics {source.tool_version}, seed {source.seed}."
    yield (
        f"- {source.gan_epochs} epochs of generator and discriminator; {source.encoder_epochs} of the "
        f"encoder, whose weights are those of epoch {source.encoder_best_epoch}. Logs: `training_log.csv`, "
        "`encoder_log.csv`; curves: `curves.png`, `encoder_curves.png`."
    )
    yield f"- Configuration: `config.yaml`, digest {source.config_digest}."
    for part, file in manifest.files.items():
        near = file.max_difference_to_keras
        differs = "" if near is None else f"; differs from the trained Keras network by at most {near:.1e}"
        yield f"- `{file.file}` ({part}), SHA-256 {file.sha256}{differs}."
    yield "- Versions: " + ", ".join(f"{name} {version}" for name, version in source.versions.items()) + "."


_LIMITS = """\
- The reconstructions are coarse: from a few hundred photographs the network learns colours, lighting and
  large shapes, but no detail. Content that the generator cannot reproduce has a large error whether or not
  it was altered.
- No published generative adversarial network of RGB images localizes the splices of CASIA. The performance
  of this one was measured, not assumed: `imforensics methods --explain gan_reconstruction`.
- It was trained on one collection of small scene photographs and is not meant as a generator for other uses.
"""
