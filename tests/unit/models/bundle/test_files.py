"""The files of a bundle: what is missing, too large, damaged, of another kind or another file is refused."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from imforensics.config import config_digest
from imforensics.errors import BundleError
from imforensics.models.bundle import files as bundle_files
from imforensics.models.bundle.files import (
    MANIFEST_FILE,
    find_bundle,
    parse_mapping,
    read_manifest,
    read_model,
)
from imforensics.models.bundle.manifest import BundleFile, Manifest, PartsManifest, Provenance
from imforensics.models.bundle.runtime import run_batches, start_session
from imforensics.models.classifier.config import TrainDetectorConfig

SHIPPED = "casia1_ela_cnn_twin"


PROVENANCE = (
    "{created_at: 2026-01-01, tool_version: '0', commit: null, config_digest: x, seed: 1, versions: {}}"
)
REST = f"name: a\nprovenance: {PROVENANCE}\n"


class MadeManifest(Manifest):
    """Of a kind that there is not."""

    made_by = "train-made"

    kind: Literal["made"] = "made"
    size: int


def write(folder: Path, text: str | bytes) -> Path:
    (folder / MANIFEST_FILE).write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


def read(folder: Path) -> MadeManifest:
    return read_manifest(folder, MadeManifest)[0]


def test_a_bundle_is_found_by_name_or_path(tmp_path: Path) -> None:
    assert (find_bundle(SHIPPED) / MANIFEST_FILE).is_file()
    assert find_bundle(tmp_path) == find_bundle(str(tmp_path)) == tmp_path
    with pytest.raises(BundleError, match=f"No bundle named 'nowhere' .*{SHIPPED}"):
        find_bundle("nowhere")


def test_the_manifest_comes_with_the_bytes_it_was_read_from(tmp_path: Path) -> None:
    text = f"schema_version: 1\nkind: made\nsize: 3  # pixels\n{REST}"
    found, read_from = read_manifest(write(tmp_path, text), MadeManifest)
    assert (found.size, read_from) == (3, text.encode())
    assert read(write(tmp_path, found.to_yaml())) == found


def test_another_kind_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, "schema_version: 1\nsize: 3\n")
    with pytest.raises(BundleError, match=r"of kind None, expected 'made'\. Name a bundle that train-made"):
        read(folder)


def test_a_folder_without_manifest_is_told_what_belongs_there(tmp_path: Path) -> None:
    expected = r"is no bundle: .* cannot be read .* with bundle\.yaml and what it names, as train-made writes"
    with pytest.raises(BundleError, match=expected):
        read(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "is not YAML"),
        (b"a: \xff\xfe", "is not YAML"),
        ("created: 2024-13-45", "is not YAML: month must be in 1..12"),
        ("", "of kind None, expected 'made'"),
        ("- kind: made", "of kind None, expected 'made'"),
        ("kind: made", "schema_version None, expected 1. Export the bundle again"),
        ("kind: made\nschema_version: 2", "schema_version 2, expected 1. Export the bundle again"),
        ("kind: made\nschema_version: 1", "(?s)not a valid bundle:.*size: Field required"),
        (
            f"kind: made\nschema_version: 1\nsize: x\nsise: 1\n{REST}",
            "(?s)size: .*sise: unknown key; did you mean",
        ),
    ],
)
def test_a_damaged_manifest_is_refused(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(BundleError, match=message) as caught:
        read(write(tmp_path, text))
    assert str(tmp_path / MANIFEST_FILE) in str(caught.value)


def test_a_file_without_keys_has_none(tmp_path: Path) -> None:
    assert parse_mapping(tmp_path, b"a: 1") == {"a": 1}
    assert parse_mapping(tmp_path, b"- 1") == parse_mapping(tmp_path, b"") == {}


def test_a_model_is_read_where_it_is_the_one_named(tmp_path: Path) -> None:
    path = tmp_path / "encoder.onnx"
    path.write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    assert read_model(path, digest) == b"weights"
    path.write_bytes(b"weighty")
    received = hashlib.sha256(b"weighty").hexdigest()
    expected = rf"encoder\.onnx is not the network that bundle\.yaml names: .* {digest}, received {received}"
    with pytest.raises(BundleError, match=expected):
        read_model(path, digest, what="network")
    path.unlink()
    with pytest.raises(BundleError, match=r"encoder\.onnx cannot be read: No such file .* Get the bundle"):
        read_model(path, digest)


def test_a_model_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_files, "MAX_MODEL_BYTES", 7)
    path = tmp_path / "model.onnx"
    path.write_bytes(b"7 bytes")
    digest = hashlib.sha256(b"7 bytes").hexdigest()
    assert read_model(path, digest) == b"7 bytes"
    path.write_bytes(b"8 bytes!")
    monkeypatch.setattr(Path, "read_bytes", lambda self: pytest.fail("was read"))
    with pytest.raises(BundleError, match=r"model\.onnx is larger than 7 bytes"):
        read_model(path, digest)


def test_a_session_runs_on_the_threads_asked_for() -> None:
    model = (find_bundle(SHIPPED) / "model.onnx").read_bytes()
    session = start_session(model, threads=1)
    assert session.get_session_options().intra_op_num_threads == 1
    assert session.get_providers() == ["CPUExecutionProvider"]
    inputs = np.zeros((2, 128, 128, 3), np.float32)
    assert session.run(None, {session.get_inputs()[0].name: inputs})[0].shape[0] == 2
    assert [len(output) for output in run_batches(session, inputs, batch=1)] == [2]
    with pytest.raises(ValueError, match="at least one input"):
        run_batches(session, inputs[:0])


def test_a_model_that_does_not_load_is_named_where_its_place_is_known(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"^the model does not load: "):
        start_session(b"no model")
    path = tmp_path / "model.onnx"
    with pytest.raises(BundleError, match=f"^{re.escape(str(path))}: the model does not load: "):
        start_session(b"no model", path=path)


class PairManifest(PartsManifest):
    """Of a kind of two parts."""

    made_by = "train-made"
    part_names = ("first", "second")

    kind: Literal["pair"] = "pair"


def test_a_network_in_parts_has_a_file_for_each() -> None:
    files = {name: BundleFile.of(name, name.encode()) for name in ("second", "first", "third")}
    facts = {"name": "a", "provenance": Provenance.record(TrainDetectorConfig())}
    parts = PairManifest(files={name: files[name] for name in ("second", "first")}, **facts).parts
    assert list(parts) == ["first", "second"], "the order of the digest"
    assert parts["first"].sha256 == hashlib.sha256(b"first").hexdigest()
    for names, message in (("first", "no file for second"), ("first second third", "unknown part third")):
        with pytest.raises(ValueError, match=f"{message}; expected one for each of first, second"):
            PairManifest(files={name: files[name] for name in names.split()}, **facts)


def test_where_a_network_comes_from_is_recorded() -> None:
    config = TrainDetectorConfig(seed=7)
    source = Provenance.record(config)
    assert (source.seed, source.config_digest) == (7, config_digest(config.model_dump(mode="json")))
    assert {"python", "numpy", "onnxruntime"} <= source.versions.keys()
