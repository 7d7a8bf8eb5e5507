"""Analyze one piece of evidence: run every configured method, combine the findings into one statement."""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path

from imforensics import __version__
from imforensics.config import AnalyzeConfig, config_digest
from imforensics.errors import ConfigError, EvidenceError, describe_failure
from imforensics.evidence import add_late_notes, describe_damage, read_evidence
from imforensics.fusion import make_statement, withhold_opinions
from imforensics.methods import METHODS, load, load_method
from imforensics.methods.base import Method
from imforensics.metrics.evidence_classes import classes_of, describe_graphic
from imforensics.metrics.fusion_model import FusionModel
from imforensics.models.fusion.bundle import FusionBundle, load_fusion
from imforensics.pipeline.inferred import analyze_inferred
from imforensics.pipeline.marking import mark_regions
from imforensics.types import Evidence, Finding, JsonValue, MethodDescription, Report, Statement

REPORTED_LIBRARIES = (
    "c2pa-python",
    "exifread",
    "jpeglib",
    "numpy",
    "onnxruntime",
    "pillow",
    "pillow-heif",
    "pywavelets",
)


@dataclass(frozen=True)
class Analyzer:
    """The configured methods, ready to be run on any number of files.

    Attributes:
        methods: in the order of the configuration.
        max_pixels: larger images are refused.
        settings: every parameter in force, defaults too, JSON-ready; tool version and bundles included.
        digest: SHA-256 of `settings`.
        fusion: combines the findings; None where the statement rests on one method's own calibration.
        threads: how many methods run at a time on one file.
    """

    methods: tuple[Method, ...]
    max_pixels: int
    settings: Mapping[str, JsonValue]
    digest: str
    fusion: FusionBundle | None = None
    threads: int = 1

    def analyze(
        self,
        source: Path | bytes | Evidence,
        *,
        name: str | None = None,
        command_line: Sequence[str] = (),
        case: Mapping[str, str] | None = None,
    ) -> Report:
        """Read one file and run every method on it.

        Args:
            source: a path, the bytes of a file, or evidence that was read before.
            name: name to report it under; a path's own where None. Evidence has one already.
            command_line: as given by the user, for the report.
            case: what the user says of the examination, see `Report.case`.

        Returns:
            The report; a method that broke is a finding with status "failed".

        Raises:
            EvidenceError: the file cannot be read as an image, or changed while it was analyzed.
        """
        started_at = datetime.now(UTC)
        evidence = source
        if not isinstance(evidence, Evidence):
            evidence = read_evidence(evidence, name=name, max_pixels=self.max_pixels)
        findings = run_methods(self.methods, evidence, threads=self.threads)
        damage = describe_damage(evidence)
        if damage is not None:
            findings = withhold_opinions(findings, reason=damage)
        statement = self.state(findings, evidence)
        return Report(
            evidence=add_late_notes(evidence),
            findings=findings,
            statement=statement,
            settings=self.settings,
            config_digest=self.digest,
            bundle_digests=self.bundle_digests,
            versions=software_versions(),
            command_line=tuple(command_line),
            started_at=started_at,
            created_at=datetime.now(UTC),
            sha256_after=_hash_again(evidence),
            case=dict(case or {}),
            marks=mark_regions(findings, statement, self.fusion_model),
        )

    @property
    def bundle_digests(self) -> dict[str, str]:
        """Name of each trained bundle in use, the fusion too, to its SHA-256."""
        return _bundle_digests(self.methods, self.fusion)

    @property
    def unlike_fitted(self) -> tuple[str, ...]:
        """Methods that run in another way than the fusion was fitted with, in clauses."""
        fusion = self.fusion
        if fusion is None:
            return ()
        clauses = (
            fusion.describe_unlike(method.name, method.options.model_dump(mode="json"), method.bundle_digests)
            for method in self.methods
        )
        return tuple(clause for clause in clauses if clause is not None)

    @property
    def fusion_model(self) -> FusionModel | None:
        """The model of the fusion; None without one."""
        return None if self.fusion is None else self.fusion.manifest.model

    def state(self, findings: Sequence[Finding], evidence: Evidence) -> Statement:
        """The statement that these findings on this evidence amount to.

        Without a number where the fusion is not valid: for evidence outside its conditions, and for methods
        run in another way than it was fitted with. Without any for a file that is cut short or
        damaged: nothing was calibrated on parts of pictures.
        """
        damage = describe_damage(evidence)
        if damage is not None:
            return make_statement(findings, withheld=f"{damage[0].upper()}{damage[1:]}.")
        if self.fusion is None:
            return make_statement(findings)
        model = self.fusion.manifest.model
        outside = [
            *self.unlike_fitted,
            *model.calibration.describe_mismatch(
                height=evidence.height, width=evidence.width, is_jpeg=evidence.jpeg is not None
            ),
        ]
        if not model.classes:
            return make_statement(findings, fusion=model, outside=outside)
        graphic = describe_graphic(evidence.pixels)
        outside += [] if graphic is None else [graphic]
        return make_statement(findings, fusion=model, outside=outside, classes=classes_of(evidence))


