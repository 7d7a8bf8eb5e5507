"""Which image format a file is, by its first bytes, and which one its name claims."""

from __future__ import annotations

from pathlib import PurePath

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "HEIF", "AVIF")

_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_GENERIC_BRANDS = frozenset({b"mif1", b"msf1", b"mif2"})
_TIFF_STARTS = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")  # the last two: BigTIFF

_EXTENSIONS = {
    "JPEG": ("jpg", "jpeg", "jpe", "jfif", "jif", "mpo"),
    "PNG": ("png", "apng"),
    "TIFF": ("tif", "tiff", "dng"),
    "WEBP": ("webp",),
    "BMP": ("bmp", "dib"),
    "GIF": ("gif",),
    "HEIF": ("heic", "heif", "hif"),
    "AVIF": ("avif", "avifs"),
    "another": (
        *(
            "txt",
            "pdf",
            "htm",
            "html",
            "xml",
            "svg",
            "json",
            "csv",
            "doc",
            "docx",
            "xls",
            "xlsx",
            "zip",
            "exe",
        ),
        *("mp4", "mov", "avi", "mp3", "psd", "jp2", "jxl", "ico", "cr2", "nef", "arw", "orf", "rw2", "raf"),
    ),
}
_FORMAT_OF_EXTENSION = {extension: name for name, all_of_it in _EXTENSIONS.items() for extension in all_of_it}


def identify_format(data: bytes) -> str | None:
    """The format of a file by its content.

    Args:
        data: the file; its first kilobyte is enough.

    Returns:
        A name of `FORMATS`, None where none of them starts so.

    >>> identify_format(bytes.fromhex("ffd8ffe000104a464946"))
    'JPEG'
    """
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(_TIFF_STARTS):
        return "TIFF"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data[4:8] == b"ftyp":
        return _identify_by_brands(data)
    if data.startswith(b"BM"):
        return "BMP"
    return None


def is_extension_of(name: str, format_name: str) -> bool:
    """False where the name's extension belongs to another format; True for no or an unknown extension.

    >>> is_extension_of("photo.jpg", "PNG"), is_extension_of("photo", "PNG")
    (False, True)
    """
    extension = PurePath(name).suffix.removeprefix(".").lower()
    return _FORMAT_OF_EXTENSION.get(extension, format_name) == format_name


def has_image_extension(name: str) -> bool:
    """True where the name ends like one of the formats that are read.

    >>> has_image_extension("photo.JPG"), has_image_extension("notes.txt"), has_image_extension("photo")
    (True, False, False)
    """
    return _FORMAT_OF_EXTENSION.get(PurePath(name).suffix.removeprefix(".").lower()) in FORMATS


def _identify_by_brands(data: bytes) -> str | None:
    """ISO base media file: the brands say whether the pictures are coded with AV1 or HEVC."""
    size = min(int.from_bytes(data[:4], "big"), 1024, len(data))
    major = data[8:12]
    brands = {data[at : at + 4] for at in range(16, size - 3, 4)}
    if major in _AVIF_BRANDS or (major in _GENERIC_BRANDS and brands & _AVIF_BRANDS):
        return "AVIF"
    if major in _HEIF_BRANDS or major in _GENERIC_BRANDS:
        return "HEIF"
    return None
