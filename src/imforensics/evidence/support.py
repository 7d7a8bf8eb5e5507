"""What a file declares to be that the decoders used here do not read: not damaged, not supported.

Called for a file that a decoder refused. The answer rests on the container's own fields, not on the
decoder's words, and only where those fields make sense together.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping

from imforensics.evidence.heif_boxes import list_item_types
from imforensics.evidence.jpeg_markers import DECODABLE_FRAMES, name_marker
from imforensics.evidence.jpeg_structure import JpegLayout
from imforensics.evidence.tiff_directory import open_tiff

TiffFields = Mapping[int, tuple[int, ...]]  # tag to whole numbers

# What every build of the decoder reads (TIFF 6.0, and 8 and 32946 for Deflate).
_TIFF_DECODABLE = frozenset({1, 2, 3, 4, 5, 7, 8, 32773, 32946})
# Registered values of Compression (loc.gov/preservation/digital/formats, awaresystems.be, libtiff's tiff.h).
_TIFF_COMPRESSIONS: Mapping[int, str] = {
    6: "old-style JPEG",
    9: "JBIG",
    10: "JBIG",
    32766: "NeXT",
    32767: "Sony raw",
    32769: "packed raw",
    32770: "Samsung raw",
    32771: "CCITT with word alignment",
    32809: "ThunderScan",
    32908: "Pixar film",
    32909: "Pixar log",
    33003: "JPEG 2000 (Aperio)",
    33005: "JPEG 2000 (Aperio)",
    34316: "Panasonic raw",
    34661: "JBIG",
    34676: "SGI log",
    34677: "SGI log, 24 bits",
    34712: "JPEG 2000",
    34713: "Nikon raw",
    34715: "JBIG2",
    34887: "LERC",
    34892: "lossy JPEG of a DNG",
    34925: "LZMA",
    34926: "Zstandard",
    34927: "WebP",
    50000: "Zstandard",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
    65000: "Kodak raw",
    65535: "Pentax raw",
}
# (samples of color by photometric interpretation, bits) that are read: TIFF 6.0 baseline and extensions.
_TIFF_COLORS = {0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3, 8: 3}
_TIFF_RARE_COLORS = {4: "a transparency mask", 9: "ICC L*a*b*", 10: "ITU L*a*b*", 32803: "raw sensor data"}
_TIFF_RARE_COLORS |= {32844: "CIE log luminance", 32845: "CIE log luminance and color", 34892: "linear raw"}
_TIFF_BITS = {0: {1, 2, 4, 8, 12, 16, 32}, 2: {8, 16}, 3: {1, 2, 4, 8}, 5: {8, 16}, 6: {8}, 8: {8}}

_BMP_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})
_BMP_COMPRESSIONS = {4: "an embedded JPEG", 5: "an embedded PNG", 6: "color masks with alpha"}
_BMP_COMPRESSIONS |= {11: "CMYK", 12: "CMYK in run lengths", 13: "CMYK in run lengths"}

# Coding formats of HEIF items (ISO/IEC 23008-12, 23001-17 and the registry of 4CCs at mp4ra.org).
_HEIF_CODINGS = {
    b"unci": "uncompressed pixels",
    b"j2k1": "JPEG 2000",
    b"jpeg": "JPEG",
    b"avc1": "H.264 (AVC)",
    b"vvc1": "H.266 (VVC)",
    b"evc1": "EVC",
    b"av01": "AV1",
    b"tili": "tiles of an own kind (tili)",
    b"mski": "a mask",
}
_JPEG_KINDS = {0xC3: "lossless", 0xC7: "lossless and hierarchical", 0xCB: "lossless, arithmetic-coded"}
_JPEG_KINDS |= {0xCF: "lossless, arithmetic-coded and hierarchical"}
_JPEG_LS = 0xF7

_TO_TIFF = "Convert it without loss, for example with libtiff: tiffcp -L -c none IN.tif OUT.tif"
_TO_PNG = "Convert it without loss to PNG or TIFF with a program that shows it"
_HEIF_TO_PNG = "Convert it without loss, for example with libheif: heif-dec IN.heif OUT.png"


def describe_unsupported(data: bytes, format_name: str) -> str | None:
    """What the file declares that is not read, and how to convert it, as a sentence's rest and a sentence.

    Args:
        data: the file, which a decoder refused.
        format_name: its format by content.

    Returns:
        For example "a BigTIFF in big-endian byte order. Convert it ...". None where everything declared is
        read here, or makes no sense: the file is damaged.
    """
    readers: Mapping[str, Callable[[bytes], str | None]] = {
        "TIFF": _describe_tiff,
        "BMP": _describe_bmp,
        "HEIF": _describe_heif,
        "AVIF": _describe_avif,
        "PNG": _describe_png,
    }
    return readers[format_name](data) if format_name in readers else None


def describe_unsupported_jpeg(layout: JpegLayout) -> str | None:
    """The same for a JPEG, from its markers, before any decoder sees it."""
    frame = layout.frame
    if frame is None:
        is_ls = any(segment.code == _JPEG_LS for segment in layout.segments[:20]) and layout.scan_count > 0
        return f"a JPEG-LS picture. {_TO_PNG}" if is_ls else None
    if frame.code in _JPEG_KINDS:
        kind = _JPEG_KINDS[frame.code]
    elif frame.code not in DECODABLE_FRAMES:
        kind = "hierarchical"
    elif frame.precision == 12:
        kind = "12-bit"
    elif frame.height == 0 and "DNL" in layout.markers:
        return f"a JPEG that gives its height after its first scan (DNL marker). {_TO_PNG}"
    else:
        return None
    words = f"a {kind} JPEG ({name_marker(frame.code, b'')}, {frame.precision} bits a sample)"
    return f"{words}: expected a sequential or progressive one of 8 bits. {_TO_PNG}"


def _describe_tiff(data: bytes) -> str | None:
    tiff = open_tiff(data)
    entries = None if tiff is None else tiff.read_first_directory()
    if tiff is None or entries is None:
        return None
    fields = {tag: numbers for tag, entry in entries.items() if (numbers := tiff.read_numbers(entry))}
    if not _has_pixels(fields, len(data)):
        return None
    compression = _first(fields, 259, 1)
    if compression not in _TIFF_DECODABLE:
        name = _TIFF_COMPRESSIONS.get(compression)
        return None if name is None else f"a TIFF with {name} compression ({compression}). {_TO_TIFF}"
    samples = _describe_samples(fields)
    if samples is not None:
        return f"a TIFF of {samples}. {_TO_PNG}"
    if tiff.is_big and tiff.order == "big":
        return f"a BigTIFF in big-endian byte order. {_TO_TIFF}"
    return None


def _first(fields: TiffFields, tag: int, default: int) -> int:
    return fields.get(tag, (default,))[0]


def _has_pixels(fields: TiffFields, size: int) -> bool:
    """Width and height are there, and the strips or tiles lie inside the file."""
    starts = fields.get(273) or fields.get(324) or ()
    counts = fields.get(279) or fields.get(325) or (0,) * len(starts)
    pairs = list(zip(starts, counts, strict=False))
    is_inside = bool(pairs) and all(start > 0 and start + count <= size for start, count in pairs)
    return _first(fields, 256, 0) > 0 and _first(fields, 257, 0) > 0 and is_inside


def _describe_samples(fields: TiffFields) -> str | None:
    """Samples that are not read, where the fields fit one another; None for all others."""
    photometric, samples = _first(fields, 262, -1), _first(fields, 277, 1)
    bits = fields.get(258, (1,))
    if len(set(bits)) != 1:
        return (
            f"samples of different sizes ({', '.join(map(str, bits[:8]))} bits)"
            if (len(bits) == samples and all(0 < size <= 64 for size in bits))
            else None
        )
    if photometric in _TIFF_RARE_COLORS:
        return _TIFF_RARE_COLORS[photometric]
    if photometric not in _TIFF_COLORS or not 0 < bits[0] <= 64 or len(bits) not in {1, samples}:
        return None
    extra = samples - _TIFF_COLORS[photometric]
    if (
        bits[0] not in _TIFF_BITS.get(photometric, _TIFF_BITS[0])
        or 1 < extra <= 64
        or (photometric == 5 and extra == 1)
    ):
        return f"{samples} samples of {bits[0]} bits a pixel (photometric interpretation {photometric})"
    return None


def _describe_bmp(data: bytes) -> str | None:
    if len(data) < 54:
        return None
    header = struct.unpack_from("<I", data, 14)[0]
    if header not in _BMP_HEADERS:
        return (
            f"a BMP of OS/2 with a header of {header} bytes. {_TO_PNG}"
            if header in range(16, 64, 2)
            else None
        )
    if header == 12:
        return None
    bits, compression = struct.unpack_from("<HI", data, 28)
    colors = struct.unpack_from("<I", data, 46)[0]
    if header == 64 and compression in {3, 4}:
        words = "Huffman coding" if compression == 3 else "run lengths of 24 bits"
    elif compression in _BMP_COMPRESSIONS:
        words = _BMP_COMPRESSIONS[compression]
    elif bits in {2, 64}:
        words = f"{bits} bits a pixel"
    elif compression == 3 and bits in {16, 32} and _has_masks(data, bits):
        words = "an uncommon layout of color bits"
    elif bits <= 8 and 1 << bits < colors <= 65_536 and 14 + header + 4 * colors < len(data):
        words = f"a palette of {colors} colors, more than its {bits} bits a pixel can name"
    else:
        return None
    return f"a BMP with {words}. {_TO_PNG}"


def _has_masks(data: bytes, bits: int) -> bool:
    """Masks of red, green and blue: each of neighboring bits, none in two of them."""
    masks = struct.unpack_from("<III", data, 54) if len(data) >= 66 else ()
    joined = 0
    for mask in masks:
        low = mask & -mask
        if not mask or mask >> bits or mask & joined or (mask + low) & mask:
            return False
        joined |= mask
    return bool(masks)


def _describe_heif(data: bytes) -> str | None:
    types = list_item_types(data)
    if types is None:
        if data[8:12] == b"mif3":
            return f"a HEIF in the short form for small pictures (mini). {_HEIF_TO_PNG}"
        return None
    for item_type in types:
        if item_type in _HEIF_CODINGS:
            return f"a HEIF that holds {_HEIF_CODINGS[item_type]}. {_HEIF_TO_PNG}"
    return None


def _describe_avif(data: bytes) -> str | None:
    is_usual = b"av01" in (list_item_types(data) or ())
    return None if is_usual else _describe_heif(data)


def _describe_png(data: bytes) -> str | None:
    if re.match(rb".{12}CgBI", data, re.DOTALL):
        return f"a PNG in Apple's own variant (CgBI). {_TO_PNG}"
    return None
