"""Programs and makers by name: what kind of program, one name a maker."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from importlib.resources import files

import pytest

from fixtures import synthetic as make
from imforensics.evidence import read_evidence
from imforensics.methods.jpeg.jpeg_mismatches import claims_camera_original
from imforensics.methods.metadata.metadata_software import find_software_traces, list_editors
from imforensics.methods.metadata.metadata_structure import find_camera_traces
from imforensics.methods.metadata.programs import KINDS, identify_program, list_programs, name_maker
from imforensics.types import Metadata


def rows(name: str) -> list[dict[str, str]]:
    text = files("imforensics.methods.metadata").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@pytest.mark.parametrize("name", ["programs.csv", "makers.csv"])
def test_every_row_has_a_pattern_a_name_and_a_source(name: str) -> None:
    listed = rows(name)
    patterns = [row["pattern"] for row in listed]
    assert len(set(patterns)) == len(patterns)
    for row in listed:
        assert all(row.values()), row
        assert row["pattern"] == row["pattern"].lower() or "\\" in row["pattern"]
        assert not re.compile(row["pattern"]).search(""), row
    assert {row["kind"] for row in rows("programs.csv")} == set(KINDS) - {"unknown"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Adobe Fireworks CS5 11.0.0.484 Windows", "editor"),
        ("Adobe ImageReady", "editor"),
        ("Adobe Illustrator CS5", "editor"),
        ("Adobe Pho\x7fos\ufffdop 7.0", "editor"),
        ("GIMP 2.10.32", "editor"),
        ("Noise Ninja 2", "editor"),
        ("GraphicConverter (PowerPC)", "editor"),
        ("Created by Panotools version 2.9.20", "editor"),
        ("paint.net 5.0.11", "editor"),
        ("Windows Photo Editor 10.0.10011.16384", "editor"),
        ("LightZone", "raw_developer"),
        ("Digital Photo Professional", "raw_developer"),
        ("Adobe Photoshop Lightroom 6.2.1 (Macintosh)", "raw_developer"),
        ("darktable 0.9.3", "raw_developer"),
        ("digiKam-0.9.4-beta4", "viewer"),
        ("Microsoft Windows Photo Viewer 10.0.10240.16384", "viewer"),
        ("Picasa", "viewer"),
        ("PIL", "converter"),
        ("Mac OS X 10.4.11 (8S165)", "converter"),
        ("ImageMagick 6.2.8 01/18/07 Q16", "converter"),
        ("Snapseed 2.0", "phone_app"),
        ("Flux.2", "generator"),
        ("Midjourney", "generator"),
        ("Greenshot", "screenshot"),
        ("VueScan 9 x64 (9.6.01)", "scanner"),
        ("Ver.1.02", "firmware"),
        ("11.4.1", "firmware"),
        ("v552p-A80", "firmware"),
        ("G950U1UES5CRF5", "firmware"),
        ("HDR+ 1.0.621982163zd", "firmware"),
        ("an unheard-of program", "unknown"),
        ("", "unknown"),
    ],
)
def test_kinds_of_programs(name: str, kind: str) -> None:
    assert identify_program(name).kind == kind


def test_a_program_named_like_the_model_is_firmware() -> None:
    assert identify_program("CY-9 build 7", camera="Acme CY-9").kind == "firmware"
    assert identify_program("CY-9 build 7", camera="Acme Other").kind == "unknown"


def test_the_words_say_what_kind_of_program_it_is() -> None:
    metadata = Metadata(software=("IrfanView", "Adobe Photoshop 25.0", "Ver.1.02", "Midjourney"))
    traces = {trace.name: trace for trace in find_software_traces(metadata)}
    assert set(traces) == {"editing_software", "viewing_software", "generating_software"}
    assert traces["editing_software"].words == "An image editor is named: Adobe Photoshop 25.0."
    assert "view or organise" in traces["viewing_software"].words
    assert traces["generating_software"].weight == "moderate"
    assert list_editors(metadata) == ["IrfanView", "Adobe Photoshop 25.0", "Midjourney"]
    assert [program.kind for program in list_programs(metadata)][2] == "firmware"


@pytest.mark.parametrize("software", ["LightZone", "digiKam-0.9.0", "PIL", "Noise Ninja 2"])
def test_no_original_is_claimed_beside_a_program_that_saves(software: str) -> None:
    assert not claims_camera_original(Metadata(camera="Acme C1", software=(software,)))
    assert claims_camera_original(Metadata(camera="Acme C1", software=("Ver.1.02",)))


@pytest.mark.parametrize("key", ["EXIF UserComment", "Image ImageDescription"])
def test_settings_of_a_generator_in_a_comment(key: str) -> None:
    settings = "a cat\nNegative prompt: blur\nSteps: 28, Sampler: Euler a, CFG scale: 7"
    traces = [trace.name for trace in find_software_traces(Metadata(exif={key: settings}))]
    assert traces == ["generator_text"]
    plain = Metadata(exif={key: "Steps: two, on the left of the stairs"})
    assert list(find_software_traces(plain)) == []


@pytest.mark.parametrize(
    ("names", "maker"),
    [
        (("NIKON CORPORATION NIKON D70", "Nikon D3", "NIKON"), "Nikon"),
        (("EASTMAN KODAK COMPANY KODAK DC280", "Kodak"), "Kodak"),
        (("OLYMPUS IMAGING CORP.", "OLYMPUS OPTICAL CO.,LTD", "Olympus E-P3"), "Olympus"),
        (("Hewlett-Packard HP PhotoSmart C850", "HP", "hp PhotoSmart 43x series"), "HP"),
        (("Samsung Techwin", "SAMSUNG TECHWIN CO., LTD.", "samsung SM-G930F"), "Samsung"),
        (("FUJI PHOTO FILM CO., LTD.", "FUJIFILM FinePix"), "Fujifilm"),
        (("KONICA MINOLTA DiMAGE", "Minolta Co., Ltd."), "Minolta"),
        (("Sony Ericsson C905",), "Sony Ericsson"),
        (("Acme Imaging Co., Ltd.", "ACME Corporation"), "acme"),
        (("", "  "), ""),
    ],
)
def test_one_name_a_maker(names: tuple[str, ...], maker: str) -> None:
    assert {name_maker(name) for name in names} == {maker}


@pytest.mark.parametrize(
    ("exif", "xmp", "differ"),
    [
        (("NIKON CORPORATION", "NIKON D70"), ("Nikon", "D70"), False),
        (("EASTMAN KODAK COMPANY", "KODAK DX4900"), ("Kodak", "KODAK  DX4900"), False),
        (("OLYMPUS OPTICAL CO.,LTD", "C3000Z"), ("OLYMPUS IMAGING CORP.", "C3000Z"), False),
        (("Canon", "Canon EOS 5D"), ("NIKON CORPORATION", "NIKON D70"), True),
        (("Canon", "Canon EOS 5D"), ("Canon", "Canon EOS 6D"), True),
        (("", "Canon EOS 5D"), ("Canon", "Canon EOS 5D"), False),
    ],
)
def test_cameras_of_exif_and_xmp(exif: tuple[str, str], xmp: tuple[str, str], differ: bool) -> None:
    metadata = Metadata(
        exif={
            "Image Make": exif[0],
            "Image Model": exif[1],
            "EXIF MakerNote": "present",
            "EXIF FNumber": "2",
        },
        xmp={"tiff:Make": xmp[0], "tiff:Model": xmp[1]},
        camera=" ".join(exif),
    )
    evidence = replace(read_evidence(make.make_jpeg(16, 16)), metadata=metadata)
    assert ("camera_names_differ" in {trace.name for trace in find_camera_traces(evidence)}) is differ
