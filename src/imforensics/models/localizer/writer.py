"""What a localizer's bundle says of it, and the figures that are added later."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imforensics.errors import BundleError
from imforensics.models.bundle.manifest import BundleFile
from imforensics.models.bundle.writer import CARD_FILE, write_bundle
from imforensics.models.localizer.bundle import load_localizer
from imforensics.models.localizer.card import format_localizer_card
from imforensics.models.localizer.manifest import (
    CardPicture,
    DataSource,
    LocalizerManifest,
    LocalizerMeasurement,
    LocalizerProvenance,
    Role,
)

if TYPE_CHECKING:
    from imforensics.datasets.base import DatasetCard
    from imforensics.models.localizer.config import TrainLocalizerConfig
    from imforensics.models.localizer.export import ExportedLocalizer

MAX_BYTES = 10_000_000  # of a bundle that ships
_PIXEL_FIGURES = {
    "pixel_auc": "auc_mean",
    "f1_fixed": "f1_fixed_mean",
    "f1_half": "f1_half_mean",
    "f1_best": "f1_best_mean",
    "false_alarm_area": "false_alarm_area_fixed_mean",
}


def describe_localizer(exported: ExportedLocalizer, **facts: Any) -> LocalizerManifest:
    """What bundle.yaml holds of an exported network.

    Args:
        exported: network, see `export_localizer`.
        facts: the other fields of the manifest.
    """
    return LocalizerManifest(
        files={part: BundleFile.of(part, content) for part, content in exported.parts.items()},
        parameters=exported.parameters,
        reach=exported.reach,
        difference=exported.difference,
        **facts,
    )


def add_to_bundle(
    folder: Path,
    *,
    measurements: Sequence[LocalizerMeasurement] = (),
    limits: Sequence[str] = (),
    pictures: Mapping[str, tuple[bytes, str]] | None = None,
) -> LocalizerManifest:
    """Add what was found out after a bundle was written; its networks, thresholds and calibration stay.

    Args:
        folder: of the bundle.
        measurements: to add; those of the same protocol, data set and split are replaced.
        limits: sentences to add.
        pictures: of failures, name of the file (such as "failure_1.jpg") to content and words.

    Returns:
        What bundle.yaml holds now.

    Raises:
        BundleError: there is no sound bundle, or it would become larger than 10 MB.
    """
    manifest = load_localizer(folder).manifest
    kept = {_identify(item): item for item in (*manifest.measurements, *measurements)}
    shown = {picture.file: picture for picture in manifest.pictures}
    shown |= {name: CardPicture(file=name, words=words) for name, (_, words) in (pictures or {}).items()}
    changed = manifest.model_copy(
        update={
            "measurements": tuple(kept.values()),
            "limits": (*manifest.limits, *(text for text in limits if text not in manifest.limits)),
            "pictures": tuple(shown.values()),
        }
    )
    checked = LocalizerManifest.model_validate(changed.model_dump())
    others: dict[str, str | bytes] = {CARD_FILE: format_localizer_card(checked)}
    others |= {name: content for name, (content, _) in (pictures or {}).items()}
    write_bundle(folder, checked, {}, others, max_bytes=MAX_BYTES)
    return changed


def _identify(item: LocalizerMeasurement) -> tuple[str, str, str]:
    return item.dataset, item.split, item.protocol


def read_measurement(metrics_path: Path, *, method: str = "localizer") -> LocalizerMeasurement:
    """The figures of a finished `imforensics evaluate`, for the bundle's card.

    Args:
        metrics_path: its metrics.json.
        method: key of the evaluated entry in it.

    Raises:
        BundleError: it is no such file, or holds no such entry.
    """
    try:
        content: dict[str, Any] = json.loads(metrics_path.read_text(encoding="utf-8"))
        figures = content["methods"][method]
        counts = figures["counts"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(
            f"{metrics_path} holds no figures of {method!r} ({error!r}). Expected the metrics.json that "
            f"imforensics evaluate --method {method} writes."
        ) from None
    metrics: dict[str, float] = {}
    intervals: dict[str, tuple[float, float]] = {}
    for section, names in (("detection", {"image_auc": "auc"}), ("localization", _PIXEL_FIGURES)):
        found = figures[section] or {"metrics": {}, "intervals": {}}
        for name, key in names.items():
            if found["metrics"].get(key) is not None:
                metrics[name] = float(found["metrics"][key])
            if found["intervals"].get(key) is not None:
                low, high = found["intervals"][key]
                intervals[name] = (float(low), float(high))
    return LocalizerMeasurement(
        protocol=content["protocol"]["name"],
        dataset=content["data"]["dataset"],
        split=content["data"]["split"],
        n_authentic=counts["authentic"],
        n_tampered=counts["tampered"],
        metrics=metrics,
        intervals=intervals,
    )


def describe_source(card: DatasetCard, *, role: Role, images: int) -> DataSource:
    """A data set that the bundle rests on, with the licence that its card states."""
    return DataSource(name=card.name, title=card.title, licence=card.licence, role=role, images=images)


def describe_provenance(
    config: TrainLocalizerConfig,
    *,
    epochs: int,
    pictures: int,
    seconds: float,
    started_from: str | None = None,
) -> LocalizerProvenance:
    """Where a network comes from, exported now, on this machine.

    Args:
        config: of the run.
        epochs: fitted.
        pictures: shown in all, twins counted.
        seconds: of the fit.
        started_from: config digest of the run whose weights were the start.
    """
    import tensorflow as tf

    graphics = [
        tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")
    ]
    names = [str(details.get("device_name", "GPU")) for details in graphics]
    return LocalizerProvenance.record(
        config,
        started_from=started_from,
        epochs=epochs,
        steps=epochs * config.fit.steps,
        pictures=pictures,
        seconds=seconds,
        hardware=" + ".join(names) or f"processor {platform.machine()}, {config.workers} processes for data",
    )
