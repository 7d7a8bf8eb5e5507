"""The page and the curves of measure_localizer.py: figures in, Markdown and PNG out."""

from __future__ import annotations

from collections.abc import Iterator

from imforensics.metrics.label_thresholds import clopper_pearson_upper
from imforensics.report.encoding import encode_png
from imforensics.report.line_plots import Line, Panel, draw_panels
from localizer_runs import Facts, plain, show, table

MODELS = {"zero_shot": "zero-shot", "fine_tuned": "fine-tuned"}
COLOURS = {"zero_shot": "#0072b2", "fine_tuned": "#d55e00"}
CAMERA_SETS = ("photos", "photos_packages")
BESIDE = ("double_quantization", "dct_histograms")
COLUMNS = {
    "pixel_auc": "pixel AUC",
    "f1_fixed": "F1, stored threshold",
    "f1_half": "F1 at 0.5",
    "f1_best": "F1 best",
    "image_auc": "image AUC",
}
REFERENCE = {"jpeg": 95.0, "resize": 1.0}  # where the save at quality 95 alone stands on each axis
AXES = {"jpeg": "JPEG quality of the last save", "resize": "scale, then saved at quality 95"}
WORDS = {
    "raw": "Files as published. The two classes were saved by different programs: compare image AUC with the "
    "header baseline, which uses no pixels.",
    "resaved_q90": "Both classes recompressed at quality 90, 4:2:0. The earlier history of the whole file is "
    "still in the coefficients, so image AUC does not prove that an alteration was detected.",
    "twin": "Each tampered file against its own host, saved with its tables and subsampling; the header "
    "baseline is at chance by construction. Another encoder's rounding still affects some tampered files as "
    "a whole.",
    "exact_twin": "The twins that one encoder wrote: outside the alteration both images agree, and image AUC "
    "is of the alteration alone.",
}


def format_page(facts: Facts, methods: Facts, speed: Facts | None, picture: str) -> Iterator[str]:
    """The lines of the page.

    Args:
        facts: of measure_localizer.py.
        methods: docs/experiments/methods.json.
        speed: docs/experiments/localizer_speed.json; None leaves the section out.
        picture: of the curves, as a link from the page.
    """
    yield "# The localizer\n"
    yield "Made by `scripts/measure_localizer.py`; do not edit. What the parts mean is in"
    yield "[evaluation](../evaluation.md) and [metrics](../metrics.md), how it was made in"
    yield "[training](../training.md).\n"
    yield from _preface(facts)
    yield from _worth(facts, methods)
    yield from _photographs(facts)
    yield from _robustness(facts, picture)
    if speed is not None:
        yield from _cost(speed)


def _preface(facts: Facts) -> Iterator[str]:
    tool, intervals = facts["tool"], facts["intervals"]
    limit = f", at most {facts['limit']} images a run: a look, not a measurement" if facts["limit"] else ""
    yield f"- Command: `{facts['command']}`;"
    yield f"  imforensics {tool['version']}, commit {tool['commit'] or 'unknown'}."
    yield f"- Data: {facts['data']}, split `{facts['split']}` by source group{limit}; seed {facts['seed']}."
    yield f"- Intervals: {100 * intervals['confidence']:.0f} %, bootstrap over source groups,"
    yield f"  {intervals['resamples']} resamples."
    for name, bundle in facts["bundles"].items():
        threshold = bundle["map_threshold"]
        yield f"- {MODELS[name]}: `{bundle['name']}`, configuration {bundle['config_digest'][:16]}…, seed"
        yield f"  {bundle['seed']}, {bundle['steps']} steps, {bundle['parameters']} weights. Stored threshold"
        yield f"  {threshold['value']:.2f} ({threshold['policy']}: {threshold['population']})."
    yield "- Zero-shot was not trained on CASIA. Fine-tuned was trained on its training split, and its"
    yield "  threshold and calibration come from its validation split; no source is in more than one split.\n"


def _worth(facts: Facts, methods: Facts) -> Iterator[str]:
    yield "## CASIA v1\n"
    yield "Means over tampered images; *best* uses the best threshold of each image, an oracle. Chance is"
    yield "0.5 for an AUC; flagging every pixel has the F1 given in the table."
    is_comparable = facts["split"] == "test" and not facts["limit"]
    for protocol, found in facts["casia1"].items():
        yield f"\n### {protocol}\n"
        yield f"{WORDS[protocol]}\n"
        rows = [
            [title, *(show(found[name].get(column)) for column in COLUMNS), _counts(found[name])]
            for name, title in MODELS.items()
        ]
        if is_comparable:
            beside = [name for name in BESIDE if protocol in methods["methods"][name]]
            rows += [_classical(name, methods, protocol) for name in beside]
        rows.append(["flagging every pixel", "", *[show(found["zero_shot"].get("f1_all"))] * 3, "", ""])
        if found["shortcut"] is not None:
            auc = {
                "value": found["shortcut"]["metrics"]["auc"],
                "interval": found["shortcut"]["intervals"]["auc"],
            }
            rows.append(["header baseline", "", "", "", "", show(auc), ""])
        yield from table(["", *COLUMNS.values(), "tampered / authentic / sources"], rows)
    if is_comparable:
        yield ""
        yield f"The centre-prior baseline, which ignores the picture, has pixel AUC {methods['middle']}. The"
        yield "other methods, measured on the same images, are in [methods](methods.md)."
    yield ""


