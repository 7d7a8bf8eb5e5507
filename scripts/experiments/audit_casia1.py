"""CASIA v1 audited against v2, as `imforensics audit` does it."""

from __future__ import annotations

from collections.abc import Iterator

from experiment import Experiment
from imforensics.pipeline.audit import audit_dataset, audit_document
from imforensics.report.audit import audit_tables
from imforensics.report.markdown import Table


def measure(experiment: Experiment) -> Iterator[Table]:
    """The sections of results.md."""
    others = [experiment.load(name, "all")[0] for name in experiment.config.options["against"]]
    audit = audit_dataset(experiment.load("casia1", "all")[0], against=others, seed=experiment.config.seed)
    yield from audit_tables(audit_document(audit, seed=experiment.config.seed))
