"""The page of an audit: verdict first, then what it rests on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imforensics.outputs import claim_folder, write_atomically
from imforensics.report.evaluation_markdown import command_block, describe_tool
from imforensics.report.evaluation_words import BASELINE, CENTRE, decimal, with_interval
from imforensics.report.markdown import Table, for_markdown, markdown_page
from imforensics.report.page import load_parts, load_template, safe_parts

MAX_LISTED = 200  # names listed of each kind of defect; audit.json holds them all

CENTRE_COLUMNS = {"pixel AUC": "auc_mean", "F1 at 0.5": "f1_half_mean", "F1 best": "f1_best_mean"}
DEFECT_TITLES = {
    "missing_masks": "Tampered images without a mask",
    "ill_sized_masks": "Masks of another size than their image",
    "unreadable_masks": "Masks that cannot be decoded",
    "empty_masks": "Masks without a tampered pixel",
    "full_masks": "Masks without an authentic pixel",
    "unreadable_images": "Images that cannot be decoded",
    "unrecognised": "Image files that follow no naming rule of the set",
}


@dataclass(frozen=True, slots=True)
class AuditFiles:
    """Where an audit was written."""

    html: Path
    json: Path


def write_audit(
    document: Mapping[str, Any], folder: Path, *, overwrite: bool = False, inputs: Iterable[Path] = ()
) -> AuditFiles:
    """Write audit.json, audit.html and results.md, each whole or not at all.

    Args:
        document: of `audit_document`.
        folder: must be absent or empty, unless `overwrite`.
        overwrite: replace an earlier audit.
        inputs: files that were read, none of which may lie in the folder.

    Raises:
        OutputExistsError: an audit is there and overwriting was not asked for; see `imforensics.outputs`.
    """
    files = AuditFiles(folder / "audit.html", folder / "audit.json")
    with claim_folder(folder, "audit", inputs=inputs) as output:
        output.refuse_earlier(overwrite=overwrite)
        output.check()
        write_atomically(files.html, render_audit(document))
        write_atomically(folder / "results.md", audit_page(document).encode())
        write_atomically(files.json, json.dumps(document, indent=2, allow_nan=False) + "\n")
    return files


def audit_page(document: Mapping[str, Any]) -> str:
    """results.md: the audit as Markdown, and at the foot what it was made with."""
    notes = [f"Seed {document['seed']}.", *describe_tool(document)]
    foot = Table("Made with", text=[command_block(document["command"])], notes=notes)
    title = f"Audit of {for_markdown(document['integrity']['dataset'])}"
    return markdown_page(title, [*audit_tables(document), foot])


def audit_tables(document: Mapping[str, Any]) -> Iterator[Table]:
    """The sections of an audit; images and masks by name, without the folder that they stand in here."""
    integrity, centre = document["integrity"], document["centre_prior"]
    counts = f"{integrity['authentic_count']} authentic and {integrity['tampered_count']} tampered images."
    verdict = [for_markdown(sentence) for sentence in document["verdict"]]
    yield Table("Verdict", text=[counts], notes=verdict)
    facts = [
        [
            f"{BASELINE}: {fact['fact']}",
            str(fact["distinct_values"]),
            *(decimal(fact[name]) for name in ("accuracy", "balanced_accuracy")),
            with_interval(fact["auc"], fact["auc_interval"]),
        ]
        for fact in document["header_facts"]
    ]
    text = ["Each fact alone, cross-validated over source groups; no pixel is looked at."]
    yield Table(
        "Header facts", ("", "values", "accuracy", "balanced accuracy", "image AUC"), facts, text=text
    )
    if centre is not None:
        values = [
            with_interval(centre["metrics"][n], centre["intervals"][n]) for n in CENTRE_COLUMNS.values()
        ]
        text = [f"{for_markdown(centre['map'])}."]
        yield Table("Masks", ("", "masks", *CENTRE_COLUMNS), [[CENTRE, str(centre["n"]), *values]], text=text)
    yield Table("Defects", notes=list(_describe_defects(document)))


def _describe_defects(document: Mapping[str, Any]) -> Iterator[str]:
    integrity, near = document["integrity"], document["near_duplicates"]
    across = sum(copies["across_splits"] for copies in integrity["duplicates"])
    yield f"Byte-identical: {len(integrity['duplicates'])} images; across splits: {across}."
    yield (
        f"Near-duplicates by perceptual hash: {near['pairs']} pairs; between source groups: "
        f"{near['across_groups']}; between splits: {near['across_splits']}. A tampered image and its host "
        "are alike by nature."
    )
    for key, title in DEFECT_TITLES.items():
        if integrity[key]:
            yield f"{title}: {_names(integrity[key])}."
    suspects = _names(suspect["mask"] for suspect in document["suspect_masks"])
    yield f"Masks that leave out most of what differs from the host: {suspects}."
    yield f"Names whose second image, not the first, is the host: {len(document['swapped_names'])}."
    for size, names in document["rare_sizes"].items():
        yield f"Rare size {size} (height x width): {_names(names)}."


def _names(paths: Iterable[Any]) -> str:
    names = [for_markdown(Path(path).name) for path in paths]
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return (", ".join(names[:MAX_LISTED]) or "none") + more


def render_audit(document: Mapping[str, Any]) -> str:
    """The self-contained page of `audit_document`."""
    integrity = document["integrity"]
    defects = [
        (title, len(integrity[key]), list(integrity[key])[:MAX_LISTED])
        for key, title in DEFECT_TITLES.items()
        if integrity[key]
    ]
    duplicates = integrity["duplicates"]
    kinds = {
        "in all": len(duplicates),
        "across classes": sum(d["across_classes"] for d in duplicates),
        "across splits": sum(d["across_splits"] for d in duplicates),
        "across sets": sum(d["across_sets"] for d in duplicates),
    }
    return load_template("audit.html.j2").render(
        **safe_parts(load_parts("evaluation")),
        document=document,
        integrity=integrity,
        defects=defects,
        kinds=kinds,
        listed=duplicates[:MAX_LISTED],
    )
