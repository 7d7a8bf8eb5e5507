"""The three networks, one step of the game, its augmentation, and the graphs that are exported."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from imforensics.config import load_config
from imforensics.errors import ConfigError
from imforensics.models.bundle.runtime import start_session
from imforensics.models.gan.config import TrainGanConfig
from imforensics.models.gan.graphs import discriminator_graph, encoder_graph, generator_graph, search_graph
from imforensics.models.gan.networks import build_discriminator, build_encoder, build_generator
from imforensics.models.gan.step import GanTrainer, augment, draw_step
from imforensics.models.training.determinism import make_deterministic

pytestmark = [
    pytest.mark.train,
    # TensorFlow 2.21 variables do not take numpy 2's copy keyword; Keras saves them all the same
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]
TINY = (
    "images.size=16",
    "networks.latent=5",
    "networks.generator_filters=[8, 8, 4]",
    "networks.discriminator_filters=[4, 8]",
    "networks.encoder_filters=[4, 8]",
    "fit.batch_size=4",
)


@pytest.fixture(autouse=True, scope="module")
def libraries() -> None:
    for name in ("tensorflow", "keras", "onnx"):
        pytest.importorskip(name)


def made_up(model: Any, seed: int) -> Any:
    """Weights and statistics far from those of a new network, so that nothing cancels."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        if "variance" in variable.path or "gamma" in variable.path:
            variable.assign(rng.uniform(0.5, 2, variable.shape))
        elif str(variable.dtype) == "float32":
            variable.assign(rng.normal(0, 0.3, variable.shape))
    return model


def test_networks_have_the_stated_shapes_and_ranges() -> None:
    rng = np.random.default_rng(0)
    generator = build_generator(6, filters=(8, 8, 4, 4), seed=1)
    images = np.asarray(generator(rng.standard_normal((3, 6)).astype(np.float32)))
    assert images.shape == (3, 32, 32, 3)
    assert 0 <= images.min() <= images.max() <= 1
    logit, features = build_discriminator(32, filters=(4, 8), seed=1)(images)
    assert (logit.shape, features.shape) == ((3, 1), (3, 8, 8, 8))
    assert build_encoder(32, 6, filters=(4, 8), seed=1)(images).shape == (3, 6)


def test_the_papers_size_is_slim() -> None:
    config = TrainGanConfig()
    shape = config.networks
    generator = build_generator(shape.latent, filters=shape.generator_filters)
    assert generator.output_shape == (None, 128, 128, 3)
    assert generator.count_params() < 600_000
    assert build_discriminator(128, filters=shape.discriminator_filters).count_params() < 600_000


