"""Train a fusion of methods: get scores as `evaluate` does, fit, and write the bundle."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from imforensics import __version__
from imforensics.config import EvaluateConfig, config_digest, dump_config
from imforensics.errors import ConfigError
from imforensics.methods.base import Method
from imforensics.metrics.evidence_classes import describe_class
from imforensics.metrics.likelihood_ratio import posterior_probability
from imforensics.models.fusion.bundle import (
    FUSION_FILE,
    FusedMethod,
    FusionManifest,
    FusionProvenance,
    FusionSource,
    dump_fusion,
)
from imforensics.models.fusion.card import format_fusion_card
from imforensics.models.kinds import KINDS, read_kind
from imforensics.models.training.extra import require_training
from imforensics.models.training.run import TrainingRun
from imforensics.outputs import OutputFolder, write_atomically
from imforensics.pipeline.analyze import REPORTED_LIBRARIES, build_methods
from imforensics.pipeline.evaluate.plan import Request, plan_evaluation
from imforensics.pipeline.evaluate.protocols import ProtocolName
from imforensics.pipeline.fusion.cases import FusionCase
from imforensics.pipeline.fusion.config import SourceConfig, TrainFusionConfig
from imforensics.pipeline.fusion.fit import FittedFusion, describe_fit, fit
from imforensics.pipeline.fusion.sources import FITTED_ROLES, Part, PlannedSource, describe_part, read_part
from imforensics.provenance import find_commit
from imforensics.report.evaluation_figures import Series, draw_curves

SCORES_FOLDER, BUNDLE_FOLDER = "scores", "bundle"
LOG_FILE, CARD_FILE, FIGURE_FILE = "fit_log.json", "MODEL_CARD.md", "calibration.png"
ALTERED = {
    "twin": "tampered files against their own hosts saved alike",
    "exact_twin": "tampered files against their own hosts saved alike by the same encoder",
}


@dataclass(frozen=True, slots=True)
class FusionResult:
    """A finished run.

    Attributes:
        manifest: what fusion.yaml holds.
        log: of the fit, as in fit_log.json.
        bundle_folder: where the bundle is.
    """

    manifest: FusionManifest
    log: dict[str, Any]
    bundle_folder: Path


@dataclass(frozen=True)
class FusionTraining:
    """One training, planned: what is to be scored and what an earlier run has scored.

    Attributes:
        config: resolved: every option of every method.
        folder: of the run.
        methods: that are fused.
        sources: the data.
        output: the folder, claimed for as long as the training lives.
    """

    config: TrainFusionConfig
    folder: Path
    methods: tuple[Method, ...]
    sources: tuple[PlannedSource, ...]
    output: OutputFolder

    @property
    def total(self) -> int:
        """Number of pictures."""
        return sum(len(source.evaluation.plan.trials) for source in self.sources)

    @property
    def done(self) -> int:
        """Number of pictures that an earlier run scored."""
        return self.total - sum(len(source.evaluation.todo) for source in self.sources)

    def score(self, *, workers: int | None = None) -> Iterator[str]:
        """Score what is to do; every record is stored before its picture's name is given.

        Args:
            workers: number of processes; None takes every core.

        Yields:
            The id of each picture.
        """
        for source in self.sources:
            for rows in source.evaluation.run(workers=workers):
                yield str(rows[0]["trial"])

    def finish(self, *, command_line: Sequence[str] = ()) -> FusionResult:
        """Fit, measure and write the run's files and the bundle.

        Raises:
            DatasetError: too little of the data can be used.
        """
        parts = [read_part(source, self.config) for source in self.sources]
        twins = [case for part in parts if part.source.role in FITTED_ROLES for case in part.cases]
        photos: dict[str, list[FusionCase]] = {}
        for part in parts:
            if part.source.role == "camera_photographs":
                photos.setdefault("camera photographs", []).extend(part.cases)
            elif part.source.role == "other_photographs":
                photos.setdefault(f"set {part.source.number}: {part.source.title}", []).extend(part.cases)
        population = f"{_name_population(parts)}: {ALTERED[self.config.pairs]}"
        fitted = fit(self.config, twins, photos, population=population)
        sources = [describe_part(part, fitted.model) for part in parts]
        all_twins = [case for part in parts for case in part.pairs]
        log = describe_fit(fitted, twins, all_twins, seed=self.config.seed)
        manifest = FusionManifest(
            name=self.config.name,
            pairs=self.config.pairs,
            methods={
                method.name: FusedMethod(
                    options=method.options.model_dump(mode="json"), bundles=method.bundle_digests
                )
                for method in self.methods
            },
            model=fitted.model,
            provenance=_describe_provenance(self.config, sources, command_line),
        )
        folder = _write_files(self.folder, self.config, manifest, log, fitted)
        return FusionResult(manifest, log, folder)


def plan_fusion_training(
    config: TrainFusionConfig, folder: Path, *, resume: bool = False, overwrite: bool = False
) -> FusionTraining:
    """Check everything before the first picture is scored, and open the run's folder.

    Args:
        config: of the run.
        folder: of the run.
        resume: go on with the run that is there.
        overwrite: delete the run that is there.

    Raises:
        MissingExtraError: scikit-learn is not installed.
        ConfigError: unknown methods or options, or data that a method's network was trained on.
        BundleError: a method's trained bundle is missing or damaged.
        DatasetError: a data set is missing.
        OutputExistsError: the folder holds something, and neither was asked for.
        InterruptedRunError: the run to resume was started with other settings.
    """
    require_training("train-fusion", ("sklearn",))
    methods = build_methods(config.methods)
    options = {method.name: method.options.model_dump(mode="json") for method in methods}
    resolved = config.model_copy(update={"methods": options})
    _refuse_training_data(resolved)
    output = TrainingRun(folder, resume, overwrite).open(resolved)
    settings = EvaluateConfig(
        max_pixels=config.max_pixels, methods=options, fusion=None, timeout_seconds=config.timeout_seconds
    )
    sources = tuple(
        PlannedSource(
            number,
            role,
            split,
            plan_evaluation(
                _request(resolved, role, source, split),
                settings,
                folder=folder / SCORES_FOLDER / f"{number}-{source.name}-{split}",
            ),
        )
        for number, (role, source) in enumerate(_roles(config), start=1)
        for split in source.splits
    )
    return FusionTraining(resolved, folder, methods, sources, output)


def _name_population(parts: Sequence[Part]) -> str:
    """The sets and splits that gave twins, in words."""
    splits: dict[str, list[str]] = {}
    for part in parts:
        if part.source.role in FITTED_ROLES and part.cases:
            splits.setdefault(part.source.title, []).append(part.source.split)
    return ", ".join(f"{title} ({' and '.join(names)})" for title, names in splits.items())


def _roles(config: TrainFusionConfig) -> Iterator[tuple[str, SourceConfig]]:
    yield from (("twins", source) for source in config.twins)
    yield from (("made_pairs", source) for source in config.made_pairs)
    yield from (("camera_photographs", source) for source in config.camera_photos)
    yield from (("other_photographs", source) for source in config.other_photos)


def _request(config: TrainFusionConfig, role: str, source: SourceConfig, split: str) -> Request:
    protocol: ProtocolName = "twin" if role == "twins" else "raw"
    return Request(
        source.name,
        split,
        protocol,
        source.root,
        config.seed,
        source.limit,
        methods=tuple(config.methods),
        keeps_marks=config.map_method is not None,
        share=source.share,
    )


def _refuse_training_data(config: TrainFusionConfig) -> None:
    """Photographs that a network was trained on tell nothing of its false alarms."""
    for name, options in config.methods.items():
        known = _learned_from(options["bundle"]) if "bundle" in options else frozenset()
        for role, source in _roles(config):
            if role not in FITTED_ROLES and source.name in known and "train" in source.splits:
                raise ConfigError(
                    f"{name} was trained on the train split of {source.name}: take it out of the photographs"
                )


def _learned_from(bundle: str) -> frozenset[str]:
    """Data sets whose train split a bundle's network knows; of a GAN or an autoencoder none that matters.

    These two learn from authentic images of the sets that the twins come from, never from photographs.
    """
    return KINDS[read_kind(bundle)].load(bundle).manifest.learned_from


def _describe_provenance(
    config: TrainFusionConfig, sources: Sequence[FusionSource], command_line: Sequence[str]
) -> FusionProvenance:
    recorded = (*REPORTED_LIBRARIES, "scikit-learn")
    return FusionProvenance(
        created_at=datetime.now(UTC).replace(microsecond=0),
        command=tuple(command_line),
        tool_version=__version__,
        commit=find_commit(),
        config_digest=config_digest(config.model_dump(mode="json")),
        seed=config.seed,
        sources=tuple(sources),
        versions={"python": platform.python_version()} | {name: metadata.version(name) for name in recorded},
    )


def _write_files(
    folder: Path,
    config: TrainFusionConfig,
    manifest: FusionManifest,
    log: dict[str, Any],
    fitted: FittedFusion,
) -> Path:
    bundle = folder / BUNDLE_FOLDER
    bundle.mkdir(exist_ok=True)
    labels = tuple(fitted.labels.tolist())
    series = {
        "all classes": Series(
            labels, tuple(fitted.held_out.tolist()), labels, tuple(fitted.log10_lrs.tolist())
        )
    }
    for name, (own, ratios) in fitted.by_class.items():
        of_class, log10_lrs = tuple(own.tolist()), tuple(ratios.tolist())
        scores = posterior_probability(ratios).tolist()
        series[describe_class(name)] = Series(of_class, tuple(scores), of_class, log10_lrs)
    for name, png in draw_curves(series).items():
        write_atomically(folder / f"{name}.png", png)
    for place in (folder, bundle):
        write_atomically(place / LOG_FILE, json.dumps(log, indent=2, allow_nan=False) + "\n")
        write_atomically(place / CARD_FILE, format_fusion_card(manifest, log))
    write_atomically(bundle / FIGURE_FILE, (folder / FIGURE_FILE).read_bytes())
    write_atomically(bundle / "config.yaml", dump_config(config))
    write_atomically(bundle / FUSION_FILE, dump_fusion(manifest))
    return bundle
