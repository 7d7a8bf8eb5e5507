"""Marker codes of JPEG and their names (ITU-T T.81, Table B.1)."""

from __future__ import annotations

SOI, EOI, SOS, DQT, DHT, DRI, DAC, COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xCC, 0xFE
FRAMES = frozenset(range(0xC0, 0xD0)) - {DHT, 0xC8, DAC}
# What libjpeg decodes: sequential and progressive, Huffman or arithmetic; not lossless, not hierarchical.
DECODABLE_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
ARITHMETIC_FRAMES = frozenset({0xC9, 0xCA})
PROGRESSIVE_FRAMES = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
STANDALONE = frozenset({0x01, SOI, EOI, *range(0xD0, 0xD8)})
# What decoders step over.
SKIPPED = frozenset({COM, *range(0xE0, 0xF0)})
# All that is needed to decode the image.
BARE = frozenset({DQT, DHT, DRI, DAC, SOS}) | FRAMES
_NAMES = {0x01: "TEM", SOI: "SOI", EOI: "EOI", SOS: "SOS", DQT: "DQT", DHT: "DHT", DRI: "DRI", DAC: "DAC"}
_NAMES |= {COM: "COM", 0xDC: "DNL", 0xDE: "DHP", 0xDF: "EXP", 0xC8: "JPG"}
_NAMES |= {0xD0 + i: f"RST{i}" for i in range(8)} | {0xF0 + i: f"JPG{i}" for i in range(14)}
_NAMES |= {code: f"SOF{code - 0xC0}" for code in FRAMES}

EXIF_IDENTIFIER = b"Exif\x00"
XMP_IDENTIFIER = b"http://ns.adobe.com/xap/1.0/\x00"
EXTENDED_XMP_IDENTIFIER = b"http://ns.adobe.com/xmp/extension/\x00"
MPF_IDENTIFIER = b"MPF\x00"
_IDENTIFIERS = (
    (0xE0, b"JFIF\x00", "JFIF"),
    (0xE0, b"JFXX\x00", "JFXX"),
    (0xE1, EXIF_IDENTIFIER, "Exif"),
    (0xE1, XMP_IDENTIFIER, "XMP"),
    (0xE1, EXTENDED_XMP_IDENTIFIER, "extended XMP"),
    (0xE2, b"ICC_PROFILE\x00", "ICC"),
    (0xE2, MPF_IDENTIFIER, "MPF"),
    (0xEB, b"JP", "JUMBF"),
    (0xEC, b"Ducky", "Ducky"),
    (0xED, b"Photoshop 3.0\x00", "Photoshop"),
    (0xEE, b"Adobe", "Adobe"),
)


def name_marker(code: int, payload: bytes) -> str:
    """Name of a marker, an application segment's known identifier after it: "APP1 Exif"."""
    if 0xE0 <= code <= 0xEF:
        name = f"APP{code - 0xE0}"
        for known, identifier, words in _IDENTIFIERS:
            if code == known and payload.startswith(identifier):
                return f"{name} {words}"
        return name
    return _NAMES.get(code, f"0xFF{code:02X}")
