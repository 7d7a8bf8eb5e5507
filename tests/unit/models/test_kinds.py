"""Which configuration `train-detector` reads a file as."""

from __future__ import annotations

from pathlib import Path

import pytest

from imforensics.errors import ConfigError
from imforensics.models.classifier.config import TrainDetectorConfig
from imforensics.models.kinds import detector_config
from imforensics.models.localizer.config import TrainLocalizerConfig


def test_the_kind_of_file_and_overrides_decides(tmp_path: Path) -> None:
    plain, localizer = tmp_path / "plain.yaml", tmp_path / "localizer.yaml"
    plain.write_text("name: a\n")
    localizer.write_text("kind: localizer\n")
    assert detector_config(None) is detector_config(plain) is TrainDetectorConfig
    assert detector_config(localizer) is TrainLocalizerConfig
    assert detector_config(None, ["seed=1", "kind=localizer"]) is TrainLocalizerConfig
    assert detector_config(localizer, ["kind=classifier"]) is TrainDetectorConfig


@pytest.mark.parametrize("kind", ["[a]", "{a: b}", "segmenter", "3", ""])
def test_any_other_kind_is_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(f"kind: {kind}\n")
    with pytest.raises(ConfigError, match=r"odd\.yaml: kind must be one of classifier, localizer, received"):
        detector_config(path)
    with pytest.raises(ConfigError, match="defaults: kind must be one of"):
        detector_config(None, [f"kind={kind}"])


def test_an_override_that_is_none_is_named() -> None:
    with pytest.raises(ConfigError, match="not of the form"):
        detector_config(None, ["kind"])
