"""From an exported localizer and its facts to a bundle, and the figures that are added to it later."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imforensics import __version__
from imforensics.config import config_digest
from imforensics.errors import BundleError
from imforensics.models.bundle.files import MANIFEST_FILE
from imforensics.models.localizer.bundle import load_localizer
from imforensics.models.localizer.card import format_localizer_card
from imforensics.models.localizer.manifest import (
    CardPicture,
    DataSource,
    LocalizerFile,
    LocalizerManifest,
    LocalizerMeasurement,
    LocalizerProvenance,
    MapThreshold,
    Role,
    dump_localizer_manifest,
)
from imforensics.outputs import write_atomically
from imforensics.provenance import find_commit

if TYPE_CHECKING:
    from imforensics.datasets.base import DatasetCard
    from imforensics.metrics.calibration import Calibration
    from imforensics.models.localizer.config import LocalizerNetworkConfig, TrainLocalizerConfig
    from imforensics.models.localizer.export import ExportedLocalizer

CARD_FILE = "MODEL_CARD.md"
RECORDED = ("tensorflow", "keras", "onnx", "onnxruntime", "numpy", "pillow", "pywavelets")
MAX_BYTES = 10_000_000  # of a bundle that ships
_PIXEL_FIGURES = {
    "pixel_auc": "auc_mean",
    "f1_fixed": "f1_fixed_mean",
    "f1_half": "f1_half_mean",
    "f1_best": "f1_best_mean",
    "false_alarm_area": "false_alarm_area_fixed_mean",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalizerFacts:
    """What a bundle says of its network; see `LocalizerManifest`.

    Attributes:
        name: of the bundle.
        network: its shape.
        map_threshold: chosen on validation data, on the exported network.
        calibration: of the image score, on the exported network; None without one.
        training: what it learned from, in a few sentences.
        sources: data that it rests on.
        provenance: where it comes from.
        measurements: already there.
        limits: what this network in particular does not do, one sentence each.
    """

    name: str
    network: LocalizerNetworkConfig
    map_threshold: MapThreshold
    calibration: Calibration | None
    training: str
    sources: Sequence[DataSource]
    provenance: LocalizerProvenance
    measurements: Sequence[LocalizerMeasurement] = ()
    limits: Sequence[str] = field(default=())


def write_localizer_bundle(
    exported: ExportedLocalizer, facts: LocalizerFacts, folder: Path
) -> LocalizerManifest:
    """Write the network, bundle.yaml and the model card.

    Args:
        exported: network, see `export_localizer`.
        facts: about it.
        folder: of the bundle; made where it is missing.

    Returns:
        What bundle.yaml holds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for part, content in exported.parts.items():
        write_atomically(folder / f"{part}.onnx", content)
        files[part] = LocalizerFile(file=f"{part}.onnx", sha256=hashlib.sha256(content).hexdigest())
    manifest = LocalizerManifest(
        name=facts.name,
        files=files,
        network=facts.network,
        parameters=exported.parameters,
        reach=exported.reach,
        difference=exported.difference,
        map_threshold=facts.map_threshold,
        calibration=facts.calibration,
        training=facts.training,
        sources=tuple(facts.sources),
        measurements=tuple(facts.measurements),
        limits=tuple(facts.limits),
        provenance=facts.provenance,
    )
    _write_words(folder, manifest)
    return manifest


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
    _write_words(folder, changed, {name: content for name, (content, _) in (pictures or {}).items()})
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
    return LocalizerProvenance(
        created_at=datetime.now(UTC).replace(microsecond=0),
        tool_version=__version__,
        commit=find_commit(),
        config_digest=config_digest(config.model_dump(mode="json")),
        started_from=started_from,
        seed=config.seed,
        epochs=epochs,
        steps=epochs * config.fit.steps,
        pictures=pictures,
        seconds=seconds,
        hardware=" + ".join(names) or f"processor {platform.machine()}, {config.workers} processes for data",
        versions={"python": platform.python_version()} | {name: metadata.version(name) for name in RECORDED},
    )


def _write_words(
    folder: Path, manifest: LocalizerManifest, pictures: Mapping[str, bytes] | None = None
) -> None:
    """Check all, then write pictures, card and bundle.yaml."""
    checked = LocalizerManifest.model_validate(manifest.model_dump())
    contents: dict[str, str | bytes] = {
        **(pictures or {}),
        CARD_FILE: format_localizer_card(checked),
        MANIFEST_FILE: dump_localizer_manifest(checked),
    }
    kept = sum(
        path.stat().st_size for path in folder.iterdir() if path.is_file() and path.name not in contents
    )
    size = kept + sum(len(content) for content in contents.values())
    if size > MAX_BYTES:
        raise BundleError(f"{folder} would hold {size} bytes, expected at most {MAX_BYTES}. Make it smaller.")
    for name, content in contents.items():
        write_atomically(folder / name, content)
