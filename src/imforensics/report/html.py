"""The report as one self-contained page: a view of the document with the pictures in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from imforensics.report import words
from imforensics.report.colormap import colormap
from imforensics.report.encoding import data_uri
from imforensics.report.escaping import json_for_html
from imforensics.report.page import load_parts, load_template, mark_safe, safe_parts
from imforensics.report.pictures import Picture
from imforensics.types import JsonValue, Label

PAGE_TEMPLATE = "report.html.j2"
_LEGEND_STOPS = 17
_LEGEND_LEFT, _LEGEND_WIDTH = 12, 296  # of a picture 320 wide
_METADATA_GROUPS = (("EXIF", "exif"), ("XMP", "xmp"), ("IPTC", "iptc"))


def render_report(document: Mapping[str, JsonValue], pictures: Sequence[Picture]) -> str:
    """Render the page.

    Args:
        document: as `document.report_document` makes it.
        pictures: as `pictures.draw_pictures` makes them.

    Returns:
        The HTML: no link to anything outside, no inline style or handler, valid UTF-8.
    """
    shown = [_picture_view(picture) for picture in pictures]
    label = cast("Label", document["label"])
    findings = [_finding_view(finding, shown) for finding in _objects(document["findings"])]
    basis = cast("dict[str, Any]", document["statement"])["basis"]
    return load_template(PAGE_TEMPLATE).render(
        **safe_parts(load_parts("report")),
        document=document,
        record=mark_safe(json_for_html(dict(document))),
        label=words.LABEL_WORDS[label],
        propositions=(words.H1, words.H2),
        caveats=words.WHAT_IT_DOES_NOT_PROVE,
        original=next(view for view in shown if view["kind"] == "original"),
        findings=findings,
        localized=_find_localized(findings, basis),
        jpeg_tables=_table_views(document),
        metadata_groups=_metadata_views(document),
        settings=words.flatten(document["settings"]),
        number=words.number,
        ratio=words.ratio,
        shorten=words.shorten,
        status_words=words.STATUS_WORDS,
        label_words=words.LABEL_WORDS,
    )


def _picture_view(picture: Picture) -> dict[str, Any]:
    return {
        "kind": picture.kind,
        "method": picture.method,
        "name": words.humanize(picture.name),
        "caption": picture.caption,
        "file": picture.file,
        "height": picture.height,
        "width": picture.width,
        "source": mark_safe(data_uri(picture.jpeg)),
    }


def _finding_view(finding: dict[str, Any], pictures: Sequence[dict[str, Any]]) -> dict[str, Any]:
    own = [picture for picture in pictures if picture["method"] == finding["method"]]
    opinion = finding["opinion"]
    return {
        **finding,
        "title": words.humanize(finding["method"]),
        "rows": [
            (words.humanize(path), text) for path, text in words.flatten(finding["observations"]) if path
        ],
        "artifact_pictures": [picture for picture in own if picture["kind"] == "artifact"],
        "map_picture": next((picture for picture in own if picture["kind"] == "map"), None),
        "overlay_picture": next((picture for picture in own if picture["kind"] == "overlay"), None),
        "map_alt": _map_alt(finding),
        "legend": _legend_view(finding),
        "opinion_label": None if opinion is None else words.LABEL_WORDS[cast("Label", opinion["label"])],
        "opinion_sentence": None
        if opinion is None
        else words.ratio_sentence(opinion["log10_lr"], tuple(opinion["log10_lr_bounds"])),
    }


def _find_localized(findings: Sequence[dict[str, Any]], basis: Sequence[str]) -> dict[str, Any] | None:
    """The finding whose overlay stands beside the original: first of the basis, with a threshold."""
    shown = {
        finding["method"]: finding
        for finding in findings
        if finding["overlay_picture"] and finding["threshold"] is not None
    }
    return next((shown[name] for name in basis if name in shown), None)


def _map_alt(finding: dict[str, Any]) -> str:
    """What the map shows, in the words of its table."""
    statistics = finding["map"]
    if statistics is None:
        return ""
    text = f"Map of {finding['method']}: mean {words.number(statistics['mean'])}, "
    text += f"maximum {words.number(statistics['max'])}"
    if statistics["region_count"] is None:
        return f"{text}."
    text += f"; {words.number(statistics['area_over_threshold_percent'])} % of the picture at or above the "
    text += f"threshold {words.number(finding['threshold'])}, in {statistics['region_count']} regions"
    if not statistics["regions"]:
        return f"{text}."
    box = statistics["regions"][0]
    text += (
        f"; the largest at top {box['top']}, left {box['left']}, height {box['height']}, width {box['width']}"
    )
    return f"{text}."


def _legend_view(finding: dict[str, Any]) -> dict[str, Any]:
    steps = [round(index * 255 / (_LEGEND_STOPS - 1)) for index in range(_LEGEND_STOPS)]
    colours = [f"#{bytes(colormap()[step]).hex()}" for step in steps]
    threshold = finding["threshold"]
    position = None if threshold is None else _LEGEND_LEFT + _LEGEND_WIDTH * min(max(threshold, 0.0), 1.0)
    return {
        "stops": [(f"{step / 255:.4f}", colour) for step, colour in zip(steps, colours, strict=True)],
        "threshold_x": None if position is None else f"{position:.1f}",
        "threshold_anchor": _anchor(threshold),
    }


def _anchor(threshold: float | None) -> str:
    if threshold is None or 0.25 <= threshold <= 0.75:
        return "middle"
    return "start" if threshold < 0.25 else "end"


def _table_views(document: Mapping[str, JsonValue]) -> list[dict[str, Any]]:
    jpeg = cast("dict[str, Any]", document["evidence"])["jpeg"]
    if jpeg is None:
        return []
    tables = jpeg["quantization_tables"]
    names = ["Luma (Y)", "Chroma (Cb)", "Chroma (Cr)"] if len(tables) == 3 else None
    groups: list[dict[str, Any]] = []
    for index, table in enumerate(tables):
        name = names[index] if names is not None else f"Component {index + 1}"
        same = next((group for group in groups if group["rows"] == table), None)
        if same is None:
            groups.append({"names": [name], "rows": table})
        else:
            same["names"].append(name)
    return groups


def _metadata_views(document: Mapping[str, JsonValue]) -> list[dict[str, Any]]:
    metadata = cast("dict[str, Any]", document["evidence"])["metadata"]
    return [
        {"title": title, "rows": [(key, words.shorten(value)) for key, value in metadata[key_of].items()]}
        for title, key_of in _METADATA_GROUPS
        if metadata[key_of]
    ]


def _objects(value: JsonValue) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", value)
