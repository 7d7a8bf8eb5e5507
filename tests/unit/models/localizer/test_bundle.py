"""Localizer bundles on disk: checked, run, described; refused where they were changed."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from fixtures.noise_localizer import THRESHOLD, write_noise_localizer
from imforensics.datasets.publishers.casia import CASIA1
from imforensics.errors import BundleError
from imforensics.evidence import read_evidence
from imforensics.models.classifier.bundle import load_bundle
from imforensics.models.kinds import list_bundles, read_kind
from imforensics.models.localizer.bundle import load_localizer
from imforensics.models.localizer.config import LocalizerNetworkConfig
from imforensics.models.localizer.evidence import read_traces
from imforensics.models.localizer.manifest import LocalizerMeasurement
from imforensics.models.localizer.runtime import PARTS
from imforensics.models.localizer.traces import describe_blocks, describe_uncompressed
from imforensics.models.localizer.writer import add_to_bundle, describe_source, read_measurement
from imforensics.types import Evidence

pytestmark = pytest.mark.train  # the made bundle is written with onnx

MEASURED = LocalizerMeasurement(
    protocol="twin",
    dataset="casia1",
    split="test",
    n_authentic=100,
    n_tampered=100,
    metrics={"pixel_auc": 0.9, "f1_fixed": 0.5, "image_auc": 0.8},
    intervals={"pixel_auc": (0.85, 0.95)},
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pytest.importorskip("onnx")
    write_noise_localizer(tmp_path / "noise")
    return tmp_path / "noise"


def rewrite(folder: Path, **changes: object) -> None:
    path = folder / "bundle.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **changes}))


def evidence(pixels: np.ndarray, file_format: str = "JPEG", **settings: object) -> Evidence:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, file_format, **settings)
    return read_evidence(buffer.getvalue(), name=f"made.{file_format.lower()}")


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(128, 20, shape).clip(0, 255).astype(np.uint8)


def test_a_bundle_runs_the_network_that_was_written(folder: Path) -> None:
    pixels = noise(88, 128, 3)
    pixels[:40] = 128
    found = load_localizer(folder, threads=1).localize(describe_uncompressed(11, 16), pixels)
    assert found.marks.shape == found.reliability.shape == (11, 16)
    green = pixels[..., 1].astype(np.float64)
    around = np.pad(green, 1, mode="edge")
    four = around[:-2, 1:-1] + around[2:, 1:-1] + around[1:-1, :-2] + around[1:-1, 2:]
    energy = np.abs(4 * green - four).reshape(11, 8, 16, 8).mean((1, 3))
    logits = (energy - energy.mean() - 8) / 4
    np.testing.assert_allclose(found.marks, 1 / (1 + np.exp(-logits)), atol=1e-5)
    assert found.score == pytest.approx(1 / (1 + np.exp(-logits.max())), abs=1e-5)
    np.testing.assert_allclose(found.reliability, 1 / (1 + np.exp(-2)), atol=1e-6)


def test_what_the_network_looks_at_is_computed(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    write_noise_localizer(tmp_path / "ela", network=LocalizerNetworkConfig(streams=("ela",), channels=4))
    write_noise_localizer(tmp_path / "noise")
    pixels, traces = noise(64, 64, 3), describe_uncompressed(8, 8)
    first, second = (load_localizer(tmp_path / name).localize(traces, pixels) for name in ("ela", "noise"))
    assert np.abs(first.marks - second.marks).max() > 0.05


@pytest.mark.parametrize("part", PARTS)
def test_a_changed_network_is_refused(folder: Path, part: str) -> None:
    path = folder / f"{part}.onnx"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(BundleError, match=rf"{part}.onnx is not the network that bundle.yaml names"):
        load_localizer(folder)


def test_a_network_that_is_no_model_is_named_when_it_is_needed(folder: Path) -> None:
    content = yaml.safe_load((folder / "bundle.yaml").read_text())
    (folder / "trunk.onnx").write_bytes(b"not a model")
    content["files"]["trunk"]["sha256"] = hashlib.sha256(b"not a model").hexdigest()
    (folder / "bundle.yaml").write_text(yaml.safe_dump(content))
    bundle = load_localizer(folder)
    with pytest.raises(BundleError, match=r"trunk\.onnx: the model does not load"):
        bundle.localize(describe_uncompressed(8, 8), noise(64, 64, 3))


def test_a_changed_manifest_has_another_digest(folder: Path) -> None:
    before = load_localizer(folder).digest
    rewrite(folder, name="other")
    assert load_localizer(folder).digest != before


def test_what_is_no_localizer_bundle_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"is no bundle: bundle\.yaml cannot be read"):
        load_localizer(tmp_path)
    with pytest.raises(BundleError, match="of kind 'classifier', expected 'localizer'"):
        load_localizer("casia1_ela_cnn_twin")
    with pytest.raises(BundleError, match="of kind 'localizer', expected 'classifier'"):
        load_bundle(folder)
    assert read_kind(folder) == "localizer"
    assert "noise" not in list_bundles("localizer")
    files = yaml.safe_load((folder / "bundle.yaml").read_text())["files"]
    rewrite(folder, schema_version=2)
    with pytest.raises(BundleError, match="schema_version 2, expected 1"):
        load_localizer(folder)
    rewrite(folder, schema_version=1, files={"stem": files["stem"]})
    with pytest.raises(BundleError, match="no file for trunk, scorer"):
        load_localizer(folder)
    rewrite(folder, files=files, reach=[-1, 0])
    with pytest.raises(BundleError, match="reach must not be negative"):
        load_localizer(folder)


def test_figures_and_pictures_are_added_and_replaced(folder: Path) -> None:
    before = load_localizer(folder).manifest
    add_to_bundle(folder, measurements=[MEASURED], limits=["It marks hair."])
    better = MEASURED.model_copy(update={"metrics": {"pixel_auc": 0.95}})
    raw = MEASURED.model_copy(update={"protocol": "raw"})
    add_to_bundle(
        folder,
        measurements=[better, raw],
        limits=["It marks hair."],
        pictures={"failure_1.jpg": (b"picture", "Hair is marked.")},
    )
    after = load_localizer(folder).manifest
    assert after.measurements == (better, raw)
    assert after.find_measurement("twin") == better
    assert after.find_measurement("twin", split="val") is None
    assert after.limits == ("It marks hair.",)
    assert after.files == before.files
    card = (folder / "MODEL_CARD.md").read_text()
    assert "| casia1, test | twin | 100 / 100 | 0.950 [0.850, 0.950] |  |" in card
    assert "![Hair is marked.](failure_1.jpg)" in card
    assert (folder / "failure_1.jpg").read_bytes() == b"picture"


def test_a_bundle_stays_below_ten_megabytes(folder: Path) -> None:
    before = load_localizer(folder).digest
    with pytest.raises(BundleError, match=r"would hold \d+ bytes, expected at most 10000000"):
        add_to_bundle(folder, pictures={"large.jpg": (bytes(10_000_001), "Too large.")})
    assert not (folder / "large.jpg").exists()
    assert load_localizer(folder).digest == before


def test_the_card_says_what_it_rests_on(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    source = describe_source(CASIA1.card, role="calibration", images=136)
    write_noise_localizer(tmp_path / "noise", sources=(source,), limits=("It is a formula.",))
    text = (tmp_path / "noise" / "MODEL_CARD.md").read_text()
    assert f"| {source.title} (`{source.name}`) | calibration | 136 |" in text
    assert source.licence[:20] in text
    assert f"probability of at least {THRESHOLD:.3f} (f1_fixed; made pictures)" in text
    assert "- It is a formula." in text
    assert "(50 authentic, 50 tampered); protocol twin" in text
    assert "Not measured yet." in text


def test_figures_of_an_evaluation(tmp_path: Path) -> None:
    figures = {
        "counts": {"authentic": 3, "tampered": 2},
        "detection": {"metrics": {"auc": 0.7}, "intervals": {"auc": [0.6, 0.8]}},
        "localization": {
            "metrics": {"auc_mean": 0.9, "f1_fixed_mean": None},
            "intervals": {"auc_mean": None},
        },
    }
    content = {
        "data": {"dataset": "casia1", "split": "val"},
        "protocol": {"name": "resaved_q90"},
        "methods": {"localizer": figures},
    }
    (tmp_path / "metrics.json").write_text(json.dumps(content))
    found = read_measurement(tmp_path / "metrics.json")
    assert (found.protocol, found.dataset, found.split) == ("resaved_q90", "casia1", "val")
    assert found.metrics == {"image_auc": 0.7, "pixel_auc": 0.9}
    assert found.intervals == {"image_auc": (0.6, 0.8)}
    with pytest.raises(BundleError, match="holds no figures of 'ela'"):
        read_measurement(tmp_path / "metrics.json", method="ela")


@pytest.mark.parametrize("subsampling", [0, 2])
def test_traces_are_those_of_the_luma(subsampling: int) -> None:
    given = evidence(noise(83, 122, 3), quality=80, subsampling=subsampling)
    assert given.jpeg is not None
    read = read_traces(given)
    expected = describe_blocks(given.jpeg.read_coefficients()[0], given.jpeg.quantization_tables[0])
    assert (read.is_read, read.absent_because) == (True, None)
    np.testing.assert_array_equal(read.traces.values, expected.values)
    np.testing.assert_array_equal(read.traces.table, expected.table)
    assert read.traces.values.shape[:2] == (11, 16)


def test_gray_jpegs_have_traces_and_other_formats_none() -> None:
    assert read_traces(evidence(noise(64, 72), quality=80)).is_read
    read = read_traces(evidence(noise(65, 72, 3), "PNG"))
    assert (read.is_read, read.absent_because) == (False, None)
    assert not read.traces.values.any()
    assert not read.traces.table.any()
    assert read.traces.values.shape[:2] == (9, 9)


def test_a_jpeg_without_usable_luma_says_why() -> None:
    tiny = read_traces(evidence(noise(8, 64, 3)))
    assert (tiny.is_read, tiny.absent_because) == (False, "the picture is smaller than two blocks")
    coarse = evidence(noise(64, 64, 3), qtables=[[300] * 64, [300] * 64], quality=-1)
    read = read_traces(coarse)
    assert not read.is_read
    assert "divisors outside 1 to 255" in str(read.absent_because)
