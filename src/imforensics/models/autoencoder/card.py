"""The model card of an autoencoder bundle, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from imforensics.models.autoencoder.manifest import AutoencoderManifest

_CONTENT = {
    "gray": "gray images of digits, values in [0, 1]",
    "rgb": "RGB patches of photographs, values in [0, 1]",
    "residual": "high-pass bands of luma and chroma (two Haar levels, asinh, unit variance) at a quarter of "
    "the resolution",
}
_USE = {
    "gray": "It repeats the paper's autoencoder experiment. It provides no evidence about photographs.",
    "rgb": "`imforensics reconstruct` shows its reconstruction of a photograph. The error follows texture: a "
    "network with a bottleneck loses detail everywhere, whether tampered or not.",
    "residual": "The method `autoencoder_residual` uses its error as a localization map. The error is higher "
    "where detail is strong or unusual, in authentic photographs too: grass, hair and text are flagged. The "
    "performance of the map is measured in docs/experiments/reconstruction.md.",
}


def format_autoencoder_card(manifest: AutoencoderManifest) -> str:
    """The card of a bundle as Markdown."""
    source = manifest.provenance
    sections = [
        f"# {manifest.name}\n",
        f"A convolutional autoencoder for {_CONTENT[manifest.content]}. Its bottleneck has "
        f"{manifest.latent_share:.3f} values per input value. It was trained on {source.data} "
        f"({source.train_images} training images or digits, {source.train_patches} patches).\n",
        "## Reconstruction\n\n" + "\n".join(_table(manifest)) + "\n",
        "## Intended use\n\n" + _USE[manifest.content] + "\n",
    ]
    if manifest.reference is not None:
        reference = manifest.reference
        sections.append(
            f"## Threshold\n\n{reference.threshold:.4f} of the map ({reference.threshold_policy}: 2 % of the "
            f"pixels of authentic images exceed it), from {reference.population}.\n"
        )
    sections.append("## Provenance\n\n" + "\n".join(_provenance(manifest)) + "\n")
    return "\n".join(sections)


def _table(manifest: AutoencoderManifest) -> Iterator[str]:
    yield "| split | patches | mse | ssim | psnr (dB) |"
    yield "|---|---|---|---|---|"
    for item in manifest.measurements:
        yield f"| {item.split} | {item.n} | {item.mse:.5f} | {item.ssim:.4f} | {item.psnr:.2f} |"
    if manifest.content == "residual":
        yield ""
        yield "The unit is the standard deviation of the bands; SSIM and PSNR assume a range of six units."


def _provenance(manifest: AutoencoderManifest) -> Iterator[str]:
    source = manifest.provenance
    yield f"- Made {source.created_at:%Y-%m-%d} by imforensics {source.tool_version}, seed {source.seed}."
    yield f"- Weights of epoch {source.best_epoch} of {source.epochs}; `training_log.csv`, `curves.png`."
    yield f"- Configuration: `config.yaml`, digest {source.config_digest}."
    yield f"- Model: `{manifest.model.file}`, SHA-256 {manifest.model.sha256}."
    yield (
        "- Outputs differ from those of the trained Keras model by at most "
        f"{manifest.model.max_difference_to_keras:.1e} on validation patches."
    )
    yield "- Versions: " + ", ".join(f"{name} {version}" for name, version in source.versions.items()) + "."
