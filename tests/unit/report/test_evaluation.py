import base64
import csv
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imforensics.report.evaluation import render_evaluation, write_evaluation
from imforensics.report.evaluation_figures import (
    CaseView,
    Series,
    draw_contact_sheet,
    draw_curves,
    draw_robustness,
)
from imforensics.report.evaluation_words import comparison, format_table, judge
from imforensics.types import LocalizationMap

HOSTILE = "<script>alert(1)</script>\x1b[31m"
COUNTS = dict.fromkeys(
    ("authentic", "tampered", "ok", "not_applicable", "failed", "unreadable", "crashed", "scored"), 0
)


def block(auc: float, low: float, high: float) -> dict[str, Any]:
    metrics = {"auc": auc, "average_precision": 0.5, "tpr_at_fpr_5pct": 0.1, "accuracy": 0.9}
    return {"metrics": metrics, "intervals": {"auc": [low, high], "average_precision": None}}


def document(
    protocol: str = "raw", *, auc: tuple[float, float, float] = (0.6, 0.5, 0.7), **changes: Any
) -> Any:
    method = {
        "settings": {"method": "ela", "options": {"quality": 90}, "bundles": {"b": "0123"}},
        "counts": COUNTS | {"authentic": 3, "tampered": 4, "scored": 6, "failed": 1},
        "seconds_per_image": 0.01,
        "detection": block(*auc),
        "decisions": {
            "label": {
                "metrics": {"f1": 0.5},
                "intervals": {"f1": [0.4, 0.6]},
                "threshold": None,
                "stated": {"tampered": {"tampered": 2}},
            }
        },
        "pairs": {"n": 4, "tampered_higher": 0.75, "interval": [0.5, 1.0]},
        "calibration": {"n": 6, "cllr": 0.9, "cllr_min": 0.8, "ece": 0.1, "ece_floor": 0.05},
        "localization": {
            "metrics": {"auc_mean": 0.52, "f1_best_mean": 0.2},
            "intervals": {"auc_mean": [0.45, 0.6]},
        },
        "breakdowns": {
            "format": {
                HOSTILE: dict.fromkeys(
                    (
                        "authentic",
                        "tampered",
                        "auc",
                        "pixel_auc_mean",
                        "pixel_f1_fixed_mean",
                        "pixel_f1_half_mean",
                        "pixel_f1_best_mean",
                    )
                )
            }
        },
    }
    policy = {"threshold": 0.3, "stated": None, "metrics": {"f1": 0.5}, "intervals": {"f1": None}}
    method["decisions"]["f1_best"] = policy  # type: ignore[index]
    method |= changes
    return {
        "schema_version": "1.0",
        "tool": {"version": "0.1.0", "commit": "abc"},
        "command": ["imforensics", "evaluate", HOSTILE],
        "created_at": "2026-01-01T00:00:00+00:00",
        "data": {
            "dataset": "casia1",
            "title": HOSTILE,
            "split": "test",
            "limit": None,
            "images": 7,
            "authentic": 3,
            "tampered": 4,
            "groups": 5,
            "trials": 7,
            "mask_defects": 0,
            "known_defects": [HOSTILE],
        },
        "protocol": {
            "name": protocol,
            "description": "What it does.",
            "seed": 0,
            "left_out": [{"image": "x", "reason": "y"}],
        },
        "intervals": {"confidence": 0.95, "resamples": 100, "unit": "source group"},
        "shortcut": {
            "features": "tables",
            "method": "look-up",
            "n": 7,
            "distinct_settings": 2,
            "majority_accuracy": 0.57,
            **block(0.995, 0.99, 1.0),
        },
        "centre_prior": {
            "map": "one",
            "n": 4,
            "metrics": {"auc_mean": 0.67, "f1_best_mean": 0.3},
            "intervals": {"auc_mean": [0.6, 0.7], "f1_best_mean": None},
        },
        "methods": {"ela": method},
        "robustness": None,
    }


def a_case(kind: str = "best", *, shape: tuple[int, int] = (64, 96), has_map: bool = True) -> CaseView:
    map_ = LocalizationMap(np.full(shape, 0.5, np.float32)) if has_map else None
    mask = np.ones(shape, np.bool_) if has_map else None
    return CaseView(kind, HOSTILE, 1, 0.7, "pixel AUC 0.9", np.zeros((*shape, 3), np.uint8), mask, map_)


