import csv
import json
from pathlib import Path

import pytest

from imforensics.config import EvaluateConfig
from imforensics.errors import ConfigError, InterruptedRunError, OutputExistsError
from imforensics.outputs import MARKER
from imforensics.pipeline.evaluate.plan import Request, make_entries, plan_evaluation
from imforensics.pipeline.evaluate.results import summarize, write_results

CONFIG = EvaluateConfig(resamples=100, cases=2)


def request(root: Path, **changes: object) -> Request:
    options = {"split": "all", "protocol": "raw", "methods": ("ela",), "root": root, **changes}
    return Request("folder", **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def finished(labelled_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results") / "out"
    asked = request(labelled_set, protocol="twin", methods=("ela", "wavelet_noise"))
    evaluation = plan_evaluation(asked, CONFIG, folder=folder)
    assert sum(1 for _ in evaluation.run(workers=1)) == 12
    document, columns = summarize(evaluation, command_line=("imforensics", "evaluate"))
    write_results(evaluation, document, columns, folder)
    return folder


def test_results_hold_figures_for_every_method_beside_the_baseline(finished: Path) -> None:
    document = json.loads((finished / "metrics.json").read_text())
    assert document["command"] == ["imforensics", "evaluate"]
    assert document["data"]["trials"] == 12
    assert document["shortcut"]["metrics"]["auc"] == 0.5
    for found in document["methods"].values():
        assert found["counts"]["scored"] == 12
        assert found["pairs"]["n"] == 6
        low, high = found["detection"]["intervals"]["auc"]
        assert 0 <= low <= found["detection"]["metrics"]["auc"] <= high <= 1
        assert found["breakdowns"]["manipulation"]["splicing"]["tampered"] == 6
    noise = document["methods"]["wavelet_noise"]
    assert noise["localization"]["metrics"]["auc_mean"] > 0.9
    assert noise["localization"]["metrics"]["auc_pooled"] > 0.9
    assert noise["localization"]["n_tampered"] == 6
    assert noise["localization"]["n_authentic"] == 6


def test_files_are_whole_and_nothing_else_is_left(finished: Path) -> None:
    assert sorted(p.name for p in finished.iterdir()) == sorted(
        [
            MARKER,
            "config.yaml",
            "evaluation.html",
            "metrics.json",
            "per_image.csv",
            "pictures",
            "plan.json",
            "records.jsonl",
            "results.md",
        ]
    )
    assert {p.name for p in (finished / "pictures").iterdir()} == {
        "roc_pr.png", "thresholds.png", "cases_1.png", "cases_2.png"
    }  # fmt: skip
    with (finished / "per_image.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24
    hosts = [row for row in rows if row["trial"].startswith("host")]
    assert {row["treatment"] for row in hosts} == {
        "saved with the tables and subsampling of its tampered twin"
    }


def test_the_results_are_written_as_markdown_too(finished: Path) -> None:
    text = (finished / "results.md").read_text()
    found = json.loads((finished / "metrics.json").read_text())
    auc = found["methods"]["ela"]["detection"]["metrics"]["auc"]
    assert "## twin\n" in text
    assert "| header baseline | 12 | 0.500" in text
    assert f"| ela | 12 of 12 | {auc:.3f} [" in text
    assert "    imforensics evaluate\n" in text
    assert "| ela | 6 |" in text
    assert found["centre_prior"]["n"] == 6
    assert "| centre-prior baseline | 6 |" in text


def test_going_on_runs_what_is_missing_and_nothing_else(finished: Path, labelled_set: Path) -> None:
    methods = ("ela", "wavelet_noise")
    again = plan_evaluation(request(labelled_set, protocol="twin", methods=methods), CONFIG, folder=finished)
    assert again.todo == ()
    assert again.done == 24
    more = plan_evaluation(
        request(labelled_set, protocol="twin", methods=(*methods, "jpeg_structure")), CONFIG, folder=finished
    )
    assert {tuple(task.digests) for task in more.todo} == {("jpeg_structure",)}
    changed = CONFIG.model_copy(update={"methods": {"ela": {"quality": 75}}})
    other = plan_evaluation(request(labelled_set, protocol="twin", methods=methods), changed, folder=finished)
    assert {tuple(task.digests) for task in other.todo} == {("ela",)}
    lines = (finished / "records.jsonl").read_bytes().splitlines(keepends=True)
    (finished / "records.jsonl").write_bytes(b"".join(lines[:20]) + lines[20][:50])
    cut = plan_evaluation(request(labelled_set, protocol="twin", methods=methods), CONFIG, folder=finished)
    assert sum(len(task.digests) for task in cut.todo) == 4
    (finished / "records.jsonl").write_bytes(b"".join(lines))


def test_a_changed_image_is_run_again(labelled_set: Path, tmp_path: Path) -> None:
    import os
    import shutil

    root = tmp_path / "copy"
    shutil.copytree(labelled_set, root)
    folder = tmp_path / "out"
    evaluation = plan_evaluation(request(root, split="train"), CONFIG, folder=folder)
    for _ in evaluation.run(workers=1):
        pass
    assert plan_evaluation(request(root, split="train"), CONFIG, folder=folder).todo == ()
    os.utime(root / "splice0.jpg", ns=(1, 1))
    (task,) = plan_evaluation(request(root, split="train"), CONFIG, folder=folder).todo
    assert task.trial.id == "splice0.jpg"


def test_another_evaluation_or_foreign_files_are_never_overwritten(
    finished: Path, labelled_set: Path, tmp_path: Path
) -> None:
    with pytest.raises(InterruptedRunError, match="another evaluation"):
        plan_evaluation(request(labelled_set, protocol="resaved"), CONFIG, folder=finished)
    (tmp_path / "letter.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(OutputExistsError, match=r"letter\.txt"):
            plan_evaluation(request(labelled_set), CONFIG, folder=tmp_path, overwrite=overwrite)
    with pytest.raises(OutputExistsError, match="is a file"):
        plan_evaluation(request(labelled_set), CONFIG, folder=tmp_path / "letter.txt")


def test_twins_through_kinds_of_processing_have_curves(labelled_set: Path, tmp_path: Path) -> None:
    asked = request(labelled_set, protocol="twin", kinds=("crop",), limit=4)
    evaluation = plan_evaluation(asked, CONFIG, folder=tmp_path / "out")
    assert sum(1 for _ in evaluation.run(workers=1)) == 4 * 5
    document, _ = summarize(evaluation)
    assert document["protocol"]["kinds"] == ["crop"]
    points = {(point["condition"], point["strength"]): point for point in document["robustness"]["ela"]}
    assert list(points) == [("raw", 0), ("reference", 0), ("crop", 1), ("crop", 3), ("crop", 4)]
    for point in points.values():
        assert point["counts"]["scored"] == 4
        assert point["localization"]["metrics"]["auc_mean"] > 0.5
    assert document["methods"]["ela"]["pairs"]["n"] == 2, "the figures proper are of the twins as they are"
    with pytest.raises(InterruptedRunError, match="kinds"):
        plan_evaluation(request(labelled_set, protocol="twin", limit=4), CONFIG, folder=tmp_path / "out")


def test_order_and_repetition_of_kinds_do_not_matter(labelled_set: Path, tmp_path: Path) -> None:
    folders = {"crop": ("crop", "blur", "crop"), "blur": ("blur", "crop")}
    plans = [
        plan_evaluation(
            request(labelled_set, protocol="twin", kinds=kinds, limit=4), CONFIG, folder=tmp_path / "out"
        ).plan
        for kinds in folders.values()
    ]
    assert plans[0] == plans[1]
    assert request(labelled_set, kinds=("crop", "blur", "crop")).kinds == ("blur", "crop")


def test_overwrite_drops_the_records_of_another_evaluation(labelled_set: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    earlier = plan_evaluation(request(labelled_set), CONFIG, folder=folder)
    earlier.store.append({"trial": "x", "entry": "ela", "digest": "d"})
    earlier.close()
    fresh = plan_evaluation(request(labelled_set, protocol="resaved"), CONFIG, folder=folder, overwrite=True)
    assert len(fresh.store) == 0


def test_without_a_folder_nothing_is_left_behind(labelled_set: Path) -> None:
    evaluation = plan_evaluation(request(labelled_set), CONFIG)
    place = evaluation.store.path.parent
    assert place.is_dir()
    evaluation.close()
    assert not place.exists()


def test_limit_takes_whole_groups_by_the_seed(labelled_set: Path) -> None:
    chosen = {
        seed: {
            t.sample.group
            for t in plan_evaluation(request(labelled_set, limit=5, seed=seed), CONFIG).plan.trials
        }
        for seed in range(6)
    }
    assert all(len(groups) == 2 for groups in chosen.values())
    assert len({frozenset(groups) for groups in chosen.values()}) > 1


def test_entries_need_distinct_names_and_at_least_one() -> None:
    with pytest.raises(ConfigError, match="ela is named twice"):
        make_entries(CONFIG, ["ela", "ela"])
    with pytest.raises(ConfigError, match="no method"):
        make_entries(CONFIG, [])
    options = EvaluateConfig(methods={"ela": {"quality": 75}})
    assert make_entries(options, ["ela"])[0].options == {"quality": 75}


def test_unknown_methods_are_refused_before_anything_runs(labelled_set: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean ela"):
        plan_evaluation(request(labelled_set, methods=("elaa",)), CONFIG, folder=tmp_path / "out")
    assert not (tmp_path / "out").exists()
