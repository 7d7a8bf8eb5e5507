"""`imforensics doctor`: is this installation whole?"""

from __future__ import annotations

import json

import click

from imforensics.cli.main import EXIT_FAILED

MARKS = {"ok": "ok    ", "absent": "absent", "broken": "BROKEN"}


@click.command(
    "doctor",
    epilog="""\b
Examples:
  imforensics doctor
  imforensics doctor --json
""",
)
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output, one document.")
def command(as_json: bool) -> None:
    """Check libraries, shipped bundles and their runtime, and analyze a synthetic test image.

    The exit code is 1 if something is broken; a missing optional component is not an error.
    """
    from dataclasses import asdict

    from imforensics.pipeline.doctor import check_installation
    from imforensics.report.escaping import for_terminal

    checks = list(check_installation())
    if as_json:
        click.echo(json.dumps([asdict(check) for check in checks], indent=2))
    else:
        width = max(len(check.subject) for check in checks) + 2
        for check in checks:
            click.echo(f"{MARKS[check.verdict]}  {check.subject:<{width}}{for_terminal(check.detail)}")
    if any(check.verdict == "broken" for check in checks):
        raise click.exceptions.Exit(EXIT_FAILED)
