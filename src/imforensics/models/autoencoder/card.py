"""The model card of an autoencoder bundle, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from imforensics.models.autoencoder.manifest import AutoencoderManifest
from imforensics.models.bundle.card import describe_provenance, format_card, format_table

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
    source, reference = manifest.provenance, manifest.reference
    introduction = (
        f"A convolutional autoencoder for {_CONTENT[manifest.content]}. Its bottleneck has "
        f"{manifest.latent_share:.3f} values per input value. It was trained on {source.data} "
        f"({source.train_images} training images or digits, {source.train_patches} patches)."
    )
    threshold = (
        {}
        if reference is None
        else {
            "Threshold": f"{reference.threshold:.4f} of the map ({reference.threshold_policy}: 2 % of the "
            f"pixels of authentic images exceed it), from {reference.population}."
        }
    )
    training = f"Weights of epoch {source.best_epoch} of {source.epochs}; `training_log.csv`, `curves.png`."
    return format_card(
        manifest.name,
        introduction,
        {
            "Reconstruction": _table(manifest),
            "Intended use": _USE[manifest.content],
            **threshold,
            "Provenance": describe_provenance(manifest, source, [training]),
        },
    )


def _table(manifest: AutoencoderManifest) -> Iterator[str]:
    yield from format_table(
        ("split", "patches", "mse", "ssim", "psnr (dB)"),
        (
            (item.split, item.n, f"{item.mse:.5f}", f"{item.ssim:.4f}", f"{item.psnr:.2f}")
            for item in manifest.measurements
        ),
    )
    if manifest.content == "residual":
        yield ""
        yield "The unit is the standard deviation of the bands; SSIM and PSNR assume a range of six units."
