"""How the file is put together: order of segments, data after the image, what a camera would have written."""

from __future__ import annotations

from collections.abc import Iterator

from imforensics.methods.metadata.programs import name_maker
from imforensics.methods.metadata.traces import Trace
from imforensics.types import Evidence, Metadata

EXPOSURE_TAGS = ("EXIF ExposureTime", "EXIF FNumber", "EXIF ISOSpeedRatings")
# Appended by phones and cameras themselves, or without meaning: see `evidence.trailing`.
_ORDINARY_PARTS = (
    "fill bytes",
    "preview",
    "vendor data",
    "gain map",
    "a JPEG image, a gain map",
    "depth map",
    "the video of a motion photo",
    "a part that XMP announces",
    "a video or image in an ISO media container",
)
_MPF_PART, _NO_MPF_PART = "picture (MPF)", "data in the place of"
_FOREIGN_PARTS = ("ZIP", "RAR", "7z", "gzip", "PDF", "program")


def list_marker_order(evidence: Evidence) -> list[str]:
    """Application segments and comments of a JPEG before its tables, in file order; else empty."""
    markers = () if evidence.jpeg is None else evidence.jpeg.markers
    order = []
    for name in markers:
        if name in {"DQT", "SOS"} or name.startswith("SOF"):
            break
        if name.startswith(("APP", "COM")):
            order.append(name)
    return order[:50]


def find_structure_traces(evidence: Evidence) -> Iterator[Trace]:
    """Traces in the order of segments and in what follows the image."""
    order = list_marker_order(evidence)
    before_exif = order[: order.index("APP1 Exif")] if "APP1 Exif" in order else []
    others = [name for name in before_exif if name != "APP0 JFIF"]
    if others:
        yield Trace(
            "exif_not_first",
            "weak",
            f"EXIF comes after {', '.join(dict.fromkeys(others))}: cameras write it first, as "
            "its standard asks.",
        )
    if order.count("APP1 Exif") > 1:
        yield Trace("exif_repeated", "weak", "There is more than one EXIF segment; programs read the first.")
    for part in evidence.metadata.trailing:
        yield from _judge_part(part)


def find_camera_traces(evidence: Evidence) -> Iterator[Trace]:
    """What a camera's own file would hold, where the file names a camera."""
    metadata = evidence.metadata
    if metadata.camera is None:
        return
    if "EXIF MakerNote" not in metadata.exif:
        yield Trace(
            "camera_claim_without_maker_note",
            "note",
            f"The metadata name a camera ({metadata.camera}) but hold no maker note: most cameras write one, "
            "many phones do not, and many programs drop it.",
        )
    if not any(tag in metadata.exif for tag in EXPOSURE_TAGS):
        yield Trace(
            "camera_claim_without_exposure",
            "weak",
            f"The metadata name a camera ({metadata.camera}) but no exposure time, aperture or sensitivity.",
        )
    yield from _compare_names(metadata)


def _judge_part(part: str) -> Iterator[Trace]:
    if part.startswith(_ORDINARY_PARTS) or (_MPF_PART in part and not part.startswith(_NO_MPF_PART)):
        return
    if any(word in part for word in _FOREIGN_PARTS):
        yield Trace(
            "foreign_file_appended",
            "moderate",
            f"After the end of the image there is {part}, which no camera writes: another file was appended.",
        )
    else:
        yield Trace(
            "data_appended",
            "note",  # 3.3 % of camera originals
            f"After the end of the image there is {part}; cameras append previews and data of their own too.",
        )


def _compare_names(metadata: Metadata) -> Iterator[Trace]:
    """The camera as EXIF and as XMP name it: makers by one name each, models with and without the maker."""
    exif, xmp = (
        (fields.get(f"{prefix}Make", "").strip(), fields.get(f"{prefix}Model", "").strip())
        for fields, prefix in ((metadata.exif, "Image "), (metadata.xmp, "tiff:"))
    )
    makers = [name_maker(make) for make, _ in (exif, xmp)]
    models = ["".join(model.lower().split()) for _, model in (exif, xmp)]
    differs = (
        all(makers) and makers[0] != makers[1],
        all(models) and not (models[0].endswith(models[1]) or models[1].endswith(models[0])),
    )
    for here, there, is_other in zip(exif, xmp, differs, strict=True):
        if is_other:
            yield Trace(
                "camera_names_differ",
                "moderate",
                f"EXIF names the camera {here}, XMP {there}: one was changed or copied from another file.",
            )
