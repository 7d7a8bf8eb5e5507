import os
from pathlib import Path

import pytest

from imforensics.datasets.base import list_adapters, list_cards, load_adapter, load_dataset, load_split
from imforensics.datasets.lists import SPLITS, file_key, plain_key, read_list, read_split_list
from imforensics.errors import DatasetError


def test_every_name_has_an_adapter_with_its_card():
    cards = list_cards()
    assert [card.name for card in cards] == list(list_adapters())
    for card in cards:
        assert card.title
        assert card.licence
        assert card.citation
        assert card.layout


def test_unknown_name_gives_the_nearest():
    with pytest.raises(DatasetError, match="Did you mean casia1"):
        load_adapter("casia_1")
    with pytest.raises(DatasetError, match="Known: casia1, casia2"):
        load_adapter("qqqqq")


def test_without_root_and_variable_the_error_names_both_ways(monkeypatch):
    monkeypatch.delenv("IMFORENSICS_DATA", raising=False)
    with pytest.raises(DatasetError, match="Pass root, or set IMFORENSICS_DATA") as caught:
        load_dataset("casia1")
    assert "docs/datasets.md" in str(caught.value)
    with pytest.raises(DatasetError, match="folder has no usual place"):
        load_dataset("folder")


def test_root_below_the_variable(monkeypatch, casia1_root):
    monkeypatch.setenv("IMFORENSICS_DATA", str(casia1_root.parent))
    assert load_dataset("casia1").root == casia1_root


@pytest.mark.parametrize("name", [name for name in list_adapters() if name != "folder"])
def test_missing_and_empty_roots_show_the_expected_tree(tmp_path, name):
    first_line = load_adapter(name).card.layout.splitlines()[0]
    for root in (tmp_path / "absent", tmp_path):
        with pytest.raises(DatasetError) as caught:
            load_dataset(name, root)
        assert first_line in str(caught.value)
        assert str(root) in str(caught.value)
        assert "docs/datasets.md" in str(caught.value)


def test_pseudo_masks_only_where_a_set_has_them(casia1_root):
    with pytest.raises(DatasetError, match="casia1 has no pseudo masks"):
        load_dataset("casia1", casia1_root, pseudo_masks=True)


def test_split_arguments_are_checked(casia1_root):
    dataset = load_dataset("casia1", casia1_root)
    with pytest.raises(DatasetError, match="train, val, test or all, received 'valid'"):
        load_split(dataset, "valid")
    with pytest.raises(DatasetError, match="version must be one of group"):
        load_split(dataset, "train", version="random")
    assert load_split(dataset, "all") == dataset.samples


def test_incomplete_set_is_refused(casia1_root):
    with pytest.raises(
        DatasetError, match=r"lacks \d+ files of the committed split of casia1, first au_ani_0002.jpg"
    ):
        load_split(load_dataset("casia1", casia1_root), "train")


def test_set_without_lists_says_what_to_do(tmp_path, write_image):
    write_image(tmp_path / "image" / "1.tif")
    with pytest.raises(DatasetError, match=r"coverage has no committed group split. Take split all"):
        load_split(load_dataset("coverage", tmp_path), "test")


def test_split_does_not_depend_on_folder_case_or_download_suffix(tmp_path, monkeypatch):
    listed = {"au_ani_00001.jpg": "train", "tp_x_11949__beafb7d5.jpg": "val", "au_ani_00002.jpg": "test"}
    monkeypatch.setattr("imforensics.datasets.base.read_split_list", lambda *_, **__: listed)
    dataset = _dataset_of(
        tmp_path, ["sub/Au_ani_00001.JPG", "Tp_x_11949.jpg", "Au_ani_00002.jpg", "Au_ani_00009.jpg"]
    )
    assert {s: [p.image_path.name for p in load_split(dataset, s)] for s in SPLITS} == {
        "train": ["Au_ani_00001.JPG"],
        "val": ["Tp_x_11949.jpg"],
        "test": ["Au_ani_00002.jpg"],
    }
    with pytest.raises(DatasetError, match=r"au_ani_00001.jpg more than once"):
        load_split(_dataset_of(tmp_path, ["a/Au_ani_00001.jpg", "b/Au_ani_00001.jpg"]), "train")


def test_empty_split_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("imforensics.datasets.base.read_split_list", lambda *_, **__: {"a.jpg": "train"})
    with pytest.raises(DatasetError, match=r"split 'val' of casia1 .* is empty"):
        load_split(_dataset_of(tmp_path, ["a.jpg"]), "val")


@pytest.mark.parametrize(
    ("names", "counts"),
    [
        (("casia1", "casia2"), [1721, 481]),
        (("originals",), [172]),
        (("photos",), [214]),
        (("photos_packages", "photos_edited"), [113, 67]),
        (("photos_web",), [470]),
    ],
    ids=str,
)
def test_committed_lists_keep_groups_whole(names, counts):
    rows = [(name, row) for name in names for row in read_list(f"{name}.csv") or []]
    assert [sum(name == wanted for name, _ in rows) for wanted in names] == counts
    splits_of_group: dict[str, set[str]] = {}
    for _, row in rows:
        splits_of_group.setdefault(row["group"], set()).add(row["split"])
    assert all(len(splits) == 1 for splits in splits_of_group.values())


@pytest.mark.parametrize(
    "name", ["casia1", "casia2", "originals", "photos", "photos_edited", "photos_packages", "photos_web"]
)
def test_committed_lists_fill_every_split(name):
    listed = read_split_list(name)
    assert set(listed.values()) == set(SPLITS)
    assert read_list(f"{name}.csv")[0].keys() == {"file", "split", "group"}


def test_keys():
    assert file_key("Tp/CM/Sp_S_X.JPG") == "sp_s_x.jpg"
    assert plain_key("a__1e77da28.jpg") == "a.jpg"
    assert plain_key("a__1e77da28") == "a"
    assert plain_key("a__notahash.jpg") == "a__notahash.jpg"
    assert read_list("absent.csv") is None


@pytest.mark.data
@pytest.mark.parametrize(("name", "counts"), [("casia1", (1209, 256, 256)), ("casia2", (337, 72, 72))])
def test_real_splits(name, counts):
    dataset = _load_real(name)
    splits = [load_split(dataset, split) for split in SPLITS]
    assert tuple(map(len, splits)) == counts
    groups = [{s.group for s in split} for split in splits]
    assert not groups[0] & groups[1]
    assert not groups[0] & groups[2]
    assert not groups[1] & groups[2]


def _load_real(name):
    base = os.environ.get("IMFORENSICS_DATA")
    if not base or not (Path(base) / load_adapter(name).card.folder).is_dir():
        pytest.skip(f"{name} not below IMFORENSICS_DATA")
    return load_dataset(name)


def _dataset_of(root, names):
    from imforensics.datasets.base import Dataset
    from imforensics.types import Sample

    card = load_adapter("casia1").card
    return Dataset("casia1", root, card, tuple(Sample(root / name, 0, name) for name in names))
