"""XMP to a flat mapping of property paths, parsed without entities, DTDs or recursion."""

from __future__ import annotations

import io
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from imforensics.evidence.text import bound_entries

MAX_XMP_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 32

_EXTENDED_HEADER = 40
_BYTE_ORDER_MARKS = (b"\xfe\xff", b"\xff\xfe", b"\x00\x00\xfe\xff")

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_WRAPPERS = frozenset(
    {f"{_RDF}RDF", f"{_RDF}Description", f"{_RDF}Seq", f"{_RDF}Bag", f"{_RDF}Alt", "{adobe:ns:meta/}xmpmeta"}
)
_SKIPPED_ATTRIBUTES = frozenset({f"{_RDF}about", f"{_RDF}parseType", "{adobe:ns:meta/}xmptk"})


def read_xmp(packets: list[bytes], problems: list[str]) -> dict[str, str]:
    """Flatten the XMP packets of one file.

    Args:
        packets: the XML as found; where two name the same property, the first counts.
        problems: what cannot be read is added here, in words; nothing is raised.

    Returns:
        Property path to value, list items numbered from 1: "xmpMM:History[1]/stEvt:softwareAgent".
    """
    found: dict[str, str] = {}
    for packet in dict.fromkeys(packets):
        found = _read_packet(packet, problems) | found
    return found


def join_extended_xmp(segments: list[bytes], packet: dict[str, str], problems: list[str]) -> bytes | None:
    """The extended packet that a packet names, from the segments of a JPEG.

    Args:
        segments: GUID (32 bytes), full length, offset (4 bytes each), then the part.
        packet: properties of the main packet, which names the GUID.
        problems: a packet that is there and cannot be joined is named here.

    Reference:
        XMP Specification Part 3 (2020), 1.1.3.1 (extended XMP in JPEG).
    """
    parts: dict[bytes, dict[int, bytes]] = {}
    sizes: dict[bytes, int] = {}
    for segment in segments:
        if len(segment) > _EXTENDED_HEADER:
            guid = segment[:32]
            sizes[guid] = int.from_bytes(segment[32:36], "big")
            parts.setdefault(guid, {})[int.from_bytes(segment[36:40], "big")] = segment[_EXTENDED_HEADER:]
    wanted = packet.get("xmpNote:HasExtendedXMP", "").strip().encode()
    others = [guid for guid in parts if guid != wanted]
    if others:
        problems.append(f"XMP: {len(others)} extended packets that the packet does not name are not read")
    if wanted not in parts:
        return None
    joined = b""
    for offset, part in sorted(parts[wanted].items()):
        if offset != len(joined) or offset + len(part) > MAX_XMP_BYTES:
            break
        joined += part
    if len(joined) != sizes[wanted]:
        problems.append(f"XMP: of the extended packet's {sizes[wanted]} bytes {len(joined)} could be joined")
    return joined


def _read_packet(packet: bytes, problems: list[str]) -> dict[str, str]:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import iterparse

    if len(packet) > MAX_XMP_BYTES:
        problems.append(f"XMP: {len(packet)} bytes are more than the {MAX_XMP_BYTES} that are read")
        return {}
    content = packet.rstrip(b"\x00 \r\n\t")
    if not content.startswith(_BYTE_ORDER_MARKS):  # in UTF-8 a packet begins with its first "<"
        content = content[max(0, content.find(b"<")) :]
    if not content:
        return {}
    prefixes: dict[str, str] = {}
    root: Element | None = None
    is_whole = False
    try:
        for event, value in iterparse(
            io.BytesIO(content), events=("start-ns", "start", "end"), forbid_dtd=True
        ):
            if event == "start-ns":
                prefixes.setdefault(value[1], value[0])
            elif root is None:
                root = value
            elif event == "end":
                is_whole = value is root
    except DefusedXmlException as error:
        problems.append(f"XMP: refused, it declares a DTD or entities ({type(error).__name__})")
        return {}
    except (ParseError, ValueError, LookupError) as error:
        words = "more follows the packet" if is_whole else "not well-formed XML"
        problems.append(f"XMP: {words}, read up to there ({' '.join(str(error).split())[:100]})")
    return {} if root is None else bound_entries(_flatten(root, prefixes, problems), "XMP", problems)


def _flatten(root: Element, prefixes: dict[str, str], problems: list[str]) -> Iterator[tuple[str, str]]:
    """Every attribute and text with its path, in document order; below `MAX_DEPTH` nothing is read."""
    pending: list[tuple[Element, str, int]] = [(root, "", 0)]
    has_deeper = False
    while pending:
        element, parent, depth = pending.pop()
        path = parent if element.tag in _WRAPPERS else _join(parent, _name(element.tag, prefixes))
        for attribute, value in element.attrib.items():
            if attribute not in _SKIPPED_ATTRIBUTES and not attribute.startswith(
                "{http://www.w3.org/XML/1998"
            ):
                yield _join(path, _name(attribute, prefixes)), value
        text = (element.text or "").strip()
        if text:
            yield path or "text", text
        if depth >= MAX_DEPTH:
            has_deeper |= len(element) > 0
            continue
        items = 0
        children: list[tuple[Element, str, int]] = []
        for child in element:
            if child.tag == f"{_RDF}li":
                items += 1
                children.append((child, f"{path}[{items}]", depth + 1))
            else:
                children.append((child, path, depth + 1))
        pending.extend(reversed(children))
    if has_deeper:
        problems.append(f"XMP: nested deeper than {MAX_DEPTH} levels, read down to there")


def _join(parent: str, name: str) -> str:
    return f"{parent}/{name}" if parent and name else parent or name


def _name(tag: str, prefixes: dict[str, str]) -> str:
    """A qualified name as written in the packet; list items have only their number, which the path holds."""
    if tag == f"{_RDF}li":
        return ""
    namespace, separator, local = tag.removeprefix("{").rpartition("}")
    if not separator:
        return tag
    prefix = prefixes.get(namespace)
    return f"{prefix}:{local}" if prefix else local
