"""XMP to a flat mapping of property paths, parsed without entities, DTDs or recursion."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, ParseError

from imforensics.evidence.text import bound_entries

MAX_XMP_BYTES = 4 * 1024 * 1024
MAX_PACKETS = 8  # of one file; one is regular
MAX_ELEMENTS = 120_000  # of all packets; a long list of ancestors in a Photoshop file has tens of thousands
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
    different = list(dict.fromkeys(packets))
    for packet in different[:MAX_PACKETS]:
        found = _read_packet(packet, MAX_ELEMENTS // min(len(different), MAX_PACKETS), problems) | found
    if len(different) > MAX_PACKETS:
        problems.append(
            f"XMP: {len(different) - MAX_PACKETS} packets beyond the first {MAX_PACKETS} are not read"
        )
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


@dataclass(slots=True)
class _Tree:
    """What was parsed of a packet, up to its end or to where it breaks."""

    root: Element | None = None
    prefixes: dict[str, str] = field(default_factory=dict)
    is_whole: bool = False


def _read_packet(packet: bytes, limit: int, problems: list[str]) -> dict[str, str]:
    from defusedxml.common import DefusedXmlException

    if len(packet) > MAX_XMP_BYTES:
        problems.append(f"XMP: {len(packet)} bytes are more than the {MAX_XMP_BYTES} that are read")
        return {}
    content = packet.rstrip(b"\x00 \r\n\t")
    if not content.startswith(_BYTE_ORDER_MARKS):  # in UTF-8 a packet begins with its first "<"
        content = content[max(0, content.find(b"<")) :]
    if not content:
        return {}
    tree = _Tree()
    try:
        if not _parse(content, tree, limit):
            problems.append(f"XMP: more than {limit} elements, read in part")
    except DefusedXmlException as error:
        problems.append(f"XMP: refused, it declares a DTD or entities ({type(error).__name__})")
        return {}
    except (ParseError, ValueError, LookupError) as error:
        words = "more follows the packet" if tree.is_whole else "not well-formed XML"
        problems.append(f"XMP: {words}, read up to there ({' '.join(str(error).split())[:100]})")
    found = bound_entries(_flatten(tree, problems), "XMP", problems)
    if not found and tree.root is not None:  # it is there, and its absence may not be claimed
        found = {_name(tree.root.tag, tree.prefixes): "no properties"}
    return found


def _parse(content: bytes, tree: _Tree, limit: int) -> bool:
    """Fill the tree; False where the packet has more elements than the limit."""
    from defusedxml.ElementTree import iterparse

    for event, value in iterparse(io.BytesIO(content), events=("start-ns", "start", "end"), forbid_dtd=True):
        if event == "start-ns":
            tree.prefixes.setdefault(value[1], value[0])
        elif event == "end":
            tree.is_whole = value is tree.root
        else:
            tree.root = value if tree.root is None else tree.root
            limit -= 1
            if limit < 0:
                return False
    return True


def _flatten(tree: _Tree, problems: list[str]) -> Iterator[tuple[str, str]]:
    """Every attribute and text with its path, in document order; below `MAX_DEPTH` nothing is read."""
    pending: list[tuple[Element, str, int]] = [] if tree.root is None else [(tree.root, "", 0)]
    has_deeper = False
    while pending:
        element, parent, depth = pending.pop()
        path = parent if element.tag in _WRAPPERS else _join(parent, _name(element.tag, tree.prefixes))
        for attribute, value in element.attrib.items():
            if attribute not in _SKIPPED_ATTRIBUTES and not attribute.startswith(
                "{http://www.w3.org/XML/1998"
            ):
                yield _join(path, _name(attribute, tree.prefixes)), value
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
