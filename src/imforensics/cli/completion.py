"""`imforensics completion`: the script that completes commands and options in a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command(
    "completion",
    epilog="""\b
Examples:
  imforensics completion bash >> ~/.bashrc
  imforensics completion zsh >> ~/.zshrc
  imforensics completion fish > ~/.config/fish/completions/imforensics.fish
""",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script for SHELL, to be loaded when the shell starts."""
    from imforensics.cli.main import main

    completion_class = get_completion_class(shell)
    if completion_class is None:
        raise click.UsageError(f"click has no completion for {shell}.")
    click.echo(completion_class(main, {}, "imforensics", "_IMFORENSICS_COMPLETE").source())