def _classical(name: str, methods: Facts, protocol: str) -> list[str]:
    found = methods["methods"][name][protocol]
    auc = show({"value": found["auc_mean"], "interval": found["auc_interval"]})
    cells = [plain(found["f1_fixed_mean"]), "", plain(found["f1_best_mean"]), plain(found["image_auc"])]
    return [f"[`{name}`](../methods/{name}.md)", auc, *cells, f"{found['images']}"]


def _counts(found: Facts) -> str:
    return f"{found['n_tampered']} / {found['n_authentic']} / {found['groups']}"


def _photographs(facts: Facts) -> Iterator[str]:
    yield "## Photographs\n"
    yield "Authentic files as published. *Labelled* is the label given by the method; it gives none for a"
    yield "picture outside the conditions that its bundle was calibrated on, so the next column gives the"
    yield "label by the score alone. *Flagged*: with any pixel at or above the stored threshold. In brackets"
    yield "after a share: the one-sided 95 % upper bound (Clopper and Pearson), treating photographs as"
    yield "independent.\n"
    headings = ["photographs", "network", "n", "outside", "labelled tampered", "tampered by score alone"]
    headings += ["flagged", "flagged over 1 %", "mean area flagged", "largest"]
    rows = []
    for dataset, by_model in facts["photographs"].items():
        for name, found in by_model.items():
            shares = ("stated_tampered", "tampered_by_score_alone", "marked", "marked_over_1_percent")
            cells = [_share(found[key], found["images"]) for key in shares]
            first = [f"`{dataset}`", MODELS[name], str(found["images"]), str(found["outside_conditions"])]
            rows.append([*first, *cells, show(found["area"]), plain(found["area_largest"])])
    yield from table(headings, rows, left=2)
    yield ""
    yield "Camera photographs of both sets together. The fine-tuned network's label was set by the validation"
    yield "splits of both, the zero-shot one's by `photos` alone.\n"
    for name, title in MODELS.items():
        found = [facts["photographs"][dataset][name] for dataset in CAMERA_SETS]
        total = sum(each["images"] for each in found)
        alarms = sum(each["stated_tampered"]["n"] for each in found)
        pooled = {"n": alarms, "upper": clopper_pearson_upper(alarms, total)}
        yield f"- {title}: {_share(pooled, total)} of {total} labelled tampered."
    yield ""


def _share(found: Facts, total: int) -> str:
    return f"{found['n']} = {100 * found['n'] / total:.1f} % [{100 * found['upper']:.1f}]"


def _robustness(facts: Facts, picture: str) -> Iterator[str]:
    yield "## After recompression and resizing\n"
    yield "The twins after one more chain, the same for both images: pixel metrics are of the tampered one,"
    yield "image AUC for tampered against host. A resize is followed by a save at quality 95; that save alone"
    yield "is quality 95 in the left panels and scale 1 in the right ones.\n"
    yield f"![pixel AUC, F1 and image AUC over strength]({picture})\n"
    columns = ("pixel_auc", "f1_fixed", "image_auc")
    headings = ["", "", *(f"{COLUMNS[column]}, {title}" for title in MODELS.values() for column in columns)]
    first, second = (facts["robustness"][name] for name in MODELS)
    rows = []
    for one, other in zip(first, second, strict=True):
        figures = [show(point.get(column)) for point in (one, other) for column in columns]
        strength = "" if one["kind"] == "raw" else f"{one['strength']:g}"
        kind = {"raw": "as they are", "reference": "saved at quality 95"}.get(one["kind"], one["kind"])
        rows.append([kind, "" if one["kind"] == "reference" else strength, *figures])
    yield from table(headings, rows, left=2)
    yield f"\nTampered, authentic and sources at each point: {_counts(first[0])}.\n"


def _cost(speed: Facts) -> Iterator[str]:
    yield "## Seconds and memory\n"
    yield "`python benchmarks/bench_localizer.py`: least seconds and highest peak of several new processes,"
    yield "two threads. *reading* is a process that reads the file only, *network* the network alone,"
    yield "*keras* the same network in one pass by Keras.\n"
    rows = [
        [*key.split(" ", 1), f"{found['seconds']:.3f}", f"{found['megabytes']:.0f}"]
        for key, found in speed.items()
    ]
    yield from table(["pixels", "", "seconds", "peak MB"], rows, left=2)


def draw_robustness(curves: dict[str, list[Facts]]) -> bytes:
    """PNG: pixel AUC, F1 and image AUC of both networks over each kind's strength."""
    rows = [
        [_panel(curves, kind, metric, title) for kind in AXES]
        for metric, title in (
            ("pixel_auc", "pixel AUC"),
            ("f1_fixed", COLUMNS["f1_fixed"]),
            ("image_auc", "image AUC"),
        )
    ]
    for panel in rows[-1]:
        panel.has_legend = True
    return encode_png(draw_panels(rows, width=400, height=230))


def _panel(curves: dict[str, list[Facts]], kind: str, metric: str, title: str) -> Panel:
    panel = Panel(title=title, x_label=AXES[kind], y_limits=(0.0, 1.02), has_legend=False)
    for name, points in curves.items():
        own = sorted(_along(points, kind, metric))
        x, y = [place for place, _ in own], [value for _, value in own]
        if metric != "f1_fixed":
            panel.lines.append(Line((x[0], x[-1]), (0.5, 0.5)))
        panel.lines.append(Line(x, y, MODELS[name], COLOURS[name], "-", has_markers=True))
    return panel


def _along(points: list[Facts], kind: str, metric: str) -> Iterator[tuple[float, float]]:
    for point in points:
        if point["kind"] in (kind, "reference"):
            strength = REFERENCE[kind] if point["kind"] == "reference" else point["strength"]
            value = point.get(metric)
            yield strength, float("nan") if value is None else value["value"]
