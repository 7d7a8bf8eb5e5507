"""The `imforensics` command: a group that loads a command only when it is called."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from imforensics import __version__
from imforensics.errors import ConfigError, ImforensicsError, describe_failure

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_ABOVE = 3

# name -> (module that holds `command`, or "module:name of it"; one line for the overview)
COMMANDS: dict[str, tuple[str, str]] = {
    "analyze": ("imforensics.cli.analyze", "Analyze one or several images: statement, maps, report."),
    "scan": ("imforensics.cli.scan", "Analyze whole folders on all cores; can be resumed."),
    "synthesize": ("imforensics.cli.synthesize", "Make synthetic forgeries with masks and matched controls."),
    "train-detector": ("imforensics.cli.train:train_detector", "Train a detector from a YAML config."),
    "train-gan": (
        "imforensics.cli.train:train_gan",
        "Train a generator of authentic images, with its encoder.",
    ),
    "train-autoencoder": (
        "imforensics.cli.train:train_autoencoder",
        "Train an autoencoder on digits, patches or noise residuals.",
    ),
    "train-fusion": ("imforensics.cli.train_fusion", "Fuse methods into one calibrated statement."),
    "evaluate": ("imforensics.cli.evaluate", "Measure methods and bundles on a labelled data set."),
    "audit": ("imforensics.cli.audit", "Check a data set for header shortcuts, duplicates and bad masks."),
    "reconstruct": (
        "imforensics.cli.reconstruct",
        "Show an image beside its reconstruction by a network.",
    ),
    "curves": ("imforensics.cli.curves", "Interpret and plot the learning curves of training runs."),
    "methods": ("imforensics.cli.methods", "List the forensic methods, or explain one."),
    "datasets": ("imforensics.cli.datasets", "List the supported data sets, or explain one."),
    "config": ("imforensics.cli.config", "Show or check a configuration."),
    "completion": ("imforensics.cli.completion", "Print the completion script for a shell."),
    "doctor": ("imforensics.cli.doctor", "Check the installation."),
}


class LazyGroup(click.Group):
    """A group whose overview needs no command's module."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command's module; None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name or "command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the overview from COMMANDS."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; turn what it raises into one message and an exit code."""
        try:
            return super().invoke(ctx)
        except ImforensicsError as error:
            _show_error(str(error))
            ctx.exit(EXIT_USAGE if isinstance(error, ConfigError) else EXIT_FAILED)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:  # the reader of our output has left; click ends quietly
            raise
        except Exception as error:  # the system refused something, or a defect of ours
            _show_error(describe_failure(error))
            ctx.exit(EXIT_FAILED)


def _show_error(text: str) -> None:
    from imforensics.report.escaping import for_terminal_lines

    if "imforensics.cli.progress" in sys.modules:
        sys.modules["imforensics.cli.progress"].close_bars()
    click.echo(f"Error: {for_terminal_lines(text)}", err=True)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 success, whatever the label; 1 failure, or a scan in which some files failed; 2 "
    "wrong usage or invalid configuration; 3 only with --fail-above or --fail-on-marked. Data goes to "
    "standard output, everything else to standard error.",
)
@click.version_option(__version__, prog_name="imforensics")
def main() -> None:
    """Image forensics: was this photo altered, where, how certain is that, and what is the evidence?

    \b
    Examples:
      imforensics analyze photo.jpg -o report/
      imforensics scan folder/ -o results/
    """


if __name__ == "__main__":
    sys.exit(main())
