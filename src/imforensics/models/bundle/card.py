"""The sections that the model cards of all kinds share, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imforensics.metrics.calibration import Calibration
    from imforensics.models.bundle.manifest import Manifest, Provenance


def format_card(name: str, introduction: str, sections: Mapping[str, str | Iterable[str]]) -> str:
    """A card.

    Args:
        name: of the bundle.
        introduction: what the network is and takes.
        sections: heading to text, or to its lines.

    Returns:
        Markdown.
    """
    parts = [f"# {name}\n", introduction]
    for heading, text in sections.items():
        lines = text if isinstance(text, str) else "\n".join(text)
        parts.append(f"## {heading}\n\n{lines}")
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def format_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The lines of a table; columns whose name ends in ":" are set to the right."""
    yield f"| {' | '.join(name.removesuffix(':') for name in columns)} |"
    yield f"|{'|'.join('---:' if name.endswith(':') else '---' for name in columns)}|"
    for row in rows:
        yield f"| {' | '.join(str(cell) for cell in row)} |"


def describe_provenance(manifest: Manifest, source: Provenance, training: Iterable[str]) -> Iterator[str]:
    """The lines of the last section.

    Args:
        manifest: of the bundle.
        source: its provenance.
        training: sentences on how long it learned.
    """
    yield f"- Exported {source.created_at:%Y-%m-%d} by imforensics {source.tool_version}, seed {source.seed}."
    yield from (f"- {sentence}" for sentence in training)
    yield f"- Configuration: `config.yaml`, digest {source.config_digest}."
    for part, file in manifest.parts.items():
        difference = getattr(file, "max_difference_to_keras", None)
        differs = (
            ""
            if difference is None
            else f"; its output differs from the trained Keras network's by at most {difference:.1e} on "
            "validation data"
        )
        yield f"- `{file.file}` ({part}), SHA-256 {file.sha256}{differs}."
    yield "- Versions: " + ", ".join(f"{name} {version}" for name, version in source.versions.items()) + "."


def describe_calibration(calibration: Calibration, *, photos: str | None = None) -> Iterator[str]:
    """What opinion and label rest on.

    Args:
        calibration: of the score.
        photos: title of the photographs that the label's false-alarm rate rests on, None where the policy
            says it all.
    """
    low, high = calibration.log10_lr_bounds
    yield (
        f"- Score calibrated on {calibration.population_with_counts}; protocol {calibration.protocol}; curve "
        f"{calibration.kind}; log10 likelihood ratio within [{low:.2f}, {high:.2f}]."
    )
    wanted = calibration.conditions
    most = "" if wanted.max_pixels is None else f" and at most {wanted.max_pixels} pixels in total"
    yield (
        f"- Valid for {'JPEG files' if wanted.requires_jpeg else 'files'} with a shorter side of at least "
        f"{wanted.min_side} pixels{most}; otherwise there is a score but no opinion."
    )
    labels = calibration.thresholds
    if labels is None:
        yield "- No label is given."
        return
    above, below = format_threshold(labels.tampered_above), format_threshold(labels.authentic_below)
    policy = labels.policy if photos is None else f"{labels.policy}; photographs: {photos}"
    yield f"- Labels ({policy}): tampered above {above}, authentic below {below}."
    yield from (f"    - {note}" for note in labels.notes)


def format_threshold(value: float | None) -> str:
    """A threshold of the label: some are next to 1."""
    return "none" if value is None else f"{value:.4f}"


def format_interval(value: float, interval: tuple[float, float] | None) -> str:
    """A figure with its interval in brackets, where it has one."""
    ends = "" if interval is None else f" [{interval[0]:.3f}, {interval[1]:.3f}]"
    return f"{value:.3f}{ends}"
