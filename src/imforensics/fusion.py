"""Findings of several methods → one statement in number and words: fuse first, calibrate by class."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from imforensics.metrics.calibration_curves import LN10
from imforensics.metrics.evidence_classes import describe_class
from imforensics.metrics.fusion_fit import fit_fusion
from imforensics.metrics.fusion_model import FusionInput, FusionModel
from imforensics.metrics.verbal_scale import is_at_bound, verbal_support
from imforensics.types import CONDITIONS_KEY, OUTSIDE_KEY, Finding, Opinion, Statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from imforensics.types import Label

__all__ = [
    "FusionInput",
    "FusionModel",
    "fit_fusion",
    "make_statement",
    "usable_scores",
    "withhold_opinions",
]


SUMMARIES: dict[Label, str] = {
    "tampered": "Traces of alteration found by these methods.",
    "authentic": "No alteration found by these methods.",
    "inconclusive": "These methods do not settle whether a region of this image was altered.",
}
LIMITS = (
    "The ratio is a weight of evidence, not the probability of alteration: the probability stated is valid "
    "for even prior odds only, and everything else known about the image belongs in the prior.",
    "It does not show who altered what, when or why, and it does not cover other operations, such as global "
    "editing or image generation by a network.",
)
OUTSIDE = "outside validated conditions"


def make_statement(
    findings: Sequence[Finding],
    *,
    fusion: FusionModel | None = None,
    outside: Sequence[str] = (),
    classes: Sequence[str] = (),
    withheld: str | None = None,
) -> Statement:
    """Combine findings into one calibrated statement.

    With a fusion model the statement rests on the fused score, as the calibration of the evidence's class
    reads it. Without one it rests on the single opinion of
    highest standing: calibrated on the twin protocol, a learned method before others, then the order given;
    never on the most extreme. Opinions of the raw and resaved protocols carry no statement, because there the
    history of the file alone tells the classes apart.

    Args:
        findings: of one piece of evidence. A method that withholds its opinion because the evidence is
            outside its calibration says why in the observation `outside_calibration`, a list of clauses.
        fusion: the model; None where there is none.
        outside: why the fusion model is not valid for this evidence, in clauses; empty where it is.
        classes: of the evidence, the narrowest first; the first that the model knows counts.
        withheld: why nothing can be stated on this evidence, a sentence; None where something can.

    Returns:
        A statement; label "inconclusive" and no number where nothing calibrated applies.
    """
    if withheld is not None:
        return _state_nothing(findings, withheld, why=withheld[0].lower() + withheld[1:].rstrip("."))
    if fusion is not None:
        return _state_fused(findings, fusion, tuple(outside), fusion.find_class(classes))
    standing = [
        (finding, finding.opinion)
        for finding in findings
        if finding.status == "ok" and finding.opinion is not None and finding.opinion.protocol == "twin"
    ]
    if not standing:
        return _state_nothing(findings)
    best, opinion = min(standing, key=lambda pair: pair[0].family != "learned")
    reasons = (f"The statement rests on {best.method} alone, the calibrated method of highest priority.",)
    return _state(opinion, (best.method,), reasons)


def _state_fused(
    findings: Sequence[Finding], fusion: FusionModel, outside: tuple[str, ...], name: str | None
) -> Statement:
    scores = usable_scores(findings, by_class=name is not None)
    present = [p.method for p in fusion.inputs if p.has_weight and scores.get(p.method) is not None]
    outside = (*outside, *fusion.describe_missing(scores))
    if not present or outside or fusion.calibration.protocol != "twin":
        why = OUTSIDE if outside else None
        return _state_nothing(findings, *_why_no_fusion(fusion, outside), why=why)
    opinion = fusion.calibration_of(name).opinion(fusion.fused_score(scores))
    reasons = _fusion_reasons(fusion, scores)
    if name is not None:
        borrowed = fusion.classes[name].describe()
        read_as = f"The score is read as that of {describe_class(name)}."
        reasons = (*reasons, read_as, *(() if borrowed is None else (borrowed,)))
    return replace(_state(opinion, tuple(present), reasons), evidence_class=name)


def _state(opinion: Opinion, basis: tuple[str, ...], reasons: tuple[str, ...]) -> Statement:
    support = verbal_support(opinion.log10_lr, opinion.log10_lr_bounds)
    known = [
        f"The ratio is conditional on its calibration: {opinion.population}, {opinion.protocol} protocol."
    ]
    if is_at_bound(opinion.log10_lr, opinion.log10_lr_bounds):
        known.append("The ratio is limited to the bound that the calibration data support.")
    if opinion.label == "inconclusive":
        known.append("It does not reach a label threshold, or no threshold is set on that side.")
    return Statement(
        label=opinion.label,
        probability=opinion.probability,
        log10_lr=opinion.log10_lr,
        log10_lr_bounds=opinion.log10_lr_bounds,
        phrase=f"{SUMMARIES[opinion.label]} {support}",
        population=opinion.population,
        basis=basis,
        reasons=(*reasons, *known, *LIMITS),
    )


def withhold_opinions(findings: Sequence[Finding], *, reason: str) -> tuple[Finding, ...]:
    """The findings without calibrated readings of their scores, each with the reason, a clause, instead."""
    return tuple(
        finding
        if finding.opinion is None
        else replace(finding, opinion=None, observations={**finding.observations, OUTSIDE_KEY: [reason]})
        for finding in findings
    )


def usable_scores(findings: Sequence[Finding], *, by_class: bool = False) -> dict[str, float | None]:
    """Name of method → score that may enter a fusion; None without one, or where it may not.

    Args:
        findings: of one piece of evidence.
        by_class: the fusion is calibrated for classes of evidence: the size and format that a method's own
            calibration asks for do not count. Else a method outside of them has no usable score.
    """
    return {
        finding.method: finding.score if finding.status == "ok" and _is_usable(finding, by_class) else None
        for finding in findings
    }


def _is_usable(finding: Finding, by_class: bool) -> bool:
    return not _mismatch(finding) or (by_class and finding.observations.get(CONDITIONS_KEY) is True)


def _why_no_fusion(fusion: FusionModel, outside: Sequence[str]) -> tuple[str, ...]:
    if outside:
        return (f"The fusion of methods gives no ratio: {'; '.join(outside)}.",)
    protocol = fusion.calibration.protocol
    if protocol != "twin":
        return (
            f"The fusion model is calibrated on the {protocol} protocol only; it cannot support a statement.",
        )
    names = ", ".join(part.method for part in fusion.inputs)
    return (f"None of the methods that the fusion model rests on gave a usable score: {names}.",)


def _state_nothing(findings: Sequence[Finding], *first_reasons: str, why: str | None = None) -> Statement:
    """No number, and why: as given, else a calibrated method was out of its conditions, or there is none."""
    reasons = tuple(_why_no_ratio(finding) for finding in findings)
    if why is None:
        why = OUTSIDE if any(_mismatch(finding) for finding in findings) else "no calibrated method applies"
    return Statement(
        label="inconclusive",
        probability=None,
        log10_lr=None,
        log10_lr_bounds=None,
        phrase=f"{SUMMARIES['inconclusive']} No likelihood ratio: {why}.",
        population=None,
        basis=(),
        reasons=(*first_reasons, *reasons),
    )


def _why_no_ratio(finding: Finding) -> str:
    if finding.status != "ok":
        reason = finding.notes[0] if finding.notes else "no reason was given"
        verb = "failed" if finding.status == "failed" else "was not applicable"
        return f"{finding.method} {verb}: {reason.rstrip('.')}."
    outside = _mismatch(finding)
    if outside:
        return f"{finding.method} gives no ratio: {'; '.join(outside)}."
    if finding.opinion is not None and finding.opinion.protocol == "twin":
        return f"{finding.method} has its own calibrated opinion; the statement rests on the fusion instead."
    if finding.opinion is not None:
        return (
            f"{finding.method} is calibrated on the {finding.opinion.protocol} protocol only, where the "
            "classes differ in the history of the whole file; its ratio cannot support a statement."
        )
    return f"{finding.method} is not calibrated; its findings are for the reader to weigh."


def _fusion_reasons(fusion: FusionModel, scores: Mapping[str, float | None]) -> tuple[str, ...]:
    """What each method moved, largest first, in tenfold steps of the odds before calibration."""
    moved = sorted(fusion.contributions(scores).items(), key=lambda item: -abs(item[1]))
    weightless = {part.method for part in fusion.inputs if not part.has_weight}
    reasons = []
    for method, nats in moved:
        score = scores.get(method)
        if method in weightless:
            reasons.append(f"{method} has no weight in the fusion: it did not help on the fusion's data.")
        elif score is None:
            reasons.append(f"{method} gave no score and is treated as neutral.")
        else:
            side = "towards H1" if nats > 0 else "towards H2" if nats < 0 else "neither way"
            reasons.append(
                f"{method} (score {score:.2f}) moved the log10 odds by {nats / LN10:+.2f}, {side}."
            )
    return tuple(reasons)


def _mismatch(finding: Finding) -> list[str]:
    clauses = finding.observations.get(OUTSIDE_KEY)
    return [str(clause) for clause in clauses] if isinstance(clauses, list) else []