def build_analyzer(config: AnalyzeConfig, *, threads: int = 1) -> Analyzer:
    """Check every method's options and load what the methods need.

    Args:
        config: which methods, how.
        threads: how many methods run at a time on one file; a result does not depend on it.

    Raises:
        ConfigError: unknown methods or wrong options; all are listed.
        BundleError: a trained bundle or the fusion is missing or damaged.
    """
    methods = build_methods(config.methods)
    fusion = None if config.fusion is None else load_fusion(config.fusion)
    settings: dict[str, JsonValue] = {
        "version": __version__,
        "max_pixels": config.max_pixels,
        "methods": {method.name: method.options.model_dump(mode="json") for method in methods},
        "fusion": config.fusion,
        "bundles": dict(_bundle_digests(methods, fusion)),
    }
    return Analyzer(methods, config.max_pixels, settings, config_digest(settings), fusion, threads)


def build_methods(options_by_name: Mapping[str, Mapping[str, object]]) -> tuple[Method, ...]:
    """Instances of the named methods with checked options.

    Raises:
        ConfigError: unknown methods or wrong options; all are listed.
    """
    problems: list[str] = []
    methods: list[Method] = []
    for name, options in options_by_name.items():
        try:
            methods.append(load(name, **options))
        except ConfigError as error:
            problems += str(error).splitlines()
    if problems:
        raise ConfigError("Invalid method configuration:\n" + "\n".join(f"  {p}" for p in problems))
    return tuple(methods)


def resolve_config(config: AnalyzeConfig) -> AnalyzeConfig:
    """The same configuration with every method's options spelled out.

    Raises:
        ConfigError: unknown methods or wrong options; all are listed.
    """
    options = {
        method.name: method.options.model_dump(mode="json") for method in build_methods(config.methods)
    }
    return config.model_copy(update={"methods": options})


def run_methods(methods: Sequence[Method], evidence: Evidence, *, threads: int = 1) -> tuple[Finding, ...]:
    """Run methods side by side; they spend their time in libraries that release the interpreter's lock.

    Args:
        methods: to run.
        evidence: that all look at.
        threads: how many run at a time.

    Returns:
        One finding each, in the order of the methods.
    """
    if threads == 1:
        return tuple(run_method(method, evidence) for method in methods)
    with ThreadPoolExecutor(threads) as pool:
        return tuple(pool.map(lambda method: run_method(method, evidence), methods))


def run_method(method: Method, evidence: Evidence) -> Finding:
    """Run one method; what the evidence lacks makes it `not_applicable`, an exception makes it `failed`."""
    started = time.perf_counter()
    try:
        inferred = evidence.inferred_jpeg if method.reads_inferred_jpeg else None
        if inferred is not None:
            finding = analyze_inferred(method, evidence, inferred)
        elif "jpeg" in method.requires and evidence.jpeg is None:
            also = ", and its pixels show none before it" if method.reads_inferred_jpeg else ""
            note = f"needs a JPEG; this is {evidence.format}{also}"
            return Finding(method.name, method.family, "not_applicable", notes=(note,))
        else:
            finding = method.analyze(evidence)
    except Exception as error:  # one broken method must not cost the other findings
        finding = Finding(method.name, method.family, "failed", notes=(describe_failure(error),))
    return replace(finding, seconds=time.perf_counter() - started)


def describe_methods() -> dict[str, MethodDescription]:
    """Name to description of every method there is, for reports and listings."""
    methods = [load_method(name) for name in METHODS]
    return {
        method.name: MethodDescription(
            name=method.name,
            family=method.family,
            question=method.question,
            idea=method.idea,
            limitations=method.limitations,
            citation=method.reference.citation,
            doi=method.reference.doi,
            experimental=method.experimental,
        )
        for method in methods
    }


@cache
def software_versions() -> Mapping[str, str]:
    """Versions of imforensics, Python and the libraries that decode and compute; looked up once a process."""
    from PIL import features

    versions = {"imforensics": __version__, "python": platform.python_version()}
    versions |= {name: metadata.version(name) for name in REPORTED_LIBRARIES}
    versions["libjpeg-turbo"] = features.version("libjpeg_turbo") or "not used"
    versions["os"] = platform.platform()
    versions["cpu"] = f"{platform.machine()}, {os.cpu_count()} logical cores"
    return versions


def _bundle_digests(methods: Sequence[Method], fusion: FusionBundle | None) -> dict[str, str]:
    digests = {name: digest for method in methods for name, digest in method.bundle_digests.items()}
    return digests if fusion is None else {**digests, fusion.name: fusion.digest}


def _hash_again(evidence: Evidence) -> str | None:
    if evidence.path is None:
        return None
    with evidence.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != evidence.sha256:
        raise EvidenceError(
            f"{evidence.name} changed while it was analyzed; analyze a copy that nobody writes to"
        )
    return digest
