"""What changes the localizer's weights: the losses of one batch; and the running mean of the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imforensics.models.localizer.network import Localizer, build_localizer

if TYPE_CHECKING:
    import keras

    from imforensics.models.localizer.config import LocalizerFitConfig, TrainLocalizerConfig
    from imforensics.models.localizer.feed import LocalizerBatch

PARTS = ("map_loss", "dice_loss", "score_loss", "reliability_loss")


class Learner:
    """The network that learns, and its running mean, which is what is kept.

    Attributes:
        model: learns; compiled.
        averaged: float32 network with the averaged weights after `update_averaged`.
        averages: running means of the trainable weights.
    """

    def __init__(self, config: TrainLocalizerConfig) -> None:
        """Build both networks; on several GPUs the one that learns is mirrored."""
        import tensorflow as tf

        several = len(tf.config.list_physical_devices("GPU")) > 1
        strategy = tf.distribute.MirroredStrategy() if several else tf.distribute.get_strategy()
        with strategy.scope():
            learning = build_localizer(config.network, precision=config.fit.precision).whole
            weights = learning.trainable_variables
            self.averages = [tf.Variable(weight.value, trainable=False) for weight in weights]
            self.model: keras.Model = _compile(learning, self.averages, config.fit)
        self.averaged: Localizer = build_localizer(config.network)

    def update_averaged(self) -> None:
        """Give `averaged` the running mean of the weights, and the present batch statistics."""
        whole = self.averaged.whole
        for variable, value in zip(whole.trainable_variables, self.averages, strict=True):
            variable.assign(value)
        pairs = zip(whole.non_trainable_variables, self.model.non_trainable_variables, strict=True)
        for variable, value in pairs:
            variable.assign(value)

    def start_from(self, weights: Localizer) -> None:
        """Begin at the weights of another localizer of the same shape.

        Raises:
            ValueError: it has another shape.
        """
        self.model.set_weights(weights.whole.get_weights())
        for average, weight in zip(self.averages, self.model.trainable_variables, strict=True):
            average.assign(weight.value)

    @property
    def groups(self) -> dict[str, list[Any]]:
        """Every variable of the fit, by name of the group, for checkpoints."""
        return {
            "weights": list(self.model.variables),
            "optimizer": list(self.model.optimizer.variables),
            "averages": list(self.averages),
        }


def network_inputs(batch: LocalizerBatch) -> dict[str, Any]:
    """What the network takes of a batch."""
    return {"traces": batch.traces, "table": batch.table, "pixels": batch.pixels}


def truths(batch: LocalizerBatch) -> dict[str, Any]:
    """What the network is told of a batch."""
    return {"marks": batch.marks, "labels": batch.labels, "weights": batch.weights}


def measure_losses(fit: LocalizerFitConfig, truth: dict[str, Any], outputs: Any) -> dict[str, Any]:
    """The parts of the loss, weighted; their sum is what is minimized.

    map: mean cross-entropy of blocks, whose truth is the tampered share. dice: 1 - the Dice coefficient, mean
    over tampered pictures. score: cross-entropy of the pictures whose label counts. reliability:
    cross-entropy of "the map is right here".

    Args:
        fit: weights of the parts.
        truth: see `truths`.
        outputs: logits of map, reliability and score.
    """
    import tensorflow as tf

    cross_entropy = tf.nn.sigmoid_cross_entropy_with_logits
    logits, reliability, score = (tf.cast(output, tf.float32) for output in outputs)
    marks, labels, weights = truth["marks"], truth["labels"], truth["weights"]
    probability = tf.sigmoid(logits)
    overlap = tf.reduce_sum(probability * marks, [1, 2, 3])
    total = tf.reduce_sum(probability, [1, 2, 3]) + tf.reduce_sum(marks, [1, 2, 3])
    dice = 1 - (2 * overlap + 1) / (total + 1)
    is_right = tf.cast(tf.abs(tf.stop_gradient(probability) - marks) < 0.5, tf.float32)
    return {
        "map_loss": tf.reduce_mean(cross_entropy(marks, logits)),
        "dice_loss": fit.dice_weight * _mean(dice[:, tf.newaxis], labels),
        "score_loss": fit.score_weight * _mean(cross_entropy(labels, score), weights),
        "reliability_loss": fit.reliability_weight * tf.reduce_mean(cross_entropy(is_right, reliability)),
    }


def _mean(values: Any, weights: Any) -> Any:
    """Weighted mean, 0 without weight."""
    import tensorflow as tf

    return tf.math.divide_no_nan(tf.reduce_sum(values * weights), tf.reduce_sum(weights))


def _compile(network: keras.Model, averages: list[Any], fit: LocalizerFitConfig) -> keras.Model:
    model = _add_learning(network, averages, fit)
    model.compile(optimizer=_make_optimizer(fit))
    model.optimizer.build(model.trainable_variables)
    return model


def _make_optimizer(fit: LocalizerFitConfig) -> Any:
    """AdamW along a cosine over all steps, after a linear rise."""
    import keras

    rate = keras.optimizers.schedules.CosineDecay(
        fit.learning_rate * 1e-2,
        max(1, fit.epochs * fit.steps - fit.warmup),
        alpha=0.01,
        warmup_target=fit.learning_rate,
        warmup_steps=fit.warmup,
    )
    optimizer: Any = keras.optimizers.AdamW(rate, weight_decay=fit.weight_decay)
    if fit.precision == "mixed_float16":  # small gradients are lost otherwise
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def _add_learning(network: keras.Model, averages: list[Any], fit: LocalizerFitConfig) -> keras.Model:
    """The same network as a model that knows its loss and how to make a step."""
    import keras
    import tensorflow as tf

    trackers = {name: keras.metrics.Mean(name=name) for name in PARTS}

    class Learning(keras.Model):  # type: ignore[misc]
        """The same network with our loss; every step also moves the running mean of the weights."""

        def compute_loss(
            self,
            x: Any = None,  # noqa: ARG002 - the names are Keras's
            y: Any = None,
            y_pred: Any = None,
            *_args: Any,
            **_kwargs: Any,
        ) -> Any:
            parts = measure_losses(fit, y, y_pred)
            for name, value in parts.items():
                trackers[name].update_state(value)
            replicas = tf.distribute.get_strategy().num_replicas_in_sync
            total = sum(parts.values())
            return total / replicas if replicas > 1 else total  # the replicas' gradients are summed

        def train_step(self, data: Any) -> Any:
            logs = super().train_step(data)
            for average, weight in zip(averages, self.trainable_variables, strict=True):
                average.assign(fit.average * average + (1 - fit.average) * weight)
            return logs

        @property
        def metrics(self) -> list[Any]:
            return [*super().metrics, *trackers.values()]

    return Learning(network.inputs, network.outputs, name="localizer")
