"""Bundles: what ships loads, and anything that is not what bundle.yaml names is refused."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import yaml

from imforensics.errors import BundleError
from imforensics.models.classifier.bundle import load_bundle, load_runtime
from imforensics.models.classifier.manifest import BundleManifest, Pairs
from imforensics.models.kinds import list_bundles

TWIN, PAPER = "casia1_ela_cnn_twin", "casia1_ela_cnn_paper"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    shutil.copytree(load_bundle(TWIN).folder, folder)
    return folder


def edit(folder: Path, change: Callable[[dict], object]) -> None:  # type: ignore[type-arg]
    content = yaml.safe_load((folder / "bundle.yaml").read_text())
    change(content)
    (folder / "bundle.yaml").write_text(yaml.safe_dump(content))


def test_both_detectors_ship_with_card_log_and_curves() -> None:
    assert {TWIN, PAPER} <= set(list_bundles("classifier"))
    for name in (TWIN, PAPER):
        folder = load_bundle(name).folder
        names = {path.name for path in folder.iterdir()}
        assert names >= {
            "bundle.yaml",
            "model.onnx",
            "MODEL_CARD.md",
            "training_log.csv",
            "curves.png",
            "metrics.json",
        }
        assert sum(path.stat().st_size for path in folder.iterdir()) < 2_000_000


@pytest.mark.parametrize("name", [TWIN, PAPER])
def test_shipped_bundle_scores_in_0_1_and_repeats_itself(name: str) -> None:
    bundle = load_bundle(name, threads=1)
    inputs = np.random.default_rng(0).random((70, *bundle.input_shape)).astype(np.float32)
    scores = bundle.predict(inputs)
    assert scores.shape == (70,)
    assert scores.dtype == np.float32
    assert ((scores >= 0) & (scores <= 1)).all()
    np.testing.assert_allclose(load_bundle(name).predict(inputs[:5]), scores[:5], rtol=0, atol=1e-6)
    assert bundle.predict(inputs[:0]).shape == (0,)


def test_shipped_bundles_state_both_protocols_and_the_lookup() -> None:
    for name, protocol in ((TWIN, "twin"), (PAPER, "raw")):
        manifest = load_bundle(name).manifest
        assert manifest.provenance.pairs.endswith(protocol)
        assert manifest.calibration.protocol == protocol
        for pairs in get_args(Pairs):
            assert manifest.find_measurement(pairs) is not None
        assert manifest.shortcut is not None
        assert manifest.model.max_difference_to_keras <= 1e-5


def test_the_lookup_beats_the_papers_detector_and_the_card_says_so() -> None:
    bundle = load_bundle(PAPER)
    raw, look_up = bundle.manifest.find_measurement("raw"), bundle.manifest.shortcut
    assert raw is not None
    assert look_up is not None
    assert look_up.accuracy > raw.metrics["accuracy"]
    assert "**The header baseline beats the network**" in (bundle.folder / "MODEL_CARD.md").read_text()


def test_manifest_survives_writing_and_reading() -> None:
    manifest = load_bundle(TWIN).manifest
    assert BundleManifest.model_validate(yaml.safe_load(manifest.to_yaml())) == manifest


def test_own_bundle_by_path(copy: Path) -> None:
    assert load_bundle(copy).digest == load_bundle(f"{copy}").digest == load_bundle(TWIN).digest


def test_a_folder_here_does_not_stand_in_for_a_shipped_name(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy.rename(copy.with_name(TWIN))
    edit(copy.with_name(TWIN), lambda content: content.update(name="impostor"))
    monkeypatch.chdir(copy.parent)
    assert load_bundle(TWIN).name == TWIN
    assert load_bundle(f"./{TWIN}").name == "impostor"


def test_unknown_name_lists_what_ships() -> None:
    with pytest.raises(BundleError, match=f"there are: .*{TWIN}"):
        load_bundle("no_such_bundle")


def test_no_bundle_yaml(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"is no bundle: bundle\.yaml cannot be read"):
        load_bundle(tmp_path)


def test_a_changed_model_is_refused(copy: Path) -> None:
    model = bytearray((copy / "model.onnx").read_bytes())
    model[len(model) // 2] ^= 1
    (copy / "model.onnx").write_bytes(model)
    with pytest.raises(BundleError, match=r"is not the model that bundle\.yaml names: expected SHA-256"):
        load_bundle(copy)


def test_a_changed_manifest_changes_the_digest(copy: Path) -> None:
    edit(copy, lambda content: content.update(name="other"))
    assert load_bundle(copy).digest != load_bundle(TWIN).digest


def test_a_missing_model_is_told(copy: Path) -> None:
    (copy / "model.onnx").unlink()
    with pytest.raises(BundleError, match=r"model\.onnx cannot be read"):
        load_bundle(copy)


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_schema_version_is_refused(copy: Path, version: object) -> None:
    edit(copy, lambda content: content.update(schema_version=version))
    with pytest.raises(BundleError, match="expected 1"):
        load_bundle(copy)


@pytest.mark.parametrize("file", ["../model.onnx", "/etc/passwd", "a/b", ""])
def test_the_model_is_a_file_of_the_bundle(copy: Path, file: str) -> None:
    edit(copy, lambda content: content["model"].update(file=file))
    with pytest.raises(BundleError, match=r"model\.file"):
        load_bundle(copy)


def test_every_problem_of_the_manifest_is_told(copy: Path) -> None:
    edit(copy, lambda content: (content.update(colour="red"), content["input"].update(kind="noise")))
    with pytest.raises(BundleError, match=r"(?s)input\.kind.*colour: unknown key"):
        load_bundle(copy)


def test_broken_yaml(copy: Path) -> None:
    (copy / "bundle.yaml").write_text("a: [")
    with pytest.raises(BundleError, match="is not YAML"):
        load_bundle(copy)


def test_wrong_inputs_are_refused() -> None:
    bundle = load_bundle(TWIN)
    height, width, channels = bundle.input_shape
    with pytest.raises(TypeError, match="Expected float32 inputs, received float64"):
        bundle.predict(np.zeros((1, height, width, channels)))  # type: ignore[arg-type]
    for shape in [
        (height, width, channels),
        (1, height, width, channels + 1),
        (1, height + 1, width, channels),
    ]:
        with pytest.raises(ValueError, match="Expected inputs of shape"):
            bundle.predict(np.zeros(shape, np.float32))


def test_a_model_that_does_not_load() -> None:
    with pytest.raises(BundleError, match="the model does not load"):
        load_runtime(b"no model")


def test_prediction_loads_neither_tensorflow_nor_sklearn() -> None:
    code = (
        "import sys, numpy as np\n"
        "from imforensics.models.classifier.bundle import load_bundle\n"
        f"bundle = load_bundle({TWIN!r})\n"
        "assert 'onnxruntime' not in sys.modules, 'the runtime starts with the first prediction'\n"
        "bundle.predict(np.zeros((1, *bundle.input_shape), np.float32))\n"
        "print(*{'tensorflow', 'keras', 'sklearn', 'matplotlib.pyplot', 'onnx'} & set(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == ""
