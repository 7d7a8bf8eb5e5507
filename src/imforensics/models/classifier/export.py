"""From a finished fit to what is shipped: export, thresholds, calibration, measurements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PIL import Image

from imforensics.metrics.calibration import Calibration, Conditions, fit_calibration
from imforensics.metrics.label_thresholds import choose_label_thresholds
from imforensics.models.bundle.layers import check_export, part_graph
from imforensics.models.bundle.manifest import ModelFile
from imforensics.models.classifier.bundle import load_runtime
from imforensics.models.classifier.config import TrainDetectorConfig
from imforensics.models.classifier.data import SplitName, TrainingData
from imforensics.models.classifier.evaluation import F1_POLICY, choose_f1_threshold, measure, measure_lookup
from imforensics.models.classifier.examples import Example, labels_of, prepare_inputs
from imforensics.models.classifier.manifest import BundleManifest, ClassifierProvenance, Measurement, Pairs
from imforensics.models.training.progress import Progress
from imforensics.types import FloatArray

if TYPE_CHECKING:
    import keras

    from imforensics.models.classifier.fit import ClassifierRow
    from imforensics.models.training.checkpoints import SavedState

ALTERED: dict[Pairs, str] = {
    "raw": "tampered and authentic files as published",
    "twin": "tampered files against their own hosts saved alike",
    "exact_twin": "tampered files against their own hosts saved alike by the same encoder",
}
ScoreTable = dict[tuple[Pairs, SplitName], FloatArray]


def export_classifier(
    config: TrainDetectorConfig,
    data: TrainingData,
    model: keras.Model,
    state: SavedState[ClassifierRow],
    validation_inputs: FloatArray,
    *,
    progress: Progress,
) -> tuple[dict[str, bytes], BundleManifest]:
    """Export the best model, and measure what was exported.

    Args:
        config: of the run.
        data: splits.
        model: of the best epoch.
        state: of the finished fit.
        validation_inputs: (N, h, w, C) float32 of the validation examples of `config.pairs`.
        progress: told of each image prepared.

    Returns:
        The model, and what bundle.yaml is to hold.

    Raises:
        BundleError: the exported model does not score as the trained one.
    """
    content = part_graph(model, ["score"])
    predict = load_runtime(content)
    trained = model.predict(validation_inputs, batch_size=64, verbose=0).reshape(-1)
    difference = check_export(trained, predict(validation_inputs))

    def score(examples: Sequence[Example], stage: str) -> FloatArray:
        return predict(
            prepare_inputs(examples, config.input, workers=config.workers, stage=stage, progress=progress)
        )

    evaluated: tuple[SplitName, ...] = ("val", "test")
    scores: ScoreTable = {
        (pairs, split): score(data.examples[pairs][split], f"{pairs} {split}")
        for pairs in data.examples
        for split in evaluated
    }
    photo_scores = score(data.photos, "photographs") if data.photos else None
    threshold = choose_f1_threshold(
        scores[config.pairs, "val"], labels_of(data.examples[config.pairs]["val"])
    )
    shown = data.examples[config.pairs]
    manifest = BundleManifest(
        name=config.name,
        model=ModelFile.of("model", content, max_difference_to_keras=difference),
        input=config.input,
        thresholds={F1_POLICY: threshold},
        calibration=_calibrate(config, data, scores, photo_scores),
        measurements=_measure_all(config, data, scores, threshold),
        shortcut=measure_lookup(data.samples["train"], data.samples["test"], dataset=config.dataset.name),
        provenance=ClassifierProvenance.record(
            config,
            dataset=config.dataset.name,
            pairs=config.pairs,
            train_images=len(shown["train"]),
            val_images=len(shown["val"]),
            epochs=state.epoch,
            best_epoch=state.best_epoch,
        ),
    )
    return {"model": content}, manifest


def _measure_all(
    config: TrainDetectorConfig, data: TrainingData, scores: ScoreTable, threshold: float
) -> tuple[Measurement, ...]:
    return tuple(
        measure(
            data.examples[pairs][split],
            values,
            pairs=pairs,
            dataset=config.dataset.name,
            split="val" if split == "val" else "test",
            threshold=threshold,
            seed=config.seed,
        )
        for (pairs, split), values in scores.items()
    )


def _calibrate(
    config: TrainDetectorConfig, data: TrainingData, scores: ScoreTable, photo_scores: FloatArray | None
) -> Calibration:
    twins: Pairs = "exact_twin" if "exact_twin" in data.examples else "twin"
    used = "raw" if config.pairs == "raw" else twins
    examples = data.examples[used]["val"]
    calibration = fit_calibration(
        scores[used, "val"],
        labels_of(examples),
        protocol="raw" if used == "raw" else "twin",
        population=f"{data.title}, validation split, {ALTERED[used]}",
        groups=[example.group for example in examples],
        conditions=_conditions_of(examples),
        seed=config.seed,
    )
    if (twins, "val") not in scores or photo_scores is None:
        return calibration
    is_tampered = labels_of(data.examples[twins]["val"]) > 0
    return choose_label_thresholds(
        calibration,
        authentic_camera_scores=photo_scores,
        authentic_scores=scores[twins, "val"][~is_tampered],
        tampered_scores=scores[twins, "val"][is_tampered],
    )


def _conditions_of(examples: Sequence[Example]) -> Conditions:
    """The range of what was calibrated on: nothing is known of other sizes and formats."""
    formats, sizes = set(), []
    for example in examples:
        with Image.open(example.image_path) as image:
            formats.add(image.format)
            sizes.append((image.height, image.width))
    return Conditions(
        requires_jpeg=formats == {"JPEG"},
        min_side=min(min(size) for size in sizes),
        max_pixels=max(height * width for height, width in sizes),
    )
