"""Scenes of the JPEG structure method: a claimed original with an editor's tables, a phone's own file."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image
from PIL.JpegPresets import presets

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from scene import SAMPLES, Scene

from fixtures import synthetic as make

CAMERA = [make.ascii_entry(0x010F, "Canon"), make.ascii_entry(0x0110, "Canon EOS 30D")]
PHONE = [make.ascii_entry(0x010F, "HTC"), make.ascii_entry(0x0110, "HTC One_M8")]


def make_hit() -> Scene:
    """The tampered sample, saved with Photoshop's tables, its metadata claiming a camera and nothing else."""
    out = io.BytesIO()
    tables = presets["high"]["quantization"]
    Image.open(SAMPLES / "tampered.jpg").save(out, "JPEG", qtables=tables, exif=make.make_exif(CAMERA))
    return Scene(
        out.getvalue(),
        "claimed_original.jpg",
        "The tampered sample, saved with the tables of Photoshop's level 8; its metadata name a camera and "
        "no program. The method finds the tables consistent with Photoshop and notes the contradiction, with "
        "moderate weight.",
    )


def make_false_alarm() -> Scene:
    """The authentic sample as a phone may write it: the IJG encoder's tables, JFIF, no thumbnail."""
    out = io.BytesIO()
    Image.open(SAMPLES / "authentic.jpg").save(out, "JPEG", quality=95, exif=make.make_exif(PHONE))
    return Scene(
        out.getvalue(),
        "phone.jpg",
        "The authentic sample as many phones write their own files: the IJG encoder's tables, a JFIF "
        "segment, no thumbnail. Three notes that fit a save by a program where there was none: phones use "
        "the same encoder.",
    )
