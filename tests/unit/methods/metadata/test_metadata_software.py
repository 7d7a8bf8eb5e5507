"""Programs in the metadata: XMP history, origin, local corrections, profiles, claims of generation."""

from __future__ import annotations

import pytest

from imforensics.methods.metadata.metadata_software import (
    MAX_STEPS,
    count_ancestors,
    find_software_traces,
    list_history,
    list_local_corrections,
    list_origin,
    name_source_type,
)
from imforensics.types import Metadata


def traces_of(metadata: Metadata) -> dict[str, str]:
    return {trace.name: trace.weight for trace in find_software_traces(metadata)}


def test_history_step_by_step() -> None:
    xmp = {
        "xmpMM:History[2]/stEvt:action": "saved",
        "xmpMM:History[2]/stEvt:changed": "/",
        "xmpMM:History[1]/stEvt:action": "created",
        "xmpMM:History[1]/stEvt:softwareAgent": "Adobe Photoshop 21.0",
        "xmpMM:History[1]/stEvt:when": "2020-01-01T10:00:00Z",
        "xmpMM:History[1]/stEvt:instanceID": "xmp.iid:1",
    }
    assert list_history(xmp) == [
        {"action": "created", "software": "Adobe Photoshop 21.0", "when": "2020-01-01T10:00:00Z"},
        {"action": "saved", "changed": "/"},
    ]
    assert traces_of(Metadata(xmp=xmp)) == {"xmp_history": "weak"}
    many = {f"xmpMM:History[{number}]/stEvt:action": "saved" for number in range(500)}
    assert len(list_history(many)) == MAX_STEPS


def test_origin_and_ancestors() -> None:
    xmp = {
        "xmpMM:DerivedFrom/stRef:documentID": "xmp.did:1",
        "xmpMM:DerivedFrom/stRef:fromPart": "all",
        "photoshop:DocumentAncestors[1]": "xmp.did:2",
        "photoshop:DocumentAncestors[2]": "xmp.did:3",
    }
    assert list_origin(xmp) == {"documentID": "xmp.did:1"}
    assert count_ancestors(xmp) == 2
    assert traces_of(Metadata(xmp=xmp)) == {"document_ancestors": "moderate", "derived_document": "weak"}


def test_local_corrections_in_camera_raw() -> None:
    xmp = {
        "crs:Exposure2012": "+0.30",
        "crs:RetouchAreas[1]/crs:Method": "heal",
        "crs:PaintBasedCorrections[1]/crs:What": "Correction",
    }
    assert list_local_corrections(xmp) == ["brush", "spot removal"]
    assert traces_of(Metadata(xmp=xmp)) == {"local_corrections": "moderate"}
    assert list_local_corrections({"crs:Exposure2012": "+0.30", "crs:RetouchAreasX": "1"}) == []


@pytest.mark.parametrize(
    ("address", "trace"),
    [
        (
            "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
            {"claimed_generation": "moderate"},
        ),
        ("http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture", {}),
    ],
)
def test_source_type(address: str, trace: dict[str, str]) -> None:
    xmp = {"Iptc4xmpExt:DigitalSourceType": address}
    assert name_source_type(xmp) == address.rpartition("/")[2]
    assert traces_of(Metadata(xmp=xmp)) == trace


def test_history_log_profile_resources_and_service_marker() -> None:
    assert traces_of(Metadata(xmp={"photoshop:History": ""})) == {}
    assert traces_of(Metadata(xmp={"photoshop:History": "Open, Crop"})) == {
        "photoshop_history_log": "moderate"
    }
    assert traces_of(Metadata(icc_description="GIMP built-in sRGB")) == {"color_profile_of_software": "weak"}
    assert traces_of(Metadata(icc_description="sRGB IEC61966-2.1")) == {}
    assert traces_of(Metadata(photoshop_resources=("IPTC", "caption digest"))) == {}
    many = Metadata(photoshop_resources=("IPTC", "resolution", "layer state", "thumbnail"))
    assert traces_of(many) == {"photoshop_resources": "weak"}
    assert traces_of(Metadata(iptc={"Special Instructions": "FBMD0100"})) == {
        "meta_service_marker": "moderate"
    }
