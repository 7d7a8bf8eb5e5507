"""Evaluation protocols: which picture is shown to the methods, processed how, as which class."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from imforensics.datasets.base import Dataset
from imforensics.datasets.shortcuts import read_encoder_settings
from imforensics.datasets.twins import Twin, find_twins, has_ijg_tables, load_twins
from imforensics.errors import DatasetError
from imforensics.preprocessing.chains import Chain, draw_chain
from imforensics.types import Sample

ProtocolName = Literal["raw", "resaved", "resaved_q90", "twin", "exact_twin", "robustness"]

PROTOCOLS: dict[ProtocolName, str] = {
    "raw": "Files as published. The history of the whole file reveals the class wherever the classes were "
    "saved differently.",
    "resaved": "Both classes decoded and recompressed, each image through a chain drawn from one "
    "distribution. Header facts are equalised; traces of the earlier history of the whole file remain in the "
    "coefficients.",
    "resaved_q90": "Both classes decoded and recompressed at IJG quality 90, 4:2:0. Comparable with "
    "published results; the earlier history of the whole file remains in the coefficients.",
    "twin": "Each tampered file against its matched control: its own host, saved with the tampered file's "
    "quantization tables and subsampling. The two differ in the local alteration, and in the encoder's "
    "rounding where a program other than the IJG encoder wrote the tampered file; the header baseline is at "
    "chance by construction.",
    "exact_twin": "The matched pairs whose tampered file has the IJG tables as this program's encoder writes "
    "them. Outside the alteration both images agree: a method that separates them detects the alteration.",
    "robustness": "The files as published and after a grid of processing chains of increasing strength.",
}

TWIN_PROTOCOLS: tuple[ProtocolName, ...] = ("twin", "exact_twin")
Q90 = Chain("jpeg", 90.0, quality=90)
REFERENCE = Chain("reference", quality=95)  # what the other kinds of the grid are saved with
ROBUSTNESS_UNITS: dict[str, str] = {
    "jpeg": "quality",
    "resize": "scale",
    "blur": "sigma, pixels",
    "noise": "sigma, gray levels",
    "crop": "pixels cut at top and left",
    "webp": "quality",
    "screenshot": "scale on the screen",
    "messenger": "level",
}
# Longest side and quality: in the range that messengers recompress to, which changes with their versions.
OTHER_ENCODER = (
    "its tables are not IJG tables: another encoder wrote it, whose rounding affects the whole file"
)
_MESSENGER_LEVELS = ((1600, 80), (1280, 70), (960, 60))


@dataclass(frozen=True, slots=True)
class Trial:
    """One picture shown to the methods.

    Attributes:
        id: unique in its plan; the image's id and what is done to it.
        sample: the image, its class, group and mask.
        chain: what is done to the pixels; None takes the file as it is.
        tables_from: JPEG whose quantization tables and subsampling the pixels are saved with, before the
            chain; None for none.
        pair: id of the tampered image for both halves of a twin, None for all others.
    """

    id: str
    sample: Sample
    chain: Chain | None = None
    tables_from: Path | None = None
    pair: str | None = None

    @property
    def condition(self) -> str:
        """Name of the kind of chain, "raw" for a file as it is."""
        return "raw" if self.chain is None else self.chain.name


@dataclass(frozen=True, slots=True)
class TrialPlan:
    """All trials of one evaluation.

    Attributes:
        protocol: name of the protocol.
        seed: of everything random.
        trials: in the order of the samples.
        left_out: images of the split that have no trial, each with the reason.
    """

    protocol: ProtocolName
    seed: int
    trials: tuple[Trial, ...]
    left_out: tuple[tuple[str, str], ...] = ()


def plan_trials(
    dataset: Dataset,
    samples: Sequence[Sample],
    protocol: ProtocolName,
    *,
    seed: int = 0,
    kinds: Sequence[str] = (),
) -> TrialPlan:
    """Plan what is shown to the methods.

    Args:
        dataset: where the samples come from; the twin protocols look up the hosts in it.
        samples: of one split.
        protocol: key of PROTOCOLS.
        seed: of the random chains and the noise; an image's chain depends on the seed and its own id alone.
        kinds: of processing, keys of ROBUSTNESS_UNITS: `robustness` has these alone of its grid, and twins
            are shown as they are and through these, both halves alike; empty leaves the protocol as it is.

    Returns:
        The plan; never empty.

    Raises:
        DatasetError: unknown protocol or kind, kinds with a protocol that has one treatment, or nothing to
            show: no samples, or no twins.
    """
    if protocol not in PROTOCOLS:
        raise DatasetError(f"unknown protocol {protocol!r}. Known: {', '.join(PROTOCOLS)}")
    _check_kinds(protocol, kinds)
    left_out: tuple[tuple[str, str], ...] = ()
    if protocol in TWIN_PROTOCOLS:
        trials, left_out = _plan_twins(dataset, samples, is_exact=protocol == "exact_twin")
        trials = tuple(_process(trials, kinds, seed)) if kinds else trials
    else:
        base = _base_folder(dataset)
        trials = tuple(trial for sample in samples for trial in _plan_sample(base, sample, protocol, seed))
        trials = tuple(_process(trials, kinds, seed)) if protocol == "robustness" else trials
    if not trials:
        raise DatasetError(
            f"{dataset.name} gives nothing to evaluate with protocol {protocol}. Check the split"
        )
    return TrialPlan(protocol, seed, trials, left_out)


def limit_samples(
    samples: Sequence[Sample], limit: int | None, *, seed: int, share: float = 1.0
) -> tuple[Sample, ...]:
    """Whole source groups in an order drawn by the seed, until the limit is reached; None takes all.

    Under a share of 1 about so many of the samples are left before, of every group: those of one host, such
    as both halves of a pair that `synthesize` made, stay together.
    """
    if share < 1:
        draws = {s: seeded_generator(seed, s.host or s.group).random() for s in samples}
        samples = [s for s in samples if draws[s] < share]
    if limit is None or len(samples) <= limit:
        return tuple(samples)
    sizes = Counter(s.group for s in samples)
    ordered = sorted(sizes, key=lambda g: hashlib.sha256(f"{seed}\0{g}".encode()).digest())
    kept: set[str] = set()
    count = 0
    for group in ordered:
        if count + sizes[group] <= limit:
            kept.add(group)
            count += sizes[group]
    return tuple(s for s in samples if s.group in kept)


def image_id(root: Path, path: Path) -> str:
    """Path of an image below the root of its set, with forward slashes; bytes that are not UTF-8 escaped."""
    inside = path.relative_to(root) if path.is_relative_to(root) else path
    return inside.as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def seeded_generator(seed: int, key: str) -> np.random.Generator:
    """A generator that depends on the seed and the key alone, not on the order of calls."""
    digest = hashlib.sha256(f"{seed}\0{key}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def robustness_grid() -> tuple[Chain, ...]:
    """Every chain of the `robustness` protocol; all but screenshots and WebP end as JPEG.

    "reference" is the saving alone that resize, blur, noise and crop end with, so that a curve shows the
    processing and not the saving.
    """
    grid = [REFERENCE]
    grid += [Chain("jpeg", float(q), quality=q) for q in (100, 90, 80, 70, 60, 50)]
    grid += [replace(REFERENCE, name="resize", strength=s, scale=s) for s in (1.25, 0.9, 0.75, 0.6, 0.5)]
    grid += [replace(REFERENCE, name="blur", strength=s, blur=s) for s in (0.5, 1.0, 2.0)]
    grid += [replace(REFERENCE, name="noise", strength=s, noise=s) for s in (1.0, 2.0, 4.0, 8.0)]
    grid += [replace(REFERENCE, name="crop", strength=float(n), crop=(n, n)) for n in (1, 3, 4)]
    grid += [Chain("webp", float(q), format="WEBP", quality=q) for q in (90, 75, 50)]
    grid += [Chain("screenshot", s, crop=(3, 5), scale=s, format="PNG") for s in (1.0, 0.8, 0.6)]
    grid += [
        Chain("messenger", float(level), max_side=side, quality=quality)
        for level, (side, quality) in enumerate(_MESSENGER_LEVELS, start=1)
    ]
    return tuple(grid)


def _plan_sample(root: Path, sample: Sample, protocol: ProtocolName, seed: int) -> Iterator[Trial]:
    name = image_id(root, sample.image_path)
    if protocol in ("raw", "robustness"):
        yield Trial(name, sample)
    if protocol == "resaved":
        yield Trial(name, sample, draw_chain(seeded_generator(seed, name)))
    if protocol == "resaved_q90":
        yield Trial(name, sample, Q90)


def _check_kinds(protocol: str, kinds: Sequence[str]) -> None:
    unknown = [kind for kind in kinds if kind not in ROBUSTNESS_UNITS]
    if unknown:
        raise DatasetError(f"unknown kind of processing {unknown[0]!r}. Known: {', '.join(ROBUSTNESS_UNITS)}")
    if kinds and protocol not in (*TWIN_PROTOCOLS, "robustness"):
        raise DatasetError(
            f"protocol {protocol} has one treatment and no kinds of processing. Take robustness, "
            f"{' or '.join(TWIN_PROTOCOLS)}, or name no kind"
        )


def _process(trials: Sequence[Trial], kinds: Sequence[str], seed: int) -> Iterator[Trial]:
    """Each trial, and the same through the grid; both halves of a twin get the same noise."""
    grid = [chain for chain in robustness_grid() if not kinds or chain.name in (REFERENCE.name, *kinds)]
    for trial in trials:
        yield trial
        noise_seed = int(seeded_generator(seed, trial.pair or trial.id).integers(2**31))
        for chain in grid:
            seeded = replace(chain, noise_seed=noise_seed) if chain.noise else chain
            yield replace(trial, id=f"{trial.id} [{chain.name} {chain.strength:g}]", chain=seeded)


def _base_folder(dataset: Dataset) -> Path:
    return dataset.root.parent if dataset.root.is_file() else dataset.root


def _plan_twins(
    dataset: Dataset, samples: Sequence[Sample], *, is_exact: bool
) -> tuple[tuple[Trial, ...], tuple[tuple[str, str], ...]]:
    base = _base_folder(dataset)
    twins, reasons = _find_pairs(dataset, samples)
    if is_exact:
        files = ((twin, twin.tampered.image_path) for twin in twins)
        other = [twin for twin, path in files if not has_ijg_tables(read_encoder_settings(path).tables)]
        reasons |= dict.fromkeys((twin.tampered.image_path for twin in other), OTHER_ENCODER)
        twins = tuple(twin for twin in twins if twin not in other)
    trials: list[Trial] = []
    for twin in twins:
        tampered = twin.tampered
        name, host = image_id(base, tampered.image_path), image_id(base, twin.host_path)
        as_host = Sample(twin.host_path, 0, tampered.group, host=tampered.host)
        trials.append(
            Trial(f"{host} [saved like {name}]", as_host, tables_from=tampered.image_path, pair=name)
        )
        trials.append(Trial(name, tampered, pair=name))
    found = {twin.tampered.image_path for twin in twins}
    left_out = tuple(
        (
            image_id(base, sample.image_path),
            reasons.get(sample.image_path, "no host of its size and content is known"),
        )
        for sample in samples
        if sample.label == 1 and sample.image_path not in found
    )
    return tuple(trials), left_out


def _find_pairs(dataset: Dataset, samples: Sequence[Sample]) -> tuple[tuple[Twin, ...], dict[Path, str]]:
    """The committed twins; for a user's own set, which has none, those found by name and pixels."""
    if dataset.name != "folder":
        return load_twins(dataset, samples), {}
    search = find_twins(dataset)
    wanted = {sample.image_path for sample in samples}
    pairs = tuple(twin for twin in search.pairs if twin.tampered.image_path in wanted)
    return pairs, {dropped.tampered.image_path: dropped.reason for dropped in search.dropped}
