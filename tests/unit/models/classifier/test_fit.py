"""The network, the fit and the export, on made arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imforensics.config import load_config
from imforensics.errors import BundleError
from imforensics.models.bundle.layers import TOLERANCE, check_export, part_graph
from imforensics.models.classifier.batches import LabelledInputs
from imforensics.models.classifier.bundle import load_runtime
from imforensics.models.classifier.config import TrainDetectorConfig
from imforensics.models.classifier.fit import fit_classifier
from imforensics.models.classifier.network import build_classifier
from imforensics.models.training.determinism import reseed_dropout

pytestmark = [
    pytest.mark.train,
    # TensorFlow 2.21 variables do not take numpy 2's copy keyword; Keras saves them all the same
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]
CONFIG = load_config(
    TrainDetectorConfig,
    overrides=[
        "input.height=32",
        "input.width=32",
        "network.filters=[8, 8]",
        "network.dense=8",
        "fit.epochs=4",
        "fit.batch_size=16",
        "fit.learning_rate=0.01",
    ],
)


@pytest.fixture(autouse=True, scope="module")
def keras() -> object:
    pytest.importorskip("tensorflow")
    return pytest.importorskip("keras")


def made(count: int, seed: int) -> LabelledInputs:
    """Tampered images have a bright patch somewhere."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(count) % 2).astype(np.float32)
    inputs = rng.random((count, 32, 32, 3)).astype(np.float32) * 0.5
    for index in np.flatnonzero(labels):
        top, left = rng.integers(0, 20, 2)
        inputs[index, top : top + 12, left : left + 12] += 0.5
    return LabelledInputs(inputs, labels)


def shortened(epochs: int) -> TrainDetectorConfig:
    return CONFIG.model_copy(update={"fit": CONFIG.fit.model_copy(update={"epochs": epochs})})


def test_network_is_uncompiled_and_scores_in_0_1() -> None:
    model = build_classifier((32, 48, 6), filters=(4, 8), dense=4, dropout=0.5)
    assert not model.compiled
    scores = np.asarray(model(np.random.default_rng(0).random((5, 32, 48, 6)).astype(np.float32)))
    assert scores.shape == (5, 1)
    assert scores.dtype == np.float32
    assert ((scores > 0) & (scores < 1)).all()


def test_the_papers_network_is_small() -> None:
    assert build_classifier((128, 128, 3)).count_params() < 250_000


def test_input_too_small_for_the_blocks() -> None:
    with pytest.raises(ValueError, match="at least 8x8 for 3 pooling blocks"):
        build_classifier((4, 64, 3))


def test_resumed_fit_has_the_same_rows_and_weights(tmp_path: Path) -> None:
    train, validation = made(64, 1), made(32, 2)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    straight, state = fit_classifier(CONFIG, train, validation, whole)
    fit_classifier(shortened(2), train, validation, parts)
    resumed, again = fit_classifier(CONFIG, train, validation, parts)
    timings = {"seconds", "images_per_second"}
    assert [row.model_dump(exclude=timings) for row in again.rows] == [
        row.model_dump(exclude=timings) for row in state.rows
    ]
    for one, other in zip(resumed.weights, straight.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy(), err_msg=one.path)
    last = [np.load(run / "checkpoints" / "epoch_0004" / "weights.npz") for run in (whole, parts)]
    for name in last[0].files:  # the optimizer's too
        np.testing.assert_array_equal(last[0][name], last[1][name], err_msg=name)


def test_fit_learns_what_there_is_and_a_finished_one_stays(tmp_path: Path) -> None:
    train, validation = made(128, 1), made(64, 2)
    config = load_config(
        TrainDetectorConfig,
        overrides=["network.filters=[8, 8]", "fit.epochs=12", "fit.batch_size=16", "fit.learning_rate=0.01"],
    )
    model, state = fit_classifier(config, train, validation, tmp_path)
    best = state.rows[state.best_epoch - 1]
    assert best.val_accuracy > 0.9
    kept = model.evaluate(validation.inputs, validation.labels[:, None], batch_size=64, verbose=0)
    assert kept[0] == pytest.approx(best.val_loss, rel=1e-5), "the best epoch's network is kept"
    assert fit_classifier(config, train, validation, tmp_path)[1] == state


def test_dropout_masks_are_of_their_epoch_alone() -> None:
    """Masks that come again epoch after epoch can be learned by heart."""
    model = build_classifier((32, 32, 3), filters=(4,), dense=4, dropout=0.5)
    inputs = np.ones((8, 32, 32, 3), np.float32)

    def outputs(epoch: int, steps: int) -> list[bytes]:
        reseed_dropout(model, 1, epoch)
        return [np.asarray(model(inputs, training=True)).tobytes() for _ in range(steps)]

    first = outputs(1, 6)
    assert outputs(1, 6) == first
    assert len(set(first + outputs(2, 6))) == 12


def test_exported_scores_equal_keras() -> None:
    model = build_classifier((32, 32, 3), filters=(8, 16), dense=16, dropout=0.5)
    for variable in model.trainable_variables:  # far from the start values, so that scores spread
        variable.assign(variable * 2)
    inputs = made(70, 3).inputs
    expected = model.predict(inputs, batch_size=64, verbose=0).reshape(-1)
    received = load_runtime(part_graph(model, ["score"]))(inputs)
    assert received.dtype == np.float32
    assert np.ptp(expected) > 0.01
    np.testing.assert_allclose(received, expected, rtol=0, atol=TOLERANCE)
    assert check_export(expected, received) <= TOLERANCE


def test_another_model_is_refused() -> None:
    with pytest.raises(BundleError, match=r"differs from the trained one by 1\.00e-04"):
        check_export(np.zeros(2, np.float32), np.full(2, 1e-4, np.float32))
    with pytest.raises(BundleError, match="differs"):
        check_export(np.zeros(1, np.float32), np.full(1, np.nan, np.float32))
