"""The statement of a fusion in `analyze`, and the same statement as an entry of an evaluation."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from imforensics.config import AnalyzeConfig, EvaluateConfig
from imforensics.errors import BundleError
from imforensics.metrics.calibration import Calibration, Conditions, LabelThresholds
from imforensics.metrics.calibration_curves import PlattCurve
from imforensics.metrics.fusion_model import FusionInput, FusionModel
from imforensics.models.fusion.bundle import (
    FUSION_FILE,
    FusedMethod,
    FusionManifest,
    FusionProvenance,
    dump_fusion,
)
from imforensics.pipeline.analyze import build_analyzer
from imforensics.pipeline.evaluate.plan import make_entries
from imforensics.pipeline.evaluate.statement import StatementEntry
from imforensics.pipeline.evaluate.worker import build_entry

METHODS: dict[str, dict[str, Any]] = {"metadata": {}, "ela": {}, "wavelet_noise": {}}


@pytest.fixture
def fusion_folder(tmp_path: Path) -> Path:
    """A fusion of ela and wavelet_noise, valid for JPEG files of 64 to 200 x 200 pixels."""
    calibration = Calibration(
        curve=PlattCurve(slope=1.0, intercept=1.0),
        population="made images",
        protocol="twin",
        n_authentic=99,
        n_tampered=99,
        log10_lr_bounds=(-2.0, 2.0),
        thresholds=LabelThresholds(tampered_above=0.0, policy="far_2pct"),
        conditions=Conditions(requires_jpeg=True, min_side=64, max_pixels=200 * 200),
    )
    inputs = tuple(
        FusionInput(method=name, mean=0.0, scale=2.0, weight=0.5, applied_weight=0.3)
        for name in ("ela", "wavelet_noise")
    )
    manifest = FusionManifest(
        name="made_fusion",
        pairs="exact_twin",
        methods={"ela": FusedMethod(options={"quality": 90}), "wavelet_noise": FusedMethod(options={})},
        model=FusionModel(inputs=inputs, intercept=0.5, calibration=calibration),
        provenance=FusionProvenance(
            created_at=datetime(2026, 1, 2, tzinfo=UTC),
            command=(),
            tool_version="0",
            commit=None,
            config_digest="0" * 64,
            seed=1,
            sources=(),
            versions={},
        ),
    )
    folder = tmp_path / "fusion"
    folder.mkdir()
    (folder / FUSION_FILE).write_text(dump_fusion(manifest), encoding="utf-8")
    return folder


def configure(folder: Path | None, **options: Any) -> AnalyzeConfig:
    methods = {name: options.get(name, {}) for name in METHODS}
    return AnalyzeConfig(methods=methods, fusion=None if folder is None else str(folder))


def test_the_statement_rests_on_the_fused_methods(
    fusion_folder: Path, jpeg_bytes: Callable[..., bytes]
) -> None:
    analyzer = build_analyzer(configure(fusion_folder))
    report = analyzer.analyze(jpeg_bytes(128, 160), name="a.jpg")
    statement = report.statement
    assert statement.basis == ("ela", "wavelet_noise")
    assert statement.population == "made images (99 authentic, 99 tampered)"
    assert sum("moved the log10 odds by" in reason for reason in statement.reasons) == 2
    assert report.bundle_digests == {"made_fusion": analyzer.fusion.digest}  # type: ignore[union-attr]
    assert report.settings["fusion"] == str(fusion_folder)
    assert analyzer.digest != build_analyzer(configure(None)).digest


@pytest.mark.parametrize(("height", "width"), [(48, 160), (240, 240)])
def test_other_sizes_are_outside(
    fusion_folder: Path, jpeg_bytes: Callable[..., bytes], height: int, width: int
) -> None:
    report = build_analyzer(configure(fusion_folder)).analyze(jpeg_bytes(height, width), name="a.jpg")
    statement = report.statement
    assert (statement.label, statement.probability, statement.basis) == ("inconclusive", None, ())
    assert statement.phrase.endswith("No likelihood ratio: outside validated conditions.")
    assert statement.reasons[0].startswith("The fusion of methods gives no ratio: the ")


def test_a_png_is_outside(fusion_folder: Path, jpeg_bytes: Callable[..., bytes], tmp_path: Path) -> None:
    from io import BytesIO

    from PIL import Image

    Image.open(BytesIO(jpeg_bytes(128, 160))).save(tmp_path / "a.png")
    statement = build_analyzer(configure(fusion_folder)).analyze(tmp_path / "a.png").statement
    assert statement.log10_lr is None
    assert "not a JPEG" in statement.reasons[0]


def test_another_option_than_was_fitted_with_is_outside(
    fusion_folder: Path, jpeg_bytes: Callable[..., bytes]
) -> None:
    analyzer = build_analyzer(configure(fusion_folder, ela={"quality": 75}))
    statement = analyzer.analyze(jpeg_bytes(128, 160), name="a.jpg").statement
    assert statement.probability is None
    assert "ela runs with another quality than the fusion was fitted with" in statement.reasons[0]


def test_a_method_that_is_not_run_is_neutral(fusion_folder: Path, jpeg_bytes: Callable[..., bytes]) -> None:
    config = AnalyzeConfig(methods={"ela": {}}, fusion=str(fusion_folder))
    statement = build_analyzer(config).analyze(jpeg_bytes(128, 160), name="a.jpg").statement
    assert statement.basis == ("ela",)
    assert "wavelet_noise gave no score and is treated as neutral." in statement.reasons


def test_a_missing_fusion_is_an_error_at_the_start() -> None:
    with pytest.raises(BundleError, match="No fusion named 'nowhere'"):
        build_analyzer(AnalyzeConfig(methods={"ela": {}}, fusion="nowhere"))


def test_the_entry_finds_what_analyze_states(fusion_folder: Path, jpeg_bytes: Callable[..., bytes]) -> None:
    from imforensics.evidence import read_evidence

    config = EvaluateConfig(methods=METHODS, fusion=str(fusion_folder))
    (entry,) = make_entries(config, ["statement"])
    method = build_entry(entry)
    assert isinstance(method, StatementEntry)
    content = jpeg_bytes(128, 160)
    finding = method.analyze(read_evidence(content, name="a.jpg"))
    report = build_analyzer(configure(fusion_folder)).analyze(content, name="a.jpg")
    assert finding.opinion is not None
    assert finding.opinion.probability == report.statement.probability
    assert finding.opinion.label == report.statement.label
    assert finding.opinion.protocol == "twin"
    scores = {each.method: each.score for each in report.findings}
    model = build_analyzer(configure(fusion_folder)).fusion.manifest.model  # type: ignore[union-attr]
    assert finding.score == pytest.approx(model.fused_score(scores))
    assert set(method.bundle_digests) == {"made_fusion"}


def test_the_entry_gives_no_score_where_nothing_is_stated(
    fusion_folder: Path, jpeg_bytes: Callable[..., bytes]
) -> None:
    from imforensics.evidence import read_evidence

    (entry,) = make_entries(EvaluateConfig(methods=METHODS, fusion=str(fusion_folder)), ["statement"])
    finding = build_entry(entry).analyze(read_evidence(jpeg_bytes(240, 240), name="a.jpg"))
    assert (finding.status, finding.score, finding.opinion) == ("not_applicable", None, None)
    assert "over the 40000 calibrated for" in finding.notes[0]
