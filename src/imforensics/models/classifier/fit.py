"""The fit of the network: epoch by epoch, each a function of (weights, seed, epoch)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from imforensics.models.classifier.batches import LabelledInputs, class_weights, training_batches
from imforensics.models.classifier.config import TrainDetectorConfig
from imforensics.models.classifier.network import build_classifier
from imforensics.models.training.checkpoints import EarlyStopping, LogRow, SavedState
from imforensics.models.training.determinism import make_deterministic, reseed_dropout
from imforensics.models.training.epochs import Fit, step_callback
from imforensics.models.training.progress import Progress
from imforensics.models.training.variables import list_variables

if TYPE_CHECKING:
    import keras


class ClassifierRow(LogRow):
    """One epoch; losses are mean binary cross-entropies in nats."""

    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    seconds: float
    images_per_second: float


def fit_classifier(
    config: TrainDetectorConfig,
    train: LabelledInputs,
    validation: LabelledInputs,
    run_folder: Path,
    *,
    progress: Progress | None = None,
) -> tuple[keras.Model, SavedState[ClassifierRow]]:
    """Fit the network, from the run's last checkpoint where there is one.

    Args:
        config: network, fit and seed.
        train: what to learn from.
        validation: what early stopping looks at.
        run_folder: checkpoints, training_log.csv and TensorBoard events go there.
        progress: told of each batch.

    Returns:
        The model with the lowest validation loss, and how the fit went.

    Raises:
        InterruptedRunError: the checkpoint there cannot be read.
        ValueError: a class has no training image.
    """
    progress = progress or Progress()
    make_deterministic(config.seed)
    model, fit, count = _build(config, train.inputs.shape[1:]), config.fit, len(train.labels)
    weights = class_weights(train.labels) if fit.class_weights else (1.0, 1.0)

    def fit_epoch(epoch: int) -> ClassifierRow:
        batches = training_batches(
            train, batch_size=fit.batch_size, seed=config.seed, epoch=epoch, flips=fit.flips, weights=weights
        )
        reseed_dropout(model, config.seed, epoch)
        started = time.perf_counter()
        callback = step_callback(progress, batch_size=fit.batch_size, total=count)
        history = model.fit(batches, shuffle=False, verbose=0, callbacks=[callback]).history
        seconds = time.perf_counter() - started
        val_loss, val_accuracy = model.evaluate(
            validation.inputs, validation.labels[:, None], batch_size=64, verbose=0
        )
        row = ClassifierRow(
            epoch=epoch,
            loss=history["loss"][0],
            accuracy=history["accuracy"][0],
            val_loss=val_loss,
            val_accuracy=val_accuracy,
            seconds=seconds,
            images_per_second=count / seconds,
        )
        progress.say(
            f"epoch {epoch:3d}  loss {row.loss:.4f}  accuracy {row.accuracy:.3f}  val_loss "
            f"{row.val_loss:.4f}  val_accuracy {row.val_accuracy:.3f}  {row.images_per_second:.0f} images/s"
        )
        return row

    state = Fit(
        row_type=ClassifierRow,
        groups=list_variables(model),
        epochs=fit.epochs,
        stopping=EarlyStopping(
            column="val_loss", group="weights", patience=fit.patience, min_delta=fit.min_delta
        ),
        total=count,
    ).run(run_folder, fit_epoch, progress=progress)
    return model, state


def _build(config: TrainDetectorConfig, input_shape: tuple[int, int, int]) -> keras.Model:
    import keras

    network = config.network
    model = build_classifier(
        input_shape, filters=network.filters, dense=network.dense, dropout=network.dropout
    )
    model.compile(
        optimizer=keras.optimizers.Adam(config.fit.learning_rate),
        loss=keras.losses.BinaryCrossentropy(),
        metrics=[keras.metrics.BinaryAccuracy(name="accuracy")],
    )
    return model
