"""Configurations of localizers, and a whole training in this process, to the bundle."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from fixtures.localizer_data import open_plain_feed, tiny_config, write_photographs
from fixtures.training_runs import write_manifest
from imforensics.cli.main import main
from imforensics.config import config_digest, load_config
from imforensics.errors import ConfigError, DatasetError, InterruptedRunError, OutputExistsError
from imforensics.evidence import read_evidence
from imforensics.methods.learned.localizer import LearnedLocalizer
from imforensics.models.kinds import choose_kind
from imforensics.models.localizer import fit as localizer_fit
from imforensics.models.localizer import train as train_localizer_module
from imforensics.models.localizer.bundle import load_localizer
from imforensics.models.localizer.config import TrainLocalizerConfig
from imforensics.models.localizer.pairs import LabelledPair
from imforensics.models.localizer.train import describe_training, list_sources, train_localizer
from imforensics.models.training import extra as training_extra
from imforensics.models.training.run import TrainingRun

CONFIGS = Path(__file__).parents[4] / "configs"
NAMES = ("train_localizer", "train_localizer_casia", "train_localizer_ablation")


@pytest.mark.parametrize("name", NAMES)
def test_shipped_configurations_are_valid(name: str) -> None:
    path = CONFIGS / f"{name}.yaml"
    assert choose_kind("train-detector", path).config_type is TrainLocalizerConfig
    config = load_config(TrainLocalizerConfig, path)
    assert config.name.startswith("localizer")
    assert config.data.untouched > 0, "some of the authentic pictures were saved by nobody but their camera"


def test_fine_tuning_is_of_the_network_it_starts_from() -> None:
    first, second = (load_config(TrainLocalizerConfig, CONFIGS / f"{name}.yaml") for name in NAMES[:2])
    assert first.network == second.network
    assert first.data.labelled is None
    assert second.start_from == Path("runs/localizer_synthesis")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("data.sizes=[[100, 96]]", "multiples of 8"),
        ("data.sizes=[[56, 96]]", "at least 64"),
        ("data.sizes=[]", "sizes must be"),
        ("network.streams=[]", "at least 1 item"),
        ("network.streams=[sound]", "'traces', 'noise', 'ela', 'wavelet' or 'rgb'"),
        ("network.streams=[ela, noise]", "must not join"),
        ("network.streams=[traces, ela, wavelet]", "must not join"),
        ("network.streams=[noise, noise]", "each stream once"),
        ("data.labelled={share: 0}", "greater than 0"),
        ("fit.average=1", "less than 1"),
        ("fit.precision=float64", "float32"),
        ("data.pair=3", "did you mean pairs?"),
        ("name=../x", "match pattern"),
    ],
)
def test_settings_that_cannot_be(setting: str, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_config(TrainLocalizerConfig, None, [setting])
    assert words in str(raised.value)


@pytest.mark.parametrize("streams", [("rgb", "noise"), ("traces", "ela"), ("traces", "noise", "rgb")])
def test_streams_that_can_be_joined(streams: tuple[str, ...]) -> None:
    config = load_config(TrainLocalizerConfig, None, [f"network.streams=[{', '.join(streams)}]"])
    assert config.network.streams == streams


def test_an_unknown_kind_is_named(tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text("kind: segmenter\n")
    result = CliRunner().invoke(main, ["train-detector", "-c", str(path), "-o", str(tmp_path / "run")])
    assert result.exit_code == 2
    assert "kind must be one of classifier, localizer, received 'segmenter'" in result.stderr
    assert not (tmp_path / "run").exists()


def test_missing_photographs_make_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_extra, "find_spec", lambda name: object())
    with pytest.raises(DatasetError, match="absent"):
        train_localizer(tiny_config(tmp_path / "absent"), TrainingRun(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_a_start_that_is_no_run_makes_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_extra, "find_spec", lambda name: object())
    config = tiny_config(write_photographs(tmp_path / "photographs"), f"start_from={tmp_path / 'none'}")
    with pytest.raises(ConfigError, match=r"start_from: .*none is neither a localizer's run nor its bundle"):
        train_localizer(config, TrainingRun(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_the_card_tells_shares_of_what_is_drawn(tmp_path: Path) -> None:
    weights = "data.synthesis.manipulations={splicing: 3, copy_move: 1, text: 0}"
    text = describe_training(tiny_config(tmp_path / "absent", weights))
    assert "(75% splicing, 25% copy_move)" in text
    assert "1 of 5 pictures" in text


def test_sources_count_what_is_drawn_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Photographs that are authentic, labelled pairs that hold the sizes that batches are of."""
    write_photographs(tmp_path, train=3, val=1)
    names = ("image", "label", "group", "split")
    rows: list[dict[str, str | int]] = [
        dict(zip(names, (f"photo_{n}.jpg", int(n == 2), f"g{n}", "train" if n < 3 else "val"), strict=True))
        for n in range(4)
    ]
    manifest = write_manifest(tmp_path, rows)
    counted = {(64, 96): 3, (96, 64): 1, (80, 100): 5, (48, 90): 9}
    found = {
        size: [LabelledPair(b"", b"", np.ones(size, np.bool_), True, "g") for _ in range(count)]
        for size, count in counted.items()
    }
    monkeypatch.setattr(train_localizer_module, "load_labelled_pairs", lambda *_: found)
    labelled = f"data.labelled={{dataset: {{name: folder, root: '{manifest}'}}}}"
    config = tiny_config(manifest, labelled, "data.sizes=[[64, 96], [96, 64], [64, 96]]")
    counts = {source.role: source.images for source in list_sources(config)}
    assert counts == {"authentic photographs": 2, "forgeries with masks": 9}
    with pytest.raises(DatasetError, match="holds 104x96 pixels"):
        list_sources(tiny_config(manifest, labelled, "data.sizes=[[64, 96], [104, 96]]"))


