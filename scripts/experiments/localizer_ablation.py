"""Performance of each input stream of the localizer: one budget and seed, raw files and twins of CASIA v1."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from experiment import ROOT, Experiment, Variant
from imforensics.config import config_digest, load_config
from imforensics.errors import ConfigError
from imforensics.models.bundle.files import MANIFEST_FILE
from imforensics.models.localizer.bundle import load_localizer
from imforensics.models.localizer.config import TrainLocalizerConfig
from imforensics.models.training.run import CONFIG_FILE
from imforensics.report.markdown import Table
from tables import figures


def measure(experiment: Experiment) -> Iterator[Table]:
    """Train every variant with every seed, or go on with it; then a row for each and protocol."""
    options, variants = experiment.config.options, {}
    for seed in options["seeds"]:
        for name, streams in options["streams"].items():
            folder = experiment.folder / f"{name.replace('+', '_')}-{seed}"
            sets = [f"network.streams=[{', '.join(streams)}]", f"seed={seed}", *options["training"]]
            bundle = train(folder, ROOT / options["config"], sets)
            variants[f"{name}, seed {seed}"] = Variant(method="localizer", options={"bundle": bundle})
    found = {title: load_localizer(variant.options["bundle"]).manifest for title, variant in variants.items()}
    config = experiment.config.model_copy(update={"variants": variants})
    yield from figures(replace(experiment, config=config).evaluate(), config.columns)
    rows = [[title, str(each.parameters), str(each.provenance.steps)] for title, each in found.items()]
    yield Table("Networks", ("streams", "weights", "steps"), rows)


def train(folder: Path, path: Path, sets: list[str]) -> str:
    """Train one variant, or go on with it; a finished run is left as it is.

    Returns:
        The folder of its bundle.

    Raises:
        ConfigError: a finished run is of other settings.
    """
    bundle = folder / "bundle"
    if (bundle / MANIFEST_FILE).exists():
        wanted: Any = load_config(TrainLocalizerConfig, path, sets).model_dump(mode="json")
        if load_localizer(bundle).manifest.provenance.config_digest != config_digest(wanted):
            raise ConfigError(
                f"{folder} was trained with other settings. Name another results folder with -o"
            )
    else:
        resume = ["--resume"] if (folder / CONFIG_FILE).exists() else []
        command = [sys.executable, "-m", "imforensics", "train-detector", "-c", str(path), "-o", str(folder)]
        subprocess.run([*command, *(f"--set={text}" for text in sets), *resume], check=True)
    return f"{bundle.as_posix()}/"
