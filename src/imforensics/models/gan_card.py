"""The model card of a GAN bundle, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from imforensics.models.gan_manifest import GanManifest
from imforensics.models.gan_scores import STATED_FEATURES

_WAYS = {
    "noise": "the best of {noise_samples} random vectors (the paper's way)",
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
        "## Where it comes from\n\n" + "\n".join(_provenance(manifest)),
    ]
    return "\n".join(section.rstrip("\n") + "\n" for section in sections)


def _describe(manifest: GanManifest) -> str:
    source = manifest.provenance
    return (
        "A deep convolutional generative adversarial network of "
        f"{manifest.height}x{manifest.width} RGB images, noise vectors of length {manifest.latent}, with an "
        "encoder (f-AnoGAN) that was fitted to the finished generator. It learned from the "
        f"{source.train_images} authentic training images of {source.dataset}, split by source group; "
        f"{source.val_images} authentic validation images were held out. Everything runs on ONNX Runtime, "
        "the gradient search too: its backward pass is part of `search.onnx`, whose weights are stored as "
        "float16; the other networks' are float32.\n"
    )


def _samples(manifest: GanManifest) -> str:
    source = manifest.provenance
    if source.kernel_distance is None:
        return "No samples were measured.\n"
    return (
        f"`samples.jpg`: the same noise vectors over the epochs. Kernel distance of the last samples to "
        f"validation images {source.kernel_distance:.2f}, of training images to them "
        f"{source.kernel_distance_floor:.2f} (lower is better). It is the kernel inception distance's "
        f"formula on other features, comparable within this project only: {STATED_FEATURES}.\n"
    )


def _table(manifest: GanManifest) -> Iterator[str]:
    settings = manifest.search.model_dump()
    yield "Held-out authentic images; pixels in [0, 1].\n"
    yield "| view | mode | how | images | MSE | PSNR (dB) | SSIM |"
    yield "|---|---|---|---:|---:|---:|---:|"
    for item in manifest.measurements:
        way = _WAYS[item.mode].format(**settings)
        yield (
            f"| {item.view} | {item.mode} | {way} | {item.n} | {item.mse:.4f} | {item.psnr:.2f} | "
            f"{item.ssim:.3f} |"
        )


def _scales(manifest: GanManifest) -> Iterator[str]:
    yield "The error that 2 % of the pixels of authentic validation images exceed.\n"
    yield "| mode | view | error | threshold | policy |"
    yield "|---|---|---|---:|---|"
    for scale in manifest.error_scales:
        yield f"| {scale.mode} | {scale.view} | {scale.kind} | {scale.threshold:.4f} | {scale.policy} |"


def _provenance(manifest: GanManifest) -> Iterator[str]:
    source = manifest.provenance
    yield f"- Exported {source.created_at:%Y-%m-%d} by imforensics {source.tool_version}, seed {source.seed}."
    yield (
        f"- {source.gan_epochs} epochs of generator and discriminator; {source.encoder_epochs} of the "
        f"encoder, of which epoch {source.encoder_best_epoch} was kept. Logs: `training_log.csv`, "
        "`encoder_log.csv`; curves: `curves.png`, `encoder_curves.png`."
    )
    yield f"- Configuration: `config.yaml`, digest {source.config_digest}."
    for part, file in manifest.files.items():
        near = file.max_difference_to_keras
        differs = "" if near is None else f"; differs from the trained Keras network by at most {near:.1e}"
        yield f"- `{file.file}` ({part}), SHA-256 {file.sha256}{differs}."
    yield "- Versions: " + ", ".join(f"{name} {version}" for name, version in source.versions.items()) + "."


_LIMITS = """\
- The reconstructions are coarse: a few hundred photographs teach colours, light and large shapes, no
  detail. What the generator cannot make stands out whether or not anyone altered it.
- No generative adversarial network of RGB images has been published that localizes the splices of CASIA. What
  this one localizes is measured, not assumed: `imforensics methods --explain gan_reconstruction`.
- It learned from one collection of small scene photographs. It is no generator for any other use.
"""
