"""`imforensics config`: what a configuration amounts to, and whether it is right."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imforensics.cli.options import profile_option, set_option

if TYPE_CHECKING:
    from imforensics.config import ConfigModel

# command -> module and class of its configuration; None for those of the kinds of trained networks
CONFIGS = {
    "analyze": "imforensics.config:AnalyzeConfig",
    "scan": "imforensics.config:ScanConfig",
    "evaluate": "imforensics.config:EvaluateConfig",
    "synthesize": "imforensics.datasets.synthesis.config:SynthesizeConfig",
    "synthesize-native": "imforensics.datasets.synthesis.config:SynthesizeNativeConfig",
    "train-detector": None,
    "train-gan": None,
    "train-autoencoder": None,
    "train-fusion": "imforensics.pipeline.fusion.config:TrainFusionConfig",
}

for_option = click.option(
    "--for",
    "command_name",
    type=click.Choice(list(CONFIGS)),
    default="analyze",
    show_default=True,
    help="The command that the configuration is for.",
)


@click.group(
    "config",
    epilog="""\b
Examples:
  imforensics config show > analyze.yaml
  imforensics config show --profile full > full.yaml
  imforensics config check --for scan my_scan.yaml
  imforensics config show --for train-detector configs/train_detector_twin.yaml --set fit.epochs=3
  imforensics config show --for train-detector --set kind=localizer
""",
)
def command() -> None:
    """Show or check a configuration."""


@command.command("show")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), required=False, metavar="[FILE]")
@for_option
@profile_option
@set_option
def show(path: Path | None, command_name: str, profile: str | None, overrides: tuple[str, ...]) -> None:
    """Print the complete configuration as YAML: FILE or the defaults, with overrides applied."""
    from imforensics.config import dump_config

    config = _load(command_name, path, overrides, profile=profile)
    click.echo(dump_config(config), nl=False)


@command.command("check")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@for_option
@set_option
def check(path: Path, command_name: str, overrides: tuple[str, ...]) -> None:
    """Report every unknown key and invalid value in FILE; exit code 2 if there is one."""
    _load(command_name, path, overrides)
    click.echo(f"{path}: valid configuration for {command_name}")


def _load(
    command_name: str, path: Path | None, overrides: tuple[str, ...], *, profile: str | None = None
) -> ConfigModel:
    from imforensics.config import AnalyzeConfig, load_config

    model = _config_type(command_name, path, overrides)
    if profile is not None and not issubclass(model, AnalyzeConfig):
        raise click.UsageError(f"--profile is for commands that run methods, not for {command_name}.")
    config = load_config(model, path, overrides, profile=profile)
    if isinstance(config, AnalyzeConfig):
        from imforensics.pipeline.analyze import resolve_config

        return resolve_config(config)
    return config


def _config_type(command_name: str, path: Path | None, overrides: tuple[str, ...]) -> type[ConfigModel]:
    place = CONFIGS[command_name]
    if place is None:
        from imforensics.models.kinds import choose_kind

        return choose_kind(command_name, path, overrides).config_type
    module, _, name = place.partition(":")
    found: type[ConfigModel] = getattr(import_module(module), name)
    return found
