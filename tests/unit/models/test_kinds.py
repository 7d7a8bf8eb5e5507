"""Every kind has a row, and the configuration of a training is read as that of the kind it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from imforensics.config import ConfigModel, load_config
from imforensics.errors import ConfigError
from imforensics.method_table import METHODS
from imforensics.models.bundle.shipped import list_shipped
from imforensics.models.classifier.config import TrainDetectorConfig
from imforensics.models.kinds import KINDS, choose_kind, list_bundles, read_kind
from imforensics.models.localizer.config import TrainLocalizerConfig


def read(path: Path | None, *overrides: str, command: str = "train-detector") -> type[ConfigModel]:
    return choose_kind(command, path, overrides).config_type


@pytest.mark.parametrize("name", KINDS)
def test_a_row_names_what_there_is(name: str) -> None:
    kind = KINDS[name]
    assert kind.method in METHODS
    for bundle in list_bundles(name):
        loaded = kind.load(bundle)
        assert (read_kind(bundle), loaded.name, loaded.manifest.kind) == (name, bundle, name)
        assert (loaded.manifest.made_by, list(loaded.parts)) == (kind.command, list(loaded.manifest.parts))
        assert isinstance(loaded.manifest.learned_from, frozenset)
    overrides = [f"kind={name}"] if kind.command == "train-detector" else []
    assert choose_kind(kind.command, None, overrides) is kind
    assert load_config(kind.config_type).model_dump()["seed"] >= 0


def test_every_shipped_bundle_is_of_a_kind() -> None:
    listed = [bundle for kind in KINDS for bundle in list_bundles(kind)]
    assert sorted(listed) == list(list_shipped("bundle.yaml"))


def test_the_kind_of_file_and_overrides_decides(tmp_path: Path) -> None:
    plain, localizer = tmp_path / "plain.yaml", tmp_path / "localizer.yaml"
    plain.write_text("name: a\n")
    localizer.write_text("kind: localizer\n")
    assert read(None) is TrainDetectorConfig
    assert read(plain) is TrainDetectorConfig
    assert read(localizer) is TrainLocalizerConfig
    assert read(None, "seed=1", "kind=localizer") is TrainLocalizerConfig
    assert read(localizer, "kind=classifier") is TrainDetectorConfig


@pytest.mark.parametrize("kind", ["[a]", "{a: b}", "segmenter", "gan", "3", ""])
def test_any_other_kind_is_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(f"kind: {kind}\n")
    with pytest.raises(ConfigError, match=r"odd\.yaml: kind must be one of classifier, localizer, received"):
        read(path)
    with pytest.raises(ConfigError, match="defaults: kind must be one of"):
        read(None, f"kind={kind}")
    assert read(path, command="train-gan") is KINDS["gan"].config_type, "which refuses the key"


def test_an_override_that_is_none_is_named() -> None:
    with pytest.raises(ConfigError, match="not of the form"):
        read(None, "kind")


@pytest.mark.parametrize("text", ["", "- a", "a: [", "kind: [gan]", "kind: other", "name: old"])
def test_what_says_no_kind_counts_as_a_classifier(tmp_path: Path, text: str) -> None:
    (tmp_path / "bundle.yaml").write_text(text)
    assert read_kind(tmp_path) == "classifier"
    assert read_kind(tmp_path / "nothing") == "classifier"
