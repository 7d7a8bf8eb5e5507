"""Reconstruction by a generator that is known: a linear one, whose best latent vector has a formula."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from imforensics.models.gan.error import error_map, image_errors
from imforensics.models.gan.manifest import MODES, SearchSettings
from imforensics.models.gan.reconstruction import Reconstructor

Floats = NDArray[np.float32]
SIDE, LATENT = 16, 6


class LinearBundle:
    """G(z) = 0.5 + A z with orthonormal columns, E(x) = A'(x - 0.5) + bias, features = the mean colour."""

    def __init__(self, bias: float = 0.0, latent: int = LATENT) -> None:
        basis = np.random.default_rng(0).normal(size=(SIDE * SIDE * 3, latent))
        self.basis = np.linalg.qr(basis)[0].astype(np.float32)
        self.bias = np.float32(bias)
        self.size = (SIDE, SIDE)
        self.digest = "d"
        self.manifest: Any = SimpleNamespace(
            name="linear", latent=latent, search=SearchSettings(steps=80, learning_rate=0.1, prior_weight=0)
        )

    def generate(self, latents: Floats) -> Floats:
        return (0.5 + latents @ self.basis.T).reshape(-1, SIDE, SIDE, 3).astype(np.float32)

    def encode(self, images: Floats) -> Floats:
        return (images.reshape(len(images), -1) - 0.5) @ self.basis + self.bias

    def features(self, images: Floats) -> Floats:
        return images.mean((1, 2))

    def search_step(
        self, latents: Floats, targets: Floats, features: Floats, *, feature_weight: float
    ) -> tuple[Floats, Floats]:
        difference = (self.generate(latents) - targets).reshape(len(targets), -1)
        gradient = 2 * difference @ self.basis / difference.shape[1]
        return (difference**2).mean(1), gradient.astype(np.float32)


def images_of(bundle: LinearBundle, count: int, seed: int = 1) -> Floats:
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 0.05, (count, SIDE, SIDE, 3)).astype(np.float32)
    return bundle.generate(rng.normal(0, 1, (count, LATENT)).astype(np.float32)) + noise


def errors(images: Floats, made: Floats) -> Floats:
    return ((images - made) ** 2).mean((1, 2, 3))


def best_possible(bundle: LinearBundle, images: Floats) -> Floats:
    flat = images.reshape(len(images), -1) - 0.5
    return errors(images, bundle.generate(flat @ bundle.basis))


def reconstructor(bias: float = 0.0, **settings: float) -> tuple[Reconstructor, LinearBundle]:
    bundle = LinearBundle(bias)
    chosen = bundle.manifest.search.model_copy(update=settings)
    return Reconstructor(bundle, chosen), bundle  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["search", "encoder+search"])
def test_search_comes_to_the_best_latent_vector(mode: Any) -> None:
    maker, bundle = reconstructor(bias=1.5)
    images = images_of(bundle, 3)
    found = errors(images, maker.reconstruct(images, mode=mode, seed=3))
    np.testing.assert_allclose(found, best_possible(bundle, images), rtol=0.02)


def test_the_order_of_the_modes() -> None:
    maker, bundle = reconstructor(bias=0.05)
    images = images_of(bundle, 4)
    noise, encoder, both = (
        errors(images, maker.reconstruct(images, mode=mode))
        for mode in ("noise", "encoder", "encoder+search")
    )
    assert (both < encoder).all()
    assert (encoder < noise).all()


def test_a_search_is_never_worse_than_its_start() -> None:
    """A learning rate that throws z about must not lose the encoder's own answer."""
    maker, bundle = reconstructor(bias=0.01, learning_rate=50.0, steps=5)
    images = images_of(bundle, 3)
    before, after = (
        errors(images, maker.reconstruct(images, mode=mode)) for mode in ("encoder", "encoder+search")
    )
    assert (after <= before).all()


