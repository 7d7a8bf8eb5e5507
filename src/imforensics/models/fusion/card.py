"""The model card of a fusion in Markdown: statement, data, performance, limitations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from imforensics.metrics.evidence_classes import describe_class
from imforensics.models.bundle.card import format_threshold
from imforensics.models.fusion.bundle import FusionManifest

_PAIRS = {
    "twin": "Each tampered file is paired with its matched control: its own host, saved with the tampered "
    "file's quantization tables and subsampling. Where an encoder other than ours wrote the tampered file, "
    "its rounding affects the whole file: results on such pairs are too optimistic.",
    "exact_twin": "Each tampered file is paired with its matched control: its own host, saved with the "
    "tampered file's quantization tables and subsampling. Only tampered files with IJG tables are used: our "
    "encoder writes the same there, and only the alteration differs.",
}
_ROLES = {
    "twins": "weights and calibration",
    "made_pairs": "weights and calibration",
    "camera_photographs": "false alarms of the label",
    "other_photographs": "false alarms of the label",
}


def format_fusion_card(manifest: FusionManifest, log: Mapping[str, Any]) -> str:
    """The card of a fusion.

    Args:
        manifest: its facts.
        log: of its fit, as fit_log.json holds it.

    Returns:
        Markdown.
    """
    sections = [
        f"# {manifest.name}",
        f"A logistic regression on the scores of {len(manifest.methods)} methods and on whether each "
        "applied, calibrated to a likelihood ratio with bounds for each class of evidence. A missing method "
        "is treated as neutral.",
        f"## Data\n\n{_PAIRS[manifest.pairs]}\n\n" + "\n".join(_sources(manifest)),
        "## Weights\n\n" + "\n".join(_weights(manifest, log)),
        "## Performance in cross-validation\n\n" + "\n".join(_worth(log)),
        "## Classes of evidence\n\n" + "\n".join(_classes(manifest)),
        "## Label over all classes\n\n" + "\n".join(_label(manifest)),
        f"## Limits\n\n{_LIMITS}",
        "## Provenance\n\n" + "\n".join(_provenance(manifest)),
    ]
    return "\n\n".join(sections) + "\n"


def _sources(manifest: FusionManifest) -> Iterator[str]:
    yield "| data set | split | used for | pictures | used | excluded |"
    yield "|---|---|---|---|---|---|"
    for source in manifest.provenance.sources:
        reasons = "; ".join(f"{count}: {reason}" for reason, count in source.left_out.items()) or "none"
        yield (
            f"| {source.dataset} | {source.split} | {_ROLES[source.role]} | {source.trials} | {source.used} "
            f"| {reasons} |"
        )


def _weights(manifest: FusionManifest, log: Mapping[str, Any]) -> Iterator[str]:
    yield (
        "Weights are natural-log odds per standard deviation of logit(score), never negative; log loss is in "
        "nats at even odds on held-out cases; an uninformative score has ln 2 = 0.693."
    )
    yield ""
    yield "| method | weight | where it applies | log loss alone | AUC, same encoder | AUC, other encoder |"
    yield "|---|---|---|---|---|---|"
    for part in manifest.model.inputs:
        auc = log["auc_of_methods"][part.method]
        yield (
            f"| {part.method} | {part.weight:.3f} | {part.applied_weight:+.3f} | "
            f"{manifest.model.held_out_log_loss[part.method]:.3f} | {_number(auc['same encoder'])} | "
            f"{_number(auc['other encoder'])} |"
        )
    loss = manifest.model.held_out_log_loss["fusion"]
    yield f"| fusion | | {manifest.model.intercept:+.3f} | {loss:.3f} | | |"


def _worth(log: Mapping[str, Any]) -> Iterator[str]:
    found = log["cross_validated"]
    yield (
        f"On {found['n_authentic']:.0f} hosts and {found['n_tampered']:.0f} tampered images, scored "
        "with weights that were fitted without their source group:"
    )
    yield ""
    yield f"- AUC {found['auc']:.3f}; Cllr {found['cllr']:.3f} bits, at best {found['cllr_min']:.3f}."
    for n_bins in (5, 10):
        yield (
            f"- Expected calibration error {found[f'ece_{n_bins}_bins']:.3f} over {n_bins} bins; perfectly "
            f"calibrated probabilities would give {found[f'ece_{n_bins}_bins_floor']:.3f} on this number of "
            "images."
        )
    yield "- The curve was fitted on the same scores; a held-out test is in `docs/experiments/fusion.md`."


def _classes(manifest: FusionManifest) -> Iterator[str]:
    yield (
        "The weights are shared. Each class has its own offset, bounds and thresholds; one with few pairs "
        "borrows the curve of all classes, with the square root of its bounds."
    )
    yield ""
    yield (
        "| evidence | tampered / authentic pairs | curve | log10 ratio from, to | Cllr | ECE, 5 bins (floor) "
        "| tampered above | authentic below | map marked from |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, each in manifest.model.classes.items():
        found, measured, limits = each.calibration, each.measured, each.calibration.thresholds
        low, high = found.log10_lr_bounds
        error = (
            f"{measured['ece_5_bins']:.3f} ({measured['ece_5_bins_floor']:.3f})"
            if measured
            else "not measured"
        )
        yield (
            f"| {describe_class(name)} | {found.n_tampered} / {found.n_authentic} | "
            f"{'borrowed' if each.is_borrowed else 'own'} | {low:.2f}, {high:.2f} | "
            f"{_number(measured.get('cllr'))} | {error} | "
            f"{_threshold(None if limits is None else limits.tampered_above)} | "
            f"{_threshold(None if limits is None else limits.authentic_below)} | "
            f"{'–' if each.map_threshold is None else f'{each.map_threshold.value:g}'} |"
        )
    yield ""
    yield "Label thresholds are fused scores. Counted for each class:"
    yield ""
    for name, each in manifest.model.classes.items():
        thresholds = each.calibration.thresholds
        notes = [*(() if thresholds is None else thresholds.notes)]
        notes += [] if each.map_threshold is None else [f"Map: {each.map_threshold.note}"]
        yield f"- {describe_class(name)}: {' '.join(notes) or 'too few images for a label.'}"


def _threshold(value: float | None) -> str:
    return "never" if value is None else format_threshold(value)


def _label(manifest: FusionManifest) -> Iterator[str]:
    calibration = manifest.model.calibration
    low, high = calibration.log10_lr_bounds
    yield f"- Calibrated on {calibration.population_with_counts}; curve {calibration.kind}."
    yield f"- The log10 likelihood ratio is limited to [{low:.2f}, {high:.2f}]."
    wanted = calibration.conditions
    most = "" if wanted.max_pixels is None else f" and at most {wanted.max_pixels} pixels in total"
    yield (
        f"- Valid for {'JPEG files' if wanted.requires_jpeg else 'photographs'} with a shorter side of at "
        f"least {wanted.min_side} pixels{most}, not for drawings and graphics. Otherwise there is no ratio "
        "and the label is inconclusive."
    )
    limits = calibration.thresholds
    if limits is None:
        yield "- No label is given."
        return
    above, below = format_threshold(limits.tampered_above), format_threshold(limits.authentic_below)
    yield (
        f"- Thresholds of the fused score ({limits.policy}): tampered above {above}, authentic below {below}."
    )
    yield from (f"- {note}" for note in limits.notes)


def _provenance(manifest: FusionManifest) -> Iterator[str]:
    source = manifest.provenance
    yield f"- Made {source.created_at:%Y-%m-%d} by imforensics {source.tool_version}, seed {source.seed}."
    yield f"- Command: `{' '.join(source.command)}`." if source.command else "- Made from Python."
    yield f"- Configuration: `config.yaml`, digest {source.config_digest}."
    for name, method in manifest.methods.items():
        bundles = "".join(f", bundle {key} {digest[:16]}…" for key, digest in method.bundles.items())
        options = ", ".join(f"{key} {value}" for key, value in method.options.items() if key != "bundle")
        yield f"- {name}: {options or 'no options'}{bundles}."
    yield "- Versions: " + ", ".join(f"{name} {version}" for name, version in source.versions.items()) + "."


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


_LIMITS = """\
- The ratio compares altered images with their own unaltered hosts, from the collections named above. It is
  not the probability of alteration, and it is not validated for other kinds of images.
- Photographs bound the false-alarm rate of the label; they are not part of the calibration, because they
  differ from the matched pairs in more than tampering.
- It is validated for the manipulations in its data alone, not for global editing or generated images."""
