from pathlib import Path

import pytest
import yaml

from imforensics.config import (
    AnalyzeConfig,
    ScanConfig,
    config_digest,
    dump_config,
    load_config,
)
from imforensics.errors import ConfigError
from imforensics.method_table import METHODS, PROFILES
from imforensics.methods import load_method


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_defaults_need_no_file() -> None:
    assert load_config(AnalyzeConfig).max_pixels == 120_000_000


def test_every_problem_is_reported_at_once_with_path_and_nearest_key(tmp_path: Path) -> None:
    path = write(tmp_path / "scan.yaml", "max_pixel: 10\ntimeout_seconds: soon\nthumbnail_size: 1\n")
    with pytest.raises(ConfigError) as caught:
        load_config(ScanConfig, path)
    message = str(caught.value)
    assert "max_pixel: unknown key; did you mean max_pixels?" in message
    assert "timeout_seconds: " in message
    assert "'soon'" in message
    assert "thumbnail_size: " in message


def test_an_unknown_key_without_a_near_one_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="known keys: max_pixels, methods"):
        load_config(AnalyzeConfig, write(tmp_path / "a.yaml", "zzz: 1"))


def test_overrides_are_laid_over_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.yaml", "methods: {ela: {quality: 80}}")
    config = load_config(AnalyzeConfig, path, ["methods.ela.quality=95", "max_pixels=100"])
    assert config.methods == {"ela": {"quality": 95}}
    assert config.max_pixels == 100


@pytest.mark.parametrize(
    ("override", "message"),
    [("quality", "form a.b=value"), ("max_pixels.a=1", "known keys|max_pixels"), ("methods=[", "not YAML")],
)
def test_a_wrong_override_is_named(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(AnalyzeConfig, overrides=[override])


@pytest.mark.parametrize(
    ("text", "message"),
    [("- a list", "received list"), ("a: [", "cannot be read as YAML"), ("\x00", "cannot be read as YAML")],
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(AnalyzeConfig, write(tmp_path / "a.yaml", text))


def test_a_missing_file_says_where_to_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Start from a file in configs/"):
        load_config(AnalyzeConfig, tmp_path / "none.yaml")


def test_a_dumped_configuration_loads_to_the_same(tmp_path: Path) -> None:
    config = load_config(ScanConfig, overrides=["timeout_seconds=7"])
    assert load_config(ScanConfig, write(tmp_path / "a.yaml", dump_config(config))) == config
    assert yaml.safe_load(dump_config(config))["thumbnail_size"] == 160


def test_the_digest_depends_on_values_and_not_on_order() -> None:
    assert config_digest({"a": 1, "b": 2}) == config_digest({"b": 2, "a": 1})
    assert config_digest({"a": 1}) != config_digest({"a": 2})


def test_python_objects_in_yaml_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.yaml", "max_pixels: !!python/object/apply:os.getpid []")
    with pytest.raises(ConfigError, match="cannot be read as YAML"):
        load_config(AnalyzeConfig, path)


def test_every_profile_holds_the_smaller_one_and_full_holds_what_any_runs() -> None:
    fast, default, full = (PROFILES[name] for name in ("fast", "default", "full"))
    assert set(fast) < set(default) < set(full)
    assert list(full) == [name for name, row in METHODS.items() if row.profile is not None]


def test_no_experimental_method_runs_by_default() -> None:
    assert [name for name in PROFILES["default"] if load_method(name).experimental] == []


def test_a_profile_names_the_methods_and_an_override_adds_to_them() -> None:
    config = load_config(ScanConfig, overrides=["methods.wavelet_noise.block=16"], profile="fast")
    assert list(config.methods) == [*PROFILES["fast"], "wavelet_noise"]
    assert config.methods["wavelet_noise"] == {"block": 16}


def test_methods_of_a_file_stand_alone_and_exclude_a_profile(tmp_path: Path) -> None:
    path = write(tmp_path / "a.yaml", "methods: {ela: {}}")
    assert list(load_config(AnalyzeConfig, path).methods) == ["ela"]
    with pytest.raises(ConfigError, match="leave out the profile 'full'"):
        load_config(AnalyzeConfig, path, profile="full")
