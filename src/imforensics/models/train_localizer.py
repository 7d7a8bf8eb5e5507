"""Training a localizer, from the configuration to the bundle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from imforensics.config import config_digest, load_config
from imforensics.datasets.base import load_dataset, load_split
from imforensics.models.localizer_calibration import calibrate_localizer
from imforensics.models.localizer_config import TrainLocalizerConfig
from imforensics.models.localizer_export import export_localizer
from imforensics.models.localizer_feed import take_picture
from imforensics.models.localizer_fit import LocalizerState, fit_localizer
from imforensics.models.localizer_manifest import DataSource, LocalizerManifest
from imforensics.models.localizer_pairs import load_labelled_pairs
from imforensics.models.localizer_validation import Validation, validate
from imforensics.models.localizer_writer import (
    LocalizerFacts,
    describe_provenance,
    describe_source,
    write_localizer_bundle,
)
from imforensics.models.progress import Progress
from imforensics.models.run_curves import CURVES_PICTURE, CURVES_WORDS, write_curves
from imforensics.models.run_folder import CONFIG_FILE, open_run_folder, write_atomically
from imforensics.models.run_readings import RunReading
from imforensics.models.training_extra import require_training
from imforensics.models.training_log import LOG_FILE

BUNDLE_FOLDER = "bundle"
COMPARED = 4  # validation pictures that the exported network is compared on

REQUIRED = ("tensorflow", "keras", "tf2onnx", "sklearn", "cv2")  # cv2 fills the regions of made removals


@dataclass(frozen=True, slots=True)
class TrainLocalizerResult:
    """What a training run ended with.

    Attributes:
        bundle_folder: the exported bundle.
        manifest: its facts.
        reading: what the learning curves say.
        state: the rows of the training log.
        validation: of the network that is kept.
    """

    bundle_folder: Path
    manifest: LocalizerManifest
    reading: RunReading
    state: LocalizerState
    validation: Validation


def train_localizer(
    config: TrainLocalizerConfig,
    run_folder: Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> TrainLocalizerResult:
    """Train, export and calibrate a localizer.

    A finished run that is resumed is exported and calibrated again, and nothing is fitted.

    Args:
        config: what to do.
        run_folder: gets config.yaml, checkpoints, logs, curves and the bundle.
        resume: go on with the run that is there.
        overwrite: delete the run that is there.
        progress: told of everything that takes long.

    Returns:
        The bundle's place, and what was measured on validation data.

    Raises:
        MissingExtraError: a package of the extra `train` is not installed.
        DatasetError: a data set or split is missing.
        OutputExistsError, InterruptedRunError: see `open_run_folder`.
        BundleError: the exported network does not say what the trained one says.
    """
    require_training("train-detector", REQUIRED)
    progress = progress or Progress()
    sources = _list_sources(config)  # before there is a folder: data may be missing
    open_run_folder(run_folder, config, resume=resume, overwrite=overwrite)
    learner, state, held_out = fit_localizer(config, run_folder, progress=progress)
    validation = validate(learner.averaged.whole, held_out, config.fit)
    pictures = [take_picture(held_out[0], index) for index in range(COMPARED)]
    exported = export_localizer(learner.averaged, pictures)
    found = calibrate_localizer(config, exported.start(), progress=progress)
    reading = write_curves(run_folder)
    facts = LocalizerFacts(
        name=config.name,
        network=config.network,
        map_threshold=found.map_threshold,
        calibration=found.calibration,
        training=_describe_training(config),
        sources=(*sources, *found.sources),
        provenance=describe_provenance(
            config,
            epochs=state.epoch,
            pictures=state.epoch * config.fit.steps * (2 * config.data.pairs + config.data.untouched),
            seconds=sum(row.seconds for row in state.rows),
            started_from=_digest_of(config.start_from),
        ),
    )
    folder = run_folder / BUNDLE_FOLDER
    manifest = write_localizer_bundle(exported, facts, folder)
    for name in (CONFIG_FILE, LOG_FILE, CURVES_PICTURE, CURVES_WORDS):
        write_atomically(folder / name, (run_folder / name).read_bytes())
    return TrainLocalizerResult(folder, manifest, reading, state, validation)


def _describe_training(config: TrainLocalizerConfig) -> str:
    data, synthesis = config.data, config.data.synthesis
    kinds = ", ".join(f"{share:.0%} {name}" for name, share in synthesis.manipulations.items())
    labelled = data.labelled
    text = (
        f"Forgeries made while it learned ({kinds}), each beside its authentic twin through the same saves, "
        f"and {data.untouched} of {2 * data.pairs + data.untouched} pictures of a batch cut losslessly from "
        "photographs."
    )
    if labelled is None:
        return text
    return (
        f"{text} {labelled.share:.0%} of the pairs are forgeries of {labelled.dataset.name}'s training split "
        f"beside their own hosts saved alike, {labelled.resaved:.0%} of those saved once more."
    )


def _list_sources(config: TrainLocalizerConfig) -> list[DataSource]:
    sources = []
    for item in config.data.photos:
        dataset = load_dataset(item.name, item.root)
        count = len(load_split(dataset, "train"))
        sources.append(describe_source(dataset.card, role="authentic photographs", images=count))
    if config.data.labelled is not None:
        labelled = config.data.labelled.dataset
        pairs = load_labelled_pairs(labelled, "train")
        card = load_dataset(labelled.name, labelled.root).card
        count = sum(len(group) for group in pairs.values())
        sources.append(describe_source(card, role="forgeries with masks", images=count))
    return sources


def _digest_of(run_folder: Path | None) -> str | None:
    """Digest of the configuration of the run that was started from."""
    if run_folder is None:
        return None
    config = load_config(TrainLocalizerConfig, run_folder / CONFIG_FILE)
    return config_digest(config.model_dump(mode="json"))