@pytest.mark.train
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.slow
@pytest.mark.parametrize("streams", ["traces, noise", "wavelet"])
def test_a_run_ends_with_a_bundle(streams: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("tensorflow", "onnx", "sklearn", "cv2", "matplotlib"):
        pytest.importorskip(name)
    monkeypatch.setattr(localizer_fit, "open_feed", open_plain_feed)
    manifest = write_photographs(tmp_path / "photographs")
    settings = ("fit.epochs=2", "data.pairs=1", "data.validation_pairs=8")  # three pictures a batch
    config = tiny_config(manifest, f"network.streams=[{streams}]", *settings)
    run = tmp_path / "run"
    result = train_localizer(config, TrainingRun(run))
    assert result.bundle_folder == run / "bundle"
    assert {path.name for path in run.iterdir()} >= {
        "config.yaml",
        "training_log.csv",
        "curves.png",
        "curves.md",
        "metrics.json",
        "checkpoints",
        "tensorboard",
    }
    assert {path.name for path in result.bundle_folder.iterdir()} >= {
        *("bundle.yaml", "MODEL_CARD.md", "stem.onnx", "trunk.onnx", "scorer.onnx"),
        *("config.yaml", "training_log.csv", "curves.png", "curves.md"),
    }
    bundle = load_localizer(result.bundle_folder)
    source = bundle.manifest.provenance
    assert bundle.manifest == result.manifest
    assert (source.epochs, source.steps, source.pictures) == (2, 4, 4 * 3)
    assert source.config_digest == config_digest(config.model_dump(mode="json"))
    assert bundle.manifest.difference.pictures == 3, "all of a small batch"
    assert bundle.manifest.calibration is not None
    assert [item.images for item in bundle.manifest.sources] == [4, 4]
    check_method(result.bundle_folder, manifest.parent / "photo_5.jpg")
    written = json.loads((run / "metrics.json").read_text())
    assert written["by_origin"] == result.figures["validation"]
    assert written["by_origin"]["made"]["tampered"] == written["overall"]["tampered"] == 8

    networks = {path.name: path.read_bytes() for path in result.bundle_folder.glob("*.onnx")}
    again = train_localizer(config, TrainingRun(run, resume=True))
    assert again.state == result.state, "a finished run is not fitted again"
    assert {path.name: path.read_bytes() for path in again.bundle_folder.glob("*.onnx")} == networks
    with pytest.raises(OutputExistsError, match="--resume"):
        train_localizer(config, TrainingRun(run))
    with pytest.raises(InterruptedRunError, match="seed: 1"):
        train_localizer(config.model_copy(update={"seed": 1}), TrainingRun(run, resume=True))
    longer = config.model_copy(update={"fit": config.fit.model_copy(update={"epochs": 3})})
    with pytest.raises(InterruptedRunError, match="another number of epochs"):
        train_localizer(longer, TrainingRun(run, resume=True))


def check_method(bundle: Path, picture: Path) -> None:
    """The method runs the bundle on what its streams look at."""
    method = LearnedLocalizer(LearnedLocalizer.Options(bundle=f"{bundle.as_posix()}/"))
    finding = method.analyze(read_evidence(picture))
    assert finding.status == "ok"
    assert finding.map is not None
    assert finding.map.values.shape == np.asarray(read_evidence(picture).pixels).shape[:2]
    assert finding.threshold == load_localizer(bundle).manifest.map_threshold.value