def test_seeds_give_the_weights() -> None:
    first, again, other = (build_generator(4, filters=(8, 4), seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.get_weights()[0], again.get_weights()[0])
    assert not np.array_equal(first.get_weights()[0], other.get_weights()[0])


def test_filters_that_do_not_make_the_size_are_refused() -> None:
    with pytest.raises(ConfigError, match="3 generator_filters make images of 16 rows, expected 128"):
        load_config(TrainGanConfig, overrides=["networks.generator_filters=[8, 8, 4]"])


def test_spectral_norm_bounds_the_layers() -> None:
    discriminator = build_discriminator(16, filters=(4, 8), norm="spectral", seed=1)
    layer = discriminator.get_layer("conv_2_sn")
    layer.layer.kernel.assign(layer.layer.kernel * 100)
    images = np.random.default_rng(0).random((2, 16, 16, 3)).astype(np.float32)
    for _ in range(200):  # the power iteration goes one step a call
        discriminator(images, training=True)
    kernel = np.asarray(layer.layer.kernel)
    assert np.linalg.svd(kernel.reshape(-1, kernel.shape[3]), compute_uv=False)[0] == pytest.approx(
        1, abs=0.05
    )


@pytest.mark.parametrize("norm", ["spectral", "batch", "none"])
def test_exported_graphs_compute_what_keras_does(norm: str) -> None:
    import tensorflow as tf

    rng = np.random.default_rng(3)
    generator = made_up(build_generator(8, filters=(16, 16, 8, 8)), 1)
    discriminator = made_up(build_discriminator(32, filters=(8, 16), norm=norm), 2)
    encoder = made_up(build_encoder(32, 8, filters=(8, 16)), 3)
    noise = rng.standard_normal((5, 8)).astype(np.float32)
    images = rng.random((5, 32, 32, 3)).astype(np.float32)

    made = start_session(generator_graph(generator)).run(None, {"z": noise})[0]
    np.testing.assert_allclose(made, generator(noise), rtol=0, atol=5e-5)
    latents = start_session(encoder_graph(encoder)).run(None, {"image": images})[0]
    np.testing.assert_allclose(latents, encoder(images), rtol=1e-4, atol=1e-3)
    features, logits = start_session(discriminator_graph(discriminator)).run(None, {"image": images})
    expected_logits, expected = discriminator(images)
    np.testing.assert_allclose(logits, expected_logits, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(
        features, np.asarray(expected).transpose(0, 3, 1, 2).reshape(5, -1), rtol=1e-4, atol=1e-3
    )

    z, weight = tf.constant(noise), 0.7
    with tf.GradientTape() as tape:
        tape.watch(z)
        again = generator(z, training=False)
        pixel = tf.reduce_mean((again - images) ** 2, (1, 2, 3))
        feature = tf.reduce_mean((discriminator(again, training=False)[1] - expected) ** 2, (1, 2, 3))
        loss = tf.reduce_sum(pixel + weight * feature)
    feeds = {
        "z": noise,
        "target": images,
        "target_features": features,
        "feature_weight": np.full((5, 1), weight, np.float32),
    }
    found = start_session(search_graph(generator, discriminator)).run(None, feeds)
    np.testing.assert_allclose(found[0][:, 0], pixel, rtol=1e-4)
    np.testing.assert_allclose(found[1][:, 0], feature, rtol=1e-4)
    slope = tape.gradient(loss, z).numpy()
    assert np.abs(slope).max() > 0.1
    np.testing.assert_allclose(found[2], slope, rtol=1e-3, atol=1e-4)
    near = start_session(search_graph(generator, discriminator, half=True)).run(None, feeds)[2]
    cosines = (near * slope).sum(1) / np.linalg.norm(near, axis=1) / np.linalg.norm(slope, axis=1)
    assert (cosines > 0.99).all(), "weights of 11 bits point the same way"


def test_a_step_moves_all_networks_and_leaves_out_nothing() -> None:
    config = load_config(TrainGanConfig, overrides=TINY)
    trainer = GanTrainer(config)
    rng = np.random.default_rng(0)
    draw = draw_step(rng, batch=4, latent=5, size=16)
    before = {name: [v.numpy().copy() for v in group] for name, group in trainer.groups.items()}
    images = rng.random((4, 16, 16, 3)).astype(np.float32)
    losses = trainer.train_step(images, draw.noise, draw.colours, draw.holes, draw.shifts).numpy()
    assert np.isfinite(losses).all()
    assert losses.shape == (3,)
    for name in ("generator", "discriminator", "averaged"):
        moved = [
            not np.array_equal(old, variable.numpy())
            for old, variable in zip(before[name], trainer.groups[name], strict=True)
        ]
        kept = [v.path for v, is_moved in zip(trainer.groups[name], moved, strict=True) if not is_moved]
        assert kept == [], "normalization statistics, dropout states and spectral vectors move in training"


def test_a_step_is_a_function_of_weights_and_draws() -> None:
    config = load_config(TrainGanConfig, overrides=[*TINY, "networks.dropout=0"])
    images = np.random.default_rng(5).random((4, 16, 16, 3)).astype(np.float32)
    results = []
    for _ in range(2):
        make_deterministic(1)  # the spectral norm's first vectors have no seed of their own
        trainer, rng = GanTrainer(config), np.random.default_rng(0)
        for _ in range(2):
            draw = draw_step(rng, batch=4, latent=5, size=16)
            losses = trainer.train_step(images, draw.noise, draw.colours, draw.holes, draw.shifts)
        results.append(losses.numpy())
    np.testing.assert_array_equal(*results)


def test_augmentation_moves_cuts_and_recolours() -> None:
    import tensorflow as tf

    images = np.random.default_rng(0).random((2, 16, 16, 3)).astype(np.float32)
    neutral = np.tile(np.array([0, 1, 1], np.float32), (2, 1))
    far = np.full((2, 2), 9, np.float32)  # a hole beyond the image
    middle = np.array([2, 2], np.int32)  # 16 // SHIFT_SHARE
    same = augment(tf.constant(images), neutral, far, middle).numpy()
    np.testing.assert_allclose(same, images, atol=1e-6)
    moved = augment(tf.constant(images), neutral, far, np.array([3, 2], np.int32)).numpy()
    np.testing.assert_allclose(moved[:, :-1], images[:, 1:], atol=1e-6)
    np.testing.assert_allclose(moved[:, -1], images[:, -2], atol=1e-6)  # mirrored at the edge
    brighter = augment(tf.constant(images), neutral + np.float32([0.2, 0, 0]), far, middle).numpy()
    np.testing.assert_allclose(brighter, images + 0.2, atol=1e-6)
    gray = augment(tf.constant(images), neutral * np.float32([1, 1, 0]), far, middle).numpy()
    np.testing.assert_allclose(gray, np.repeat(images.mean(3, keepdims=True), 3, 3), atol=1e-6)
    holes = augment(tf.constant(images), neutral, np.full((2, 2), 0.5, np.float32), middle).numpy()
    assert (holes[:, 7:10, 7:10] == 0.5).all()
    np.testing.assert_allclose(holes[:, :6], images[:, :6], atol=1e-6)
