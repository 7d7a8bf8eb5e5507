"""Scenes of the metadata method: an edited document's history, and a harmless crop."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from scene import SAMPLES, Scene

from fixtures import synthetic as make

HISTORY = (
    '<xmpMM:History><rdf:Seq><rdf:li stEvt:action="created" stEvt:softwareAgent="Adobe Photoshop 21.0" '
    'stEvt:when="2020-05-02T18:01:10+02:00"/><rdf:li stEvt:action="saved" '
    'stEvt:softwareAgent="Adobe Photoshop 21.0" stEvt:when="2020-05-02T18:40:44+02:00" stEvt:changed="/"/>'
    "</rdf:Seq></xmpMM:History>"
    '<photoshop:DocumentAncestors xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"><rdf:Bag>'
    "<rdf:li>xmp.did:1</rdf:li></rdf:Bag></photoshop:DocumentAncestors>"
)


def make_hit() -> Scene:
    """The tampered sample with the metadata that Photoshop leaves."""
    exif = make.make_exif(
        [
            make.ascii_entry(0x0131, "Adobe Photoshop 21.0 (Windows)"),
            make.ascii_entry(0x0132, "2020:05:02 18:40:44"),
        ],
        exif=[make.ascii_entry(0x9003, "2020:05:01 11:20:05")],
    )
    jpeg = (SAMPLES / "tampered.jpg").read_bytes()
    data = make.insert_after_soi(
        make.add_xmp(jpeg, make.make_xmp(HISTORY)), make.make_jpeg_segment(0xE1, exif)
    )
    return Scene(
        data,
        "edited.jpg",
        "The tampered sample with metadata as Photoshop leaves them. The method notes the editor's name, a "
        "history of two steps and a change a day after the picture was taken, each weak; and, moderate, that "
        "XMP lists another document whose content was put into this one.",
    )


def make_false_alarm() -> Scene:
    """The authentic sample, cropped by its owner: EXIF and thumbnail are still those of the whole."""
    whole = Image.open(SAMPLES / "authentic.jpg")
    small = io.BytesIO()
    whole.resize((160, 107)).save(small, "JPEG", quality=75)
    exif = make.make_exif(
        [make.ascii_entry(0x010F, "Maker"), make.ascii_entry(0x0110, "Camera 1")],
        exif=[make.long_entry(0xA002, whole.width), make.long_entry(0xA003, whole.height)],
        thumbnail=small.getvalue(),
    )
    cropped = io.BytesIO()
    whole.crop((96, 64, 544, 363)).save(cropped, "JPEG", quality=92, exif=exif)
    return Scene(
        cropped.getvalue(),
        "cropped.jpg",
        "The authentic sample, cropped for its composition with a program that keeps EXIF as it was. The "
        "recorded size and the thumbnail no longer fit: two moderate traces for a harmless crop. They tell "
        "what was done, not that anything was forged.",
    )
