"""What every method in METHODS must do, whatever it looks for."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

from imforensics.evidence import read_evidence
from imforensics.methods import METHODS, load_method
from imforensics.methods.base import Method, Reference
from imforensics.types import Evidence, Family, Finding, Status

HEIGHT, WIDTH = 91, 134  # no multiple of 8, and not square: a swapped or padded map shows

all_methods = pytest.mark.parametrize("name", list(METHODS))


def scene(height: int = HEIGHT, width: int = WIDTH, seed: int = 7) -> NDArray[np.uint8]:
    """A shaded, noisy picture with a noisier patch, (height, width, 3) uint8."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float64)
    base = 120 + 60 * np.sin(rows / 9) + 40 * np.cos(columns / 13)
    noise = rng.normal(0, 4, (height, width, 3))
    noise[height // 3 : height // 2, width // 3 : width // 2] *= 5
    return np.clip(base[..., None] + noise, 0, 255).astype(np.uint8)


def encoded(pixels: NDArray[np.uint8], file_format: str) -> bytes:
    buffer = io.BytesIO()
    settings = {"quality": 87} if file_format == "JPEG" else {}
    Image.fromarray(pixels).save(buffer, file_format, **settings)
    return buffer.getvalue()


def make_evidence(pixels: NDArray[np.uint8], file_format: str, name: str | None = None) -> Evidence:
    suffix = {"JPEG": "jpg", "PNG": "png"}[file_format]
    return read_evidence(encoded(pixels, file_format), name=name or f"made.{suffix}")


def formats_of(method: type[Method]) -> list[str]:
    return ["JPEG"] if "jpeg" in method.requires else ["JPEG", "PNG"]


def assert_well_formed(finding: Finding, method: type[Method], evidence: Evidence) -> None:
    assert finding.method == method.name
    assert finding.family == method.family
    assert finding.status in get_args(Status)
    assert finding.status != "failed", finding.notes
    if finding.status == "not_applicable":
        assert finding.notes, "a finding that is not applicable says why"
    if finding.score is not None:
        assert 0.0 <= finding.score <= 1.0
    size = evidence.pixels.shape[:2]
    if finding.map is not None:
        assert finding.map.values.shape == size
        assert finding.map.values.dtype == np.float32
        assert np.isfinite(finding.map.values).all()
        assert finding.map.values.min() >= 0.0
        assert finding.map.values.max() <= 1.0
        if finding.map.valid is not None:
            assert finding.map.valid.shape == size
            assert finding.map.valid.dtype == np.bool_
    if finding.mask is not None:
        assert finding.map is not None
        assert finding.threshold is not None
        assert finding.threshold_policy
        assert finding.mask.shape == size
        assert finding.mask.dtype == np.bool_
    for artifact in finding.artifacts.values():
        assert artifact.pixels.dtype == np.uint8
        assert artifact.pixels.ndim == 2 or artifact.pixels.shape[2:] == (3,)
        assert artifact.caption


def assert_same(first: Finding, second: Finding) -> None:
    assert first.status == second.status
    assert first.score == second.score
    assert first.observations == second.observations
    assert first.notes == second.notes
    assert (first.map is None) == (second.map is None)
    if first.map is not None and second.map is not None:
        np.testing.assert_array_equal(first.map.values, second.map.values)
    assert first.artifacts.keys() == second.artifacts.keys()
    for key in first.artifacts:
        np.testing.assert_array_equal(first.artifacts[key].pixels, second.artifacts[key].pixels)


@all_methods
def test_declares_what_the_interface_asks_for(name: str) -> None:
    method = load_method(name)
    assert issubclass(method, Method)
    assert method.name == name
    assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
    assert method.family in get_args(Family)
    assert method.requires <= {"jpeg"}
    for text in (method.question, method.idea, method.limitations):
        assert len(text.split()) >= 4
    assert method.question.rstrip().endswith("?")
    assert isinstance(method.reference, Reference)
    assert method.reference.doi is None or re.fullmatch(r"10\.\d{4,9}/\S+", method.reference.doi)


@all_methods
def test_options_forbid_unknown_keys_and_do_not_change(name: str) -> None:
    options = load_method(name).Options
    with pytest.raises(ValidationError, match="no_such_option"):
        options.model_validate({"no_such_option": 1})
    made = options()
    assert options.model_validate(made.model_dump(mode="json")) == made
    assert made.model_config.get("frozen") is True


@all_methods
def test_every_option_is_described(name: str) -> None:
    options = load_method(name).Options
    text = options.__doc__ or ""
    assert [key for key in options.model_fields if not re.search(rf"^ +{key}: \S", text, re.MULTILINE)] == []


@all_methods
def test_finding_is_well_formed_and_the_input_unchanged(name: str) -> None:
    method = load_method(name)
    for file_format in formats_of(method):
        evidence = make_evidence(scene(), file_format)
        before = evidence.pixels.copy()
        assert_well_formed(method().analyze(evidence), method, evidence)
        np.testing.assert_array_equal(evidence.pixels, before)


@all_methods
def test_same_input_gives_the_same_finding(name: str) -> None:
    method = load_method(name)
    for file_format in formats_of(method):
        evidence = make_evidence(scene(), file_format)
        instance = method()
        first = instance.analyze(evidence)
        instance.analyze(make_evidence(scene(seed=8), file_format))  # nothing is carried over
        assert_same(first, instance.analyze(evidence))
        assert_same(first, method().analyze(make_evidence(scene(), file_format)))


@all_methods
def test_name_and_place_of_the_file_do_not_matter(name: str, tmp_path: Path) -> None:
    method = load_method(name)
    content = encoded(scene(), "JPEG")
    paths = [tmp_path / "authentic" / "a.jpg", tmp_path / "tampered" / "Sp_D_forged.jpg"]
    for path in paths:
        path.parent.mkdir()
        path.write_bytes(content)
    assert_same(*(method().analyze(read_evidence(path)) for path in paths))


@all_methods
@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (1, 64), (64, 1), (7, 5), (8, 8), (9, 17), (33, 300)], ids=str
)
def test_small_and_thin_images(name: str, height: int, width: int) -> None:
    method = load_method(name)
    for file_format in formats_of(method):
        evidence = make_evidence(scene(height, width), file_format)
        assert_well_formed(method().analyze(evidence), method, evidence)


@all_methods
@pytest.mark.parametrize("level", [0, 128, 255])
def test_constant_images(name: str, level: int) -> None:
    method = load_method(name)
    for file_format in formats_of(method):
        evidence = make_evidence(np.full((HEIGHT, WIDTH, 3), level, dtype=np.uint8), file_format)
        assert_well_formed(method().analyze(evidence), method, evidence)


@all_methods
def test_gray_jpeg(name: str) -> None:
    method = load_method(name)
    evidence = make_evidence(np.ascontiguousarray(scene()[..., 0]), "JPEG")
    assert_well_formed(method().analyze(evidence), method, evidence)


def test_unknown_name_is_refused() -> None:
    with pytest.raises(KeyError):
        load_method("no_such_method")