def test_noise_takes_the_nearest_of_its_samples() -> None:
    maker, bundle = reconstructor(noise_samples=40)
    images = images_of(bundle, 3)
    made = maker.reconstruct(images, mode="noise", seed=7)
    candidates = bundle.generate(np.random.default_rng(7).standard_normal((40, LATENT), dtype=np.float32))
    lowest = [errors(np.broadcast_to(image, candidates.shape), candidates).min() for image in images]
    np.testing.assert_allclose(errors(images, made), lowest, rtol=1e-5)


def test_more_restarts_are_no_worse() -> None:
    few, bundle = reconstructor(steps=3, restarts=1)
    many, _ = reconstructor(steps=3, restarts=6)
    images = images_of(bundle, 3)
    one, six = (errors(images, maker.reconstruct(images, mode="search", seed=2)) for maker in (few, many))
    assert (six <= one).all()
    assert (six < one).any()


@pytest.mark.parametrize("mode", MODES)
def test_seeds_decide(mode: Any) -> None:
    maker, bundle = reconstructor(steps=2)
    images = images_of(bundle, 2)
    first, again = (maker.reconstruct(images, mode=mode, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = maker.reconstruct(images, mode=mode, seed=6)
    assert np.array_equal(first, other) == (mode in ("encoder", "encoder+search"))


@pytest.mark.parametrize("shape", [(1, 1), (5, 40), (16, 16), (37, 50)], ids=str)
@pytest.mark.parametrize("view", ["whole", "patches"])
def test_images_of_any_size(shape: tuple[int, int], view: Any) -> None:
    maker, _ = reconstructor()
    pixels = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    before = pixels.copy()
    made = maker.reconstruct_image(pixels, mode="encoder", view=view)
    assert made.shape == (*shape, 3)
    assert made.dtype == np.float32
    np.testing.assert_array_equal(pixels, before)
    for found in image_errors(maker, pixels, mode="encoder", view=view):
        assert found.shape == shape
        assert found.dtype == np.float32
        assert 0 <= found.min() <= found.max() <= 1


def test_patches_of_a_generator_that_makes_everything_give_the_image_back() -> None:
    bundle = LinearBundle(latent=SIDE * SIDE * 3)
    maker = Reconstructor(bundle)  # type: ignore[arg-type]
    pixels = np.random.default_rng(1).integers(0, 256, (37, 50, 3), dtype=np.uint8)
    made = maker.reconstruct_image(pixels, mode="encoder", view="patches")
    np.testing.assert_allclose(made, pixels / 255, atol=1e-4)
    (errors,) = image_errors(maker, pixels, mode="encoder", view="patches", kinds=["ssim"])
    assert errors.max() < 1e-3


def test_error_maps_show_where() -> None:
    rng = np.random.default_rng(0)
    image = rng.random((40, 40, 3)).astype(np.float32)
    made = image.copy()
    made[10:20, 5:15] = rng.random((10, 10, 3))
    absolute = error_map(image, made, "absolute")
    np.testing.assert_allclose(absolute, np.abs(image - made).mean(2), atol=1e-6)
    dissimilar = error_map(image, made, "ssim")
    assert dissimilar[15, 10] > 0.2
    assert dissimilar[30:, 30:].max() < 1e-5


def test_wrong_arguments() -> None:
    maker, bundle = reconstructor()
    images = images_of(bundle, 1)
    with pytest.raises(ValueError, match=r"mode to be one of noise, search, encoder, encoder\+search"):
        maker.reconstruct(images, mode="magic")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="float32 images"):
        maker.reconstruct(images.astype(np.float64))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="images of shape"):
        maker.reconstruct(images[:, :8])
    with pytest.raises(ValueError, match="view to be one of whole, patches"):
        maker.reconstruct_image(np.zeros((4, 4, 3), np.uint8), view="half")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="uint8 pixels"):
        maker.reconstruct_image(np.zeros((4, 4, 3)))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="one shape"):
        error_map(images[0], images[0, :8], "ssim")
    with pytest.raises(ValueError, match="kind to be one of absolute, ssim"):
        error_map(images[0], images[0], "squared")  # type: ignore[arg-type]