class Page(HTMLParser):
    """Collects elements and checks that they nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def render(**changes: Any) -> str:
    cases = {"ela": [a_case(), a_case("worst")]}
    pictures = draw_curves({"ela": Series((0, 1, 0, 1), (0.1, 0.4, 0.3, 0.9))})
    return render_evaluation(
        document(**changes), pictures=pictures, sheets={"ela": pictures["roc_pr"]}, cases=cases
    )


def test_the_page_is_well_formed_and_reaches_nothing_outside() -> None:
    page = Page(render())
    sources = [attrs["src"] for tag, attrs in page.elements if tag == "img"]
    assert len(sources) == 3
    assert all(source and source.startswith("data:image/png;base64,") for source in sources)
    assert all(attrs.get("alt") for tag, attrs in page.elements if tag == "img")
    tags = [tag for tag, _ in page.elements]
    assert tags.count("h1") == 1
    assert not {"link", "iframe", "object", "form", "a"} & set(tags)
    assert [attrs for tag, attrs in page.elements if tag == "script"] == [{}]
    assert not [attrs for _, attrs in page.elements if any(k.startswith("on") or k == "style" for k in attrs)]


def test_the_policy_comes_first_and_allows_this_style_and_script_alone() -> None:
    html = render()
    policy = re.search(r'<head>\s*<meta http-equiv="Content-Security-Policy" content="([^"]+)"', html)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    for tag in ("style", "script"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1]


def test_hostile_text_is_shown_and_never_run() -> None:
    html = render()
    assert "<script>alert" not in html
    assert "\x1b" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\x1b[31m" in html


def test_the_baseline_stands_in_the_same_table() -> None:
    headings, rows = comparison(document())
    assert [row[0] for row in rows] == ["header baseline", "centre-prior baseline", "ela"]
    assert "0.670 [0.600, 0.700]" in rows[1]
    assert rows[0][headings.index("image AUC")] == "0.995 [0.990, 1.000]"
    assert rows[2][:2] == ["ela", "6 of 7"]
    assert "F1 fixed" not in headings
    lines = format_table(headings, rows).splitlines()
    assert len(lines) == 4
    assert lines[1].index("7") == lines[0].index("scored")


@pytest.mark.parametrize(
    ("protocol", "auc", "expected"),
    [
        ("twin", (0.52, 0.46, 0.58), "is chance: not distinguishable from guessing"),
        ("exact_twin", (0.65, 0.6, 0.7), "above chance where only the alteration differs"),
        ("twin", (0.65, 0.6, 0.7), "exact_twin protocol shows which"),
        ("raw", (0.65, 0.6, 0.7), "not above the header baseline"),
        ("raw", (0.3, 0.2, 0.4), "ranks the classes in the wrong order"),
    ],
)
def test_what_is_said_of_a_detector(protocol: str, auc: tuple[float, float, float], expected: str) -> None:
    assert expected in " ".join(judge(document(protocol, auc=auc)))


def test_what_is_said_of_the_baseline_and_of_losses() -> None:
    twin = " ".join(judge(document("twin")))
    assert "chance by construction" in twin
    assert "ela: 1 failed; they are excluded from all metrics" in twin
    assert "Excluded: 1 tampered images (y)." in twin
    assert "does not prove that an alteration was detected" in " ".join(judge(document("resaved")))
    assert "without looking at a pixel" in " ".join(judge(document("raw")))
    assert "the map does not locate the altered region" in twin
    assert "header facts still separate the classes" in " ".join(judge(document("resaved")))
    above = document(localization=block(0.6, 0.55, 0.65) | {"metrics": {"auc_mean": 0.6}})
    above["methods"]["ela"]["localization"]["intervals"] = {"auc_mean": [0.55, 0.65]}
    assert "not above the centre-prior baseline" in " ".join(judge(above))
    blind = document("resaved") | {"shortcut": block(0.45, 0.4, 0.5)}
    assert "header facts are uninformative here" in " ".join(judge(blind))
    assert "Only 5 source groups" in twin
    missing = document() | {"shortcut": None}
    assert "There is no header baseline" in " ".join(judge(missing))
    assert "without scores of both classes" in " ".join(judge(document(detection=None)))


def test_csv_cells_cannot_become_formulas_and_pictures_are_written(tmp_path: Path) -> None:
    fields = dict.fromkeys(
        (
            "trial",
            "entry",
            "label",
            "group",
            "pair",
            "manipulation",
            "treatment",
            "condition",
            "strength",
            "status",
            "note",
            "mask_note",
            "score",
            "probability",
            "log10_lr",
            "stated",
            "format",
            "height",
            "width",
            "mask_area",
            "threshold",
            "threshold_policy",
            "seconds",
        )
    )
    row = fields | {"trial": "=cmd()", "note": HOSTILE, "score": 0.25, "label": 1, "pixel": {"auc": 0.75}}
    files = write_evaluation(
        document(),
        tmp_path,
        rows=[row],
        series={"ela": Series((0, 1), (0.1, 0.4))},
        cases={"ela": [a_case()]},
    )
    with files.per_image.open(newline="") as file:
        (read,) = csv.DictReader(file)
    assert read["trial"] == "'=cmd()"
    assert "\x1b" not in read["note"]
    assert (read["score"], read["auc"], read["pair"]) == ("0.25", "0.75", "")
    names = sorted(p.name for p in (tmp_path / "pictures").iterdir())
    assert names == ["cases_1.png", "roc_pr.png", "thresholds.png"]


def test_curves_are_drawn_for_what_is_defined() -> None:
    both = Series((0, 1, 0, 1), (0.1, 0.4, 0.3, 0.9), (0, 1, 0, 1), (-0.5, 0.2, 0.1, 0.6))
    assert set(draw_curves({"a": both})) == {"roc_pr", "thresholds", "calibration"}
    assert draw_curves({"a": Series((1, 1), (0.1, 0.2))}) == {}
    assert all(png.startswith(b"\x89PNG") for png in draw_curves({HOSTILE: both}).values())


def test_robustness_is_drawn_with_gaps_where_nothing_was_scored() -> None:
    point = {
        "condition": "jpeg",
        "strength": 90.0,
        "unit": "quality",
        "detection": block(0.6, 0.5, 0.7),
        "localization": None,
    }
    gap = point | {"strength": 80.0, "detection": None}
    raw = point | {"condition": "raw", "unit": None}
    assert draw_robustness({"ela": [raw, point, gap]}).startswith(b"\x89PNG")


def test_contact_sheet_places_cases_side_by_side() -> None:
    best, worst = a_case(), a_case("worst", shape=(120, 60), has_map=False)
    alone = draw_contact_sheet([best])
    sheet = draw_contact_sheet([best, worst])
    assert alone.shape[1] == sheet.shape[1]
    assert sheet.shape[0] > alone.shape[0]
    gray = [(picture == 200).all(axis=2).sum() for picture in (alone, sheet)]
    assert gray[0] < 100  # of the letters' edges
    assert gray[1] >= 2 * 120 * 60  # the map and the ground truth that are missing
