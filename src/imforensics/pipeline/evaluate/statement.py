"""The statement itself as one entry of an evaluation: `--method statement`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import Field

from imforensics.config import AnalyzeConfig
from imforensics.fusion import usable_scores
from imforensics.methods.base import Method, MethodOptions, Reference
from imforensics.metrics.class_calibration import NOTHING
from imforensics.pipeline.analyze import build_analyzer, run_methods
from imforensics.pipeline.marking import mark_regions
from imforensics.types import Finding, Opinion

if TYPE_CHECKING:
    from imforensics.pipeline.analyze import Analyzer
    from imforensics.types import Evidence, Statement

STATEMENT = "statement"


class StatementEntry(Method):
    """What `analyze` would state, as a finding: no procedure of its own, hence not in METHODS.

    The score is the fused one, or without a fusion the probability; the map is the one that is marked, its
    threshold the one that holds for this picture. Where the statement has no number, the status is
    "not_applicable".
    """

    name = STATEMENT
    family = "learned"
    question = "What do the configured methods together state?"
    idea = "Runs the configured methods and combines their findings, as analyze does."
    limitations = "Those of the methods and of the fusion."
    reference = Reference("imforensics, docs/calibration.md")

    class Options(MethodOptions):
        """What `analyze` is configured with.

        Attributes:
            methods: name of each method to its options.
            fusion: see `AnalyzeConfig`.
        """

        methods: dict[str, dict[str, Any]] = Field(min_length=1)
        fusion: str | None = None

    options: Options

    @property
    def bundle_digests(self) -> dict[str, str]:
        """Name and SHA-256 of every bundle that the statement rests on."""
        return self._analyzer.bundle_digests

    def analyze(self, evidence: Evidence) -> Finding:
        """Run the methods and report their statement."""
        findings = run_methods(self._analyzer.methods, evidence)
        statement = self._analyzer.state(findings, evidence)
        opinion = _opinion(statement, self._protocol)
        if opinion is None:
            return Finding(self.name, self.family, "not_applicable", notes=(statement.reasons[0],))
        fusion = self._analyzer.fusion
        score = opinion.probability
        if fusion is not None:
            by_class = statement.evidence_class is not None
            score = fusion.manifest.model.fused_score(usable_scores(findings, by_class=by_class))
        marks = mark_regions(findings, statement, self._analyzer.fusion_model)
        maps = {each.method: each.map for each in findings}
        threshold = None if marks is None else NOTHING if marks.threshold is None else marks.threshold
        return Finding(
            self.name,
            self.family,
            "ok",
            score=score,
            map=None if marks is None else maps[marks.method],
            threshold=threshold,
            threshold_policy=None if marks is None else "statement",
            opinion=opinion,
            notes=statement.reasons,
        )

    @cached_property
    def _analyzer(self) -> Analyzer:
        return build_analyzer(AnalyzeConfig(methods=self.options.methods, fusion=self.options.fusion))

    @property
    def _protocol(self) -> str:
        fusion = self._analyzer.fusion
        return "twin" if fusion is None else fusion.manifest.model.calibration.protocol


def entry_options(name: str, config: AnalyzeConfig) -> dict[str, Any]:
    """The options of an entry: a method's own; for the statement what `analyze` would be configured with."""
    if name == STATEMENT:
        return {"methods": config.methods, "fusion": config.fusion}
    return config.methods.get(name, {})


def _opinion(statement: Statement, protocol: str) -> Opinion | None:
    numbers = (statement.probability, statement.log10_lr, statement.log10_lr_bounds, statement.population)
    probability, log10_lr, bounds, population = numbers
    if probability is None or log10_lr is None or bounds is None or population is None:
        return None
    return Opinion(probability, log10_lr, bounds, statement.label, population, protocol)
