"""What the file says of its own history, and where it contradicts itself. Observations, never a verdict."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import ClassVar

import numpy as np
from PIL import Image

from imforensics.methods.base import Method, Reference
from imforensics.types import Evidence, Family, Finding, JsonValue, Metadata, UInt8Array

# Names of programs that alter, generate or re-encode images, in lower case, as they stand in software fields.
EDITING_SOFTWARE = (
    *("photoshop", "lightroom", "camera raw", "adobe express", "firefly", "gimp", "affinity", "paint.net"),
    *("pixelmator", "paint shop", "paintshop", "corel", "capture one", "darktable", "rawtherapee", "luminar"),
    *("acdsee", "acd systems", "picasa", "photoscape", "photodirector", "snapseed", "picsart", "facetune"),
    *(
        "meitu",
        "vsco",
        "canva",
        "faceapp",
        "remini",
        "fotor",
        "krita",
        "photofiltre",
        "photoimpact",
        "xnview",
    ),
    *(
        "irfanview",
        "faststone",
        "windows photo",
        "microsoft photo",
        "imagemagick",
        "graphicsmagick",
        "gd-jpeg",
    ),
    *("lavc", "ffmpeg", "pillow", "stable diffusion", "midjourney", "dall-e", "dall·e", "comfyui", "novelai"),
)
GENERATOR_TEXT_KEYS = frozenset({"parameters", "prompt", "workflow", "sd-metadata", "dream"})
SIMILAR_THUMBNAIL = 0.9  # correlation of gray values: chosen to catch another picture, not calibrated
_HISTORY_STEP = re.compile(r"(?:^|/)xmpMM:History\[(\d+)\]")


class MetadataTraces(Method):
    """Reads camera, dates, software, position and thumbnail, and names what does not fit together."""

    name: ClassVar[str] = "metadata"
    family: ClassVar[Family] = "metadata"
    question: ClassVar[str] = "What does the file say of its origin and processing, and is it consistent?"
    idea: ClassVar[str] = (
        "Cameras and programs leave their names, dates and settings in EXIF, XMP, IPTC and text fields. "
        "These are listed and compared with each other and with the image: software that edits, dates out of "
        "order, a recorded size or thumbnail that does not match the pixels, an extension of another format."
    )
    limitations: ClassVar[str] = (
        "Metadata are easily changed or removed, and most websites remove them: their absence says "
        "nothing, their presence proves nothing. Editing software can alter an image, and it also rotates, "
        "crops and captions. Clocks of cameras are often wrong. This method therefore gives no score."
    )
    reference: ClassVar[Reference] = Reference(
        "E. Kee, M. K. Johnson, H. Farid, Digital image authentication from JPEG headers, IEEE Transactions "
        "on Information Forensics and Security 6(3), 2011",
        "10.1109/TIFS.2011.2128309",
    )

    def analyze(self, evidence: Evidence) -> Finding:
        """List what the metadata say and where they conflict.

        Args:
            evidence: any image.

        Returns:
            A finding without score or map: observations and notes only.
        """
        metadata = evidence.metadata
        thumbnail_similarity = _compare_thumbnail(evidence.pixels, metadata.thumbnail)
        recorded = _recorded_size(metadata.exif)
        editors = [name for name in metadata.software if is_editing_software(name)]
        observations: dict[str, JsonValue] = {
            "camera": metadata.camera,
            "software": list(metadata.software),
            "editing_software": list(editors),
            "dates": dict(metadata.dates),
            "gps": None if metadata.gps is None else list(metadata.gps),
            "icc_description": metadata.icc_description,
            "exif_tag_count": len(metadata.exif),
            "xmp_property_count": len(metadata.xmp),
            "xmp_history_steps": _count_history_steps(metadata.xmp),
            "iptc_field_count": len(metadata.iptc),
            "has_maker_note": "EXIF MakerNote" in metadata.exif,
            "has_matching_extension": evidence.has_matching_extension,
            "recorded_size": None if recorded is None else {"height": recorded[0], "width": recorded[1]},
            "thumbnail_size": _thumbnail_size(metadata.thumbnail),
            "thumbnail_similarity": thumbnail_similarity,
            "problems": list(metadata.problems),
        }
        notes = (
            *_note_origin(evidence, editors),
            *_note_dates(metadata),
            *_note_size(evidence, recorded),
            *_note_thumbnail(thumbnail_similarity),
        )
        return Finding(
            method=self.name,
            family=self.family,
            status="ok",
            observations=observations,
            notes=notes or ("The metadata name no editing software and do not contradict themselves.",),
        )


def is_editing_software(name: str) -> bool:
    """Whether a software field names a program that alters, generates or re-encodes images.

    >>> is_editing_software("Adobe Photoshop CS3 Windows"), is_editing_software("Ver.1.02")
    (True, False)
    """
    lowered = name.lower()
    return any(program in lowered for program in EDITING_SOFTWARE)


def _note_origin(evidence: Evidence, editors: list[str]) -> Iterator[str]:
    metadata = evidence.metadata
    if not (metadata.exif or metadata.xmp or metadata.iptc or metadata.text):
        yield "There is no EXIF, XMP, IPTC or text: removed, or never written. This says nothing either way."
    if editors:
        yield f"Software that edits, generates or re-encodes images is named: {'; '.join(editors[:5])}."
    steps = _count_history_steps(metadata.xmp)
    if steps:
        yield f"XMP records a history of {steps} saving or conversion steps in an editor."
    generator_keys = sorted(key for key in metadata.text if key.lower() in GENERATOR_TEXT_KEYS)
    if generator_keys:
        yield f"Text fields as image generators write them are present: {', '.join(generator_keys)}."
    if not evidence.has_matching_extension:
        yield f"The content is {evidence.format}, the name's extension belongs to another format."


def _note_dates(metadata: Metadata) -> Iterator[str]:
    taken = _parse_date(metadata.dates.get("EXIF DateTimeOriginal"))
    digitized = _parse_date(metadata.dates.get("EXIF DateTimeDigitized"))
    changed = _parse_date(metadata.dates.get("Image DateTime"))
    if taken and changed and changed > taken:
        yield f"EXIF says the file was changed {changed - taken} after the picture was taken."
    if taken and changed and changed < taken:
        yield f"EXIF dates conflict: the file was changed {taken - changed} before the picture was taken."
    if taken and digitized and taken != digitized:
        yield "EXIF dates differ: taken and digitized at different times, as for a scan or after an edit."
    created = _parse_date(metadata.dates.get("XMP xmp:CreateDate"))
    modified = _parse_date(metadata.dates.get("XMP xmp:ModifyDate"))
    if created and modified and modified < created:
        yield "XMP dates conflict: modified before created."


def _note_size(evidence: Evidence, recorded: tuple[int, int] | None) -> Iterator[str]:
    size = evidence.height, evidence.width
    if recorded is None or recorded == size:
        return
    relation = (
        "height and width are exchanged (rotated)" if recorded == size[::-1] else "cropped, resized or joined"
    )
    yield (
        f"EXIF records {recorded[1]} x {recorded[0]} pixels, the image has {size[1]} x {size[0]}: "
        f"{relation} after EXIF was written."
    )


def _note_thumbnail(similarity: float | None) -> Iterator[str]:
    if similarity is not None and similarity < SIMILAR_THUMBNAIL:
        yield (
            f"The embedded thumbnail differs from the image (correlation {similarity:.2f}, expected above "
            f"{SIMILAR_THUMBNAIL}): the image may have been changed, cropped or rotated after it was made."
        )


def _parse_date(value: str | None) -> datetime | None:
    """EXIF ("2020:01:31 10:20:30") or ISO 8601 to a naive local time; None for anything else."""
    if value is None:
        return None
    match = re.match(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d)(?::(\d\d))?", value)
    if match is None:
        return None
    try:
        return datetime(*(int(part or 0) for part in match.groups()))  # type: ignore[arg-type]
    except ValueError:
        return None


def _recorded_size(exif: Mapping[str, str]) -> tuple[int, int] | None:
    height, width = (exif.get(f"EXIF ExifImage{axis}", "") for axis in ("Length", "Width"))
    if not (height.isascii() and width.isascii() and height.isdigit() and width.isdigit()):
        return None
    size = int(height[:10]), int(width[:10])
    return size if min(size) > 0 else None


def _count_history_steps(xmp: Mapping[str, str]) -> int:
    return len({match[1] for path in xmp if (match := _HISTORY_STEP.search(path))})


def _thumbnail_size(thumbnail: UInt8Array | None) -> JsonValue:
    return None if thumbnail is None else {"height": thumbnail.shape[0], "width": thumbnail.shape[1]}


def _compare_thumbnail(pixels: UInt8Array, thumbnail: UInt8Array | None) -> float | None:
    """Correlation of the thumbnail's gray values with the image brought to its size, [-1, 1].

    Cameras pad thumbnails with black bars to a fixed aspect ratio: the bars are cut off first. None without
    a thumbnail, or where one of the two is flat.
    """
    if thumbnail is None:
        return None
    height, width = pixels.shape[:2]
    small = _cut_bars(thumbnail, height / width)
    rows, columns = small.shape[:2]
    step = max(1, min(height // (4 * rows), width // (4 * columns)))  # four samples a pixel and side suffice
    reduced = Image.fromarray(np.ascontiguousarray(pixels[::step, ::step])).convert("L")
    image_gray = np.asarray(reduced.resize((columns, rows), Image.Resampling.BOX), dtype=np.float64)
    thumbnail_gray = np.asarray(Image.fromarray(small).convert("L"), dtype=np.float64)
    image_gray -= image_gray.mean()
    thumbnail_gray -= thumbnail_gray.mean()
    norm = float(np.sqrt((image_gray**2).sum() * (thumbnail_gray**2).sum()))
    return round(float((image_gray * thumbnail_gray).sum()) / norm, 4) if norm > 1e-6 else None


def _cut_bars(thumbnail: UInt8Array, aspect: float) -> UInt8Array:
    """The middle of the thumbnail that has the image's height / width, where what is cut away is dark."""
    height, width = thumbnail.shape[:2]
    kept_height, kept_width = min(height, round(width * aspect)), min(width, round(height / aspect))
    if min(kept_height, kept_width) < 8 or (kept_height, kept_width) == (height, width):
        return thumbnail
    top, left = (height - kept_height) // 2, (width - kept_width) // 2
    inside = np.zeros((height, width), dtype=bool)
    inside[top : top + kept_height, left : left + kept_width] = True
    if float(thumbnail[~inside].mean()) > 24:  # bars are black but for ringing of the JPEG
        return thumbnail
    return np.ascontiguousarray(thumbnail[top : top + kept_height, left : left + kept_width])
