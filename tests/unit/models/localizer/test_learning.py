"""The losses against their definitions, the running mean, a toy that can be learned, several devices."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imforensics.config import load_config
from imforensics.models.localizer.config import LocalizerFitConfig, TrainLocalizerConfig
from imforensics.models.localizer.feed import LocalizerBatch
from imforensics.models.localizer.learning import Learner, measure_losses, network_inputs, truths
from imforensics.models.localizer.traces import CHANNELS, TABLE_FACTS
from imforensics.models.localizer.validation import validate

pytestmark = pytest.mark.train
SETTINGS = (
    "network.streams=[traces]",
    "network.trace_channels=4",
    "network.channels=6",
    "network.dilations=[1]",
    "fit.epochs=1",
    "fit.steps=60",
    "fit.warmup=0",
    "fit.learning_rate=0.03",
    "fit.average=0.9",
)


@pytest.fixture(autouse=True, scope="module")
def libraries() -> None:
    for name in ("tensorflow", "keras"):
        pytest.importorskip(name)


def configure(*settings: str) -> TrainLocalizerConfig:
    return load_config(TrainLocalizerConfig, None, [*SETTINGS, *settings])


def learner_of(config: TrainLocalizerConfig) -> Learner:
    import keras

    keras.utils.set_random_seed(3)
    return Learner(config)


def toy_batch(seed: int, pictures: int = 8) -> LocalizerBatch:
    """Half of the pictures are tampered, where their first channel is high."""
    rng = np.random.default_rng(seed)
    marks = np.zeros((pictures, 6, 8, 1), np.float32)
    for mark in marks[::2]:
        top, left = rng.integers(0, 3, 2)
        mark[top : top + 3, left : left + 4] = 1
    traces = rng.normal(0, 0.3, (pictures, 6, 8, CHANNELS)).astype(np.float16)
    traces[..., :1] += 2 * marks.astype(np.float16)
    labels = marks.max(axis=(1, 2))
    return LocalizerBatch(
        traces=traces,
        table=np.ones((pictures, TABLE_FACTS), np.float32),
        pixels=rng.integers(0, 256, (pictures, 48, 64, 3), dtype=np.uint8),
        marks=marks,
        labels=labels,
        weights=np.ones((pictures, 1), np.float32),
        origins=("made",) * (pictures - 1) + ("untouched",),
    )


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def entropy(truth: np.ndarray, logits: np.ndarray) -> np.ndarray:
    p = sigmoid(logits)
    return -truth * np.log(p) - (1 - truth) * np.log(1 - p)


def test_losses_are_what_they_say() -> None:
    rng = np.random.default_rng(0)
    logits, trust = rng.normal(0, 2, (2, 3, 4, 5, 1)).astype(np.float32)
    score = rng.normal(0, 2, (3, 1)).astype(np.float32)
    marks = np.zeros((3, 4, 5, 1), np.float32)
    marks[0, :2, :3], marks[1, 3, 4] = 1, 0.25
    labels, weights = np.array([[1.0], [1.0], [0.0]], np.float32), np.array([[1.0], [0.0], [1.0]], np.float32)
    fit = LocalizerFitConfig(dice_weight=0.5, score_weight=0.25, reliability_weight=0.125)
    truth = {"marks": marks, "labels": labels, "weights": weights}
    found = {name: float(value) for name, value in measure_losses(fit, truth, (logits, trust, score)).items()}
    p = sigmoid(logits)
    dice = [1 - (2 * (p[i] * marks[i]).sum() + 1) / (p[i].sum() + marks[i].sum() + 1) for i in (0, 1)]
    is_right = (np.abs(p - marks) < 0.5).astype(np.float32)
    assert found == pytest.approx(
        {
            "map_loss": entropy(marks, logits).mean(),
            "dice_loss": 0.5 * np.mean(dice),  # of the tampered ones
            "score_loss": 0.25 * entropy(labels, score)[[0, 2]].mean(),  # of those that count
            "reliability_loss": 0.125 * entropy(is_right, trust).mean(),
        },
        rel=1e-4,
    )


def test_losses_without_tampered_or_counted_pictures_are_zero() -> None:
    zeros = np.zeros((2, 1), np.float32)
    truth = {"marks": np.zeros((2, 3, 3, 1), np.float32), "labels": zeros, "weights": zeros}
    map_logits = np.ones((2, 3, 3, 1), np.float32)
    found = measure_losses(LocalizerFitConfig(), truth, (map_logits, map_logits, zeros))
    assert float(found["dice_loss"]) == float(found["score_loss"]) == 0


def test_the_map_is_not_shaped_by_its_reliability() -> None:
    import tensorflow as tf

    learner = learner_of(configure())
    batch = toy_batch(0)
    inputs = {name: np.asarray(value, np.float32) for name, value in network_inputs(batch).items()}
    with tf.GradientTape() as tape:
        loss = measure_losses(configure().fit, truths(batch), learner.model(inputs))["reliability_loss"]
    gradients = tape.gradient(loss, learner.model.trainable_variables)
    moved = {
        weight.path
        for weight, gradient in zip(learner.model.trainable_variables, gradients, strict=True)
        if gradient is not None and float(tf.reduce_max(tf.abs(gradient))) > 0
    }
    assert 0 < len(moved) <= 4, "the two layers of the reliability head alone"


def test_a_toy_is_learned_and_the_mean_of_the_weights_kept() -> None:
    config = configure()
    learner = learner_of(config)
    held_out = [toy_batch(1000)]
    learner.update_averaged()
    before = validate(learner.averaged.whole, held_out, config.fit)
    expected = [weight.numpy() for weight in learner.model.trainable_variables]
    for average, value in zip(learner.averages, expected, strict=True):
        np.testing.assert_array_equal(average.numpy(), value)
    losses = []
    for step in range(60):
        batch = toy_batch(step)
        logs = learner.model.train_on_batch(network_inputs(batch), truths(batch), return_dict=True)
        losses.append(logs["loss"])
        if step < 3:
            new = [weight.numpy() for weight in learner.model.trainable_variables]
            expected = [0.9 * old + 0.1 * value for old, value in zip(expected, new, strict=True)]
            for average, value in zip(learner.averages, expected, strict=True):
                np.testing.assert_allclose(average.numpy(), value, atol=1e-6)
    learner.update_averaged()
    whole = learner.averaged.whole
    for average, weight in zip(learner.averages, whole.trainable_variables, strict=True):
        np.testing.assert_array_equal(weight.numpy(), average.numpy())
    for ours, theirs in zip(
        whole.non_trainable_variables, learner.model.non_trainable_variables, strict=True
    ):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    after = validate(whole, held_out, config.fit)
    assert after.loss < before.loss / 2
    assert losses[-1] < losses[0] / 2
    assert after.overall.pixel_auc > 0.98
    assert after.overall.image_auc == 1
    assert after.overall.tampered == 4
    assert after.by_origin.keys() == {"made"}
    assert after.untouched_alarms in (0, 1)
    other = learner_of(config)
    other.start_from(learner.averaged)
    for one, two in zip(other.model.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    for average, weight in zip(other.averages, whole.trainable_variables, strict=True):
        np.testing.assert_array_equal(average.numpy(), weight.numpy())


def test_another_shape_cannot_be_started_from() -> None:
    with pytest.raises(ValueError, match="weight"):
        learner_of(configure()).start_from(learner_of(configure("network.channels=8")).averaged)


def test_half_precision_scales_its_loss() -> None:
    import keras

    learner = learner_of(configure("fit.precision=mixed_float16"))
    assert isinstance(learner.model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert {weight.dtype for weight in learner.model.trainable_variables} == {"float32"}
    assert not isinstance(learner_of(configure()).model.optimizer, keras.optimizers.LossScaleOptimizer)


MIRRORED = """
import sys, types
sys.path[:0] = sys.argv[1:]
import numpy as np, tensorflow as tf
from test_learning import configure, learner_of, toy_batch
from imforensics.models.localizer.batches import Batches, make_pipeline
from imforensics.models.localizer.learning import PARTS

first = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(first, [tf.config.LogicalDeviceConfiguration()] * 2)
tf.config.list_physical_devices = lambda kind=None: ["a", "b"] if kind == "GPU" else [first]
mirrored = tf.distribute.MirroredStrategy
tf.distribute.MirroredStrategy = lambda: mirrored(["CPU:0", "CPU:1"])
config = configure("fit.steps=2", "fit.precision=float32")
learner = learner_of(config)
assert learner.model.distribute_strategy.num_replicas_in_sync == 2
before = [w.numpy() for w in learner.averages]
feed = types.SimpleNamespace(iterate=lambda epoch, steps: map(toy_batch, range(steps)))
pipeline = make_pipeline(Batches(feed, 1, 2))
logs = learner.model.fit(pipeline, steps_per_epoch=2, shuffle=False, verbose=0).history
total = sum(logs[name][0] for name in PARTS)
assert abs(logs["loss"][0] - total) < 1e-3 * total, logs
new = [w.numpy() for w in learner.model.trainable_variables]
assert max(np.abs(a - b).max() for a, b in zip(before, new)) > 0
learner.update_averaged()
for average, weight in zip(learner.averages, learner.averaged.whole.trainable_variables):
    np.testing.assert_array_equal(average.numpy(), weight.numpy())
print("mirrored")
"""


@pytest.mark.slow
def test_two_devices_make_one_step_together() -> None:
    places: list[Any] = [Path(__file__).parent, Path(__file__).parents[3]]
    command = [sys.executable, "-c", MIRRORED, *map(str, places)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if "NotImplementedError" in done.stderr:
        pytest.skip("this TensorFlow cannot mirror on processors")
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().endswith("mirrored")
