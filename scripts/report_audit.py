"""Audit CASIA v1 against v2 and write what was found as docs/experiments/audit_casia1.md.

IMFORENSICS_DATA=/path/to/data python scripts/report_audit.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from imforensics import __version__
from imforensics.datasets.base import load_dataset
from imforensics.pipeline.audit import audit_dataset, audit_document
from imforensics.provenance import find_commit

PAGE = Path(__file__).resolve().parents[1] / "docs" / "experiments" / "audit_casia1.md"
SEED = 0


def format_page(document: dict[str, Any]) -> str:
    """The audit as Markdown; masks and images by name, not by the path they had here."""
    integrity, near = document["integrity"], document["near_duplicates"]
    lines = [
        "# Audit of CASIA v1.0",
        "",
        "Made by `python scripts/report_audit.py`; the same as",
        "`imforensics audit CASIA1 --dataset casia1 --against casia2=CASIA2`. Do not edit.",
        "",
        f"imforensics {__version__}, commit {find_commit()}, seed {SEED}. "
        f"{integrity['authentic_count']} authentic and {integrity['tampered_count']} tampered images.",
        "",
        "## Verdict",
        "",
        *(f"- {sentence}" for sentence in document["verdict"]),
        "",
        "## Header facts",
        "",
        "Header baseline for each fact, cross-validated over source groups; no pixels are used.",
        "95 % bootstrap intervals over groups.",
        "",
        "| fact | values | accuracy | balanced accuracy | AUC |",
        "|---|---|---|---|---|",
        *(
            f"| {fact['fact']} | {fact['distinct_values']} | {fact['accuracy']:.3f} | "
            f"{fact['balanced_accuracy']:.3f} | {fact['auc']:.3f} "
            f"[{fact['auc_interval'][0]:.3f}, {fact['auc_interval'][1]:.3f}] |"
            for fact in document["header_facts"]
        ),
        "",
        "## Defects",
        "",
        f"- Byte-identical in the part of CASIA v2.0 at hand: {len(integrity['duplicates'])} images; "
        f"across splits: {sum(copies['across_splits'] for copies in integrity['duplicates'])}.",
        f"- Near-duplicates by perceptual hash: {near['pairs']} pairs; between source groups: "
        f"{near['across_groups']}; between splits: {near['across_splits']}. "
        "A tampered image and its host are alike by nature.",
        f"- Without a mask: {_names(integrity['missing_masks'])}.",
        f"- Masks that leave out most of what differs from the host: "
        f"{_names(suspect['mask'] for suspect in document['suspect_masks'])}.",
        f"- Names whose second image, not the first, is the host: {len(document['swapped_names'])}.",
        *(
            f"- Rare size {size} (height x width): {_names(names)}."
            for size, names in document["rare_sizes"].items()
        ),
    ]
    return "\n".join(lines) + "\n"


def _names(paths: Any) -> str:
    return ", ".join(f"`{Path(path).name}`" for path in paths) or "none"


def main() -> None:
    """Write the page."""
    audit = audit_dataset(load_dataset("casia1"), against=[load_dataset("casia2")], seed=SEED)
    PAGE.write_text(format_page(audit_document(audit)), encoding="utf-8")
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
