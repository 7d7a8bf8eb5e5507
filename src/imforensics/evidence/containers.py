"""Which image format a file is, by its first bytes, and which one its name claims."""

from __future__ import annotations

from pathlib import PurePath

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "HEIF", "AVIF")

_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
# HEIF with another coding than HEVC (avci: H.264, j2ki: JPEG 2000, ...), and the short form (mif3).
_OTHER_HEIF_BRANDS = frozenset(
    {b"avci", b"avcs", b"j2ki", b"j2is", b"jpeg", b"jpgs", b"vvic", b"vvis", b"evbi", b"evbs", b"mif3"}
)
_GENERIC_BRANDS = frozenset({b"mif1", b"msf1", b"mif2"})
_TIFF_STARTS = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")  # the last two: BigTIFF

_OTHERS = (
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 image"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 codestream"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL image"),
    (b"\xff\x0a", "a JPEG XL codestream"),
    (b"8BPS", "a Photoshop document"),
    (b"\x8aMNG\r\n\x1a\n", "an MNG animation"),
    (b"\x8bJNG\r\n\x1a\n", "a JNG image"),
    (b"\x00\x00\x01\x00", "a Windows icon"),
    (b"BA", "an array of OS/2 bitmaps"),
    (b"FUJIFILMCCD-RAW", "a raw file of Fujifilm"),
    (b"IIU\x00", "a raw file of Panasonic"),
    (b"IIRO", "a raw file of Olympus"),
    (b"IIRS", "a raw file of Olympus"),
    (b"MMOR", "a raw file of Olympus"),
    (b"FOVb", "a raw file of Sigma"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript file with a preview"),
    (b"%!PS", "a PostScript file"),
    (b"%PDF-", "a PDF document"),
    (b"v/1\x01", "an OpenEXR image"),
    (b"qoif", "a QOI image"),
    (b"SIMPLE  =", "a FITS image"),
    (b"BPG\xfb", "a BPG image"),
)
_OTHER_BRANDS = {b"crx ": "a raw file of Canon", b"qt  ": "a QuickTime video", b"isom": "an MP4 video"}
_OTHER_BRANDS |= {b"mp41": "an MP4 video", b"mp42": "an MP4 video"}
_JPEG_START = b"\xff\xd8\xff"
_PNG_START = b"\x89PNG\r\n\x1a\n"

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
    if data.startswith(_JPEG_START):
        return "JPEG"
    if data.startswith(_PNG_START):
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


def name_other_format(data: bytes) -> str | None:
    """What a file is that is no image of `FORMATS`, with its article; None where nothing tells.

    >>> name_other_format(b"8BPS....")
    'a Photoshop document'
    """
    if data[4:8] == b"ftyp":
        return _OTHER_BRANDS.get(data[8:12])
    return next((words for start, words in _OTHERS if data.startswith(start)), None)


def name_near_format(data: bytes) -> str | None:
    """The format whose first bytes these nearly are: a JPEG's marker, six of the eight bytes of a PNG.

    >>> name_near_format(bytes.fromhex("89504e470a1a0a00")), name_near_format(b"text")
    ('PNG', None)
    """
    if data.startswith(b"\xff\xd8"):
        return "JPEG"
    same = sum(one == other for one, other in zip(data, _PNG_START, strict=False))
    return "PNG" if same >= 6 or data.startswith(_PNG_START[:4]) else None


def is_cut_start(data: bytes) -> bool:
    """True for a file that ends within the first bytes of a JPEG or a PNG.

    >>> is_cut_start(bytes.fromhex("ffd8")), is_cut_start(bytes.fromhex("ffd8fee0"))
    (True, False)
    """
    return _JPEG_START.startswith(data) or _PNG_START.startswith(data)


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
    if major == b"mif3" and data[12:16] in _AVIF_BRANDS:
        return "AVIF"
    if major in _HEIF_BRANDS | _OTHER_HEIF_BRANDS | _GENERIC_BRANDS:
        return "HEIF"
    return None
