"""Training a localizer, from the configuration to the bundle."""

from __future__ import annotations

from pathlib import Path

from imforensics.config import config_digest, load_config
from imforensics.datasets.base import load_dataset, load_split
from imforensics.errors import BundleError, ConfigError
from imforensics.models.localizer.bundle import load_localizer
from imforensics.models.localizer.calibration import calibrate_localizer
from imforensics.models.localizer.card import format_localizer_card
from imforensics.models.localizer.config import TrainLocalizerConfig
from imforensics.models.localizer.export import export_localizer
from imforensics.models.localizer.feed import take_picture
from imforensics.models.localizer.fit import find_start, fit_localizer
from imforensics.models.localizer.manifest import DataSource, LocalizerManifest
from imforensics.models.localizer.pairs import check_sizes, hold_size, load_labelled_pairs
from imforensics.models.localizer.validation import describe_validation, validate
from imforensics.models.localizer.writer import describe_localizer, describe_provenance, describe_source
from imforensics.models.training.checkpoints import CHECKPOINT_FOLDER
from imforensics.models.training.extra import require_training
from imforensics.models.training.run import CONFIG_FILE, TrainingRun, TrainResult

COMPARED = 4  # validation pictures that the exported network is compared on
REQUIRED = ("tensorflow", "keras", "onnx", "sklearn", "cv2")  # cv2 fills the regions of made removals


def train_localizer(config: TrainLocalizerConfig, run: TrainingRun) -> TrainResult[LocalizerManifest]:
    """Train, export and calibrate a localizer.

    Args:
        config: what to do.
        run: gets config.yaml, checkpoints, logs, curves, metrics.json and the bundle.

    Returns:
        The bundle's place, and what was measured on validation data.

    Raises:
        MissingExtraError: a package of the extra `train` is not installed.
        DatasetError: a data set or split is missing, or labelled pairs of a size.
        ConfigError: `start_from` is neither a localizer's run nor its bundle.
        OutputExistsError, InterruptedRunError: see `TrainingRun.open`; a run cannot be made longer.
        BundleError: the exported network does not say what the trained one says.
    """
    require_training("train-detector", REQUIRED)
    sources = list_sources(config)  # before there is a folder: data may be missing
    started_from = _digest_of(config.start_from)  # that run may change while this one fits
    with run.open(config, may_grow=False):
        learner, state, held_out = fit_localizer(config, run.folder, progress=run.progress)
        measured = describe_validation(validate(learner.averaged.whole, held_out, config.fit))
        count = min(COMPARED, len(held_out[0].origins))
        pictures = [take_picture(held_out[0], index) for index in range(count)]
        exported = export_localizer(learner.averaged, pictures)
        uses_peak = config.network.takes_pixels
        found = calibrate_localizer(config, exported.start(uses_peak=uses_peak), progress=run.progress)
        manifest = describe_localizer(
            exported,
            name=config.name,
            network=config.network,
            uses_peak=uses_peak,
            map_threshold=found.map_threshold,
            calibration=found.calibration,
            training=describe_training(config),
            sources=(*sources, *found.sources),
            provenance=describe_provenance(
                config,
                epochs=state.epoch,
                pictures=state.epoch * config.fit.steps * config.data.pictures,
                seconds=sum(row.seconds for row in state.rows),
                started_from=started_from,
            ),
        )
        return run.finish(
            manifest,
            exported.parts,
            card=format_localizer_card(manifest),
            state=state,
            figures={
                "validation": measured["by_origin"],
                "untouched_alarms": measured["untouched_alarms"],
            },
            metrics=measured,
        )


def describe_training(config: TrainLocalizerConfig) -> str:
    """What a network learned from, in two or three sentences for the model card."""
    data, weights = config.data, config.data.synthesis.manipulations
    total = sum(weights.values())
    kinds = ", ".join(f"{weight / total:.0%} {name}" for name, weight in weights.items() if weight > 0)
    labelled, originals = data.labelled, data.originals
    untouched = data.pictures - 2 * data.pairs
    text = (
        f"Forgeries made while it learned ({kinds}), each beside its authentic twin through the same saves, "
        f"and {untouched} of {data.pictures} pictures of a batch cut losslessly from "
        "photographs."
    )
    if originals is not None:
        height, width = originals.context
        text += (
            f" {originals.share:.0%} of the made pairs are from {width}x{height} pixels of camera and phone "
            "originals at native size, on their own JPEG grid."
        )
    if labelled is None:
        return text
    text += (
        f" {labelled.share:.0%} of the pairs are forgeries of {labelled.dataset.name}'s training split "
        f"beside their own hosts saved alike, {labelled.resaved:.0%} of those saved once more"
    )
    return text + (f", {labelled.resized:.0%} resized and saved once more." if labelled.resized else ".")


def list_sources(config: TrainLocalizerConfig) -> list[DataSource]:
    """The data sets that a network learns from, with the number of images that are drawn from.

    Raises:
        DatasetError: a data set or split is missing, or there is a size of which no pair is labelled.
    """
    sources = []
    originals = config.data.originals
    for item in (*config.data.photos, *([originals.dataset] if originals is not None else [])):
        dataset = load_dataset(item.name, item.root)
        count = sum(sample.label == 0 for sample in load_split(dataset, "train"))
        sources.append(describe_source(dataset.card, role="authentic photographs", images=count))
    if config.data.labelled is not None:
        labelled = config.data.labelled.dataset
        pairs = load_labelled_pairs(labelled, "train")
        check_sizes(pairs, config.data.sizes, name=labelled.name)
        card = load_dataset(labelled.name, labelled.root).card
        count = len({id(pair) for size in config.data.sizes for pair in hold_size(pairs, size)})
        sources.append(describe_source(card, role="forgeries with masks", images=count))
    return sources


def _digest_of(start: Path | None) -> str | None:
    """What is started from: the digest of the run's configuration, or that of the bundle.

    Raises:
        ConfigError: it is neither a run of a localizer nor a bundle of one.
    """
    if start is None:
        return None
    if (start / CHECKPOINT_FOLDER).is_dir() and (start / CONFIG_FILE).is_file():
        config = load_config(TrainLocalizerConfig, start / CONFIG_FILE)
        return config_digest(config.model_dump(mode="json"))
    try:
        return load_localizer(find_start(start)).digest
    except BundleError as error:
        raise ConfigError(
            f"start_from: {start} is neither a localizer's run nor its bundle: {error} Name the folder of "
            "one, or a shipped bundle"
        ) from None
