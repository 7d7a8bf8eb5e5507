"""Core types: what was received (Evidence), what one method says (Finding), what is stated (Report).

All are frozen; arrays are (H, W[, C]), row-major, origin top-left. Every score and map says
*higher = more likely tampered*.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeVar
from weakref import ReferenceType, ref

import numpy as np
from numpy.typing import NDArray

DEFAULT_MAX_PIXELS = 120_000_000  # about 360 MB of RGB; the largest phone sensors give 108 or 200 million

Family = Literal[
    "jpeg",
    "noise",
    "camera",
    "resampling",
    "copy-move",
    "metadata",
    "provenance",
    "learned",
    "reconstruction",
]
Status = Literal["ok", "not_applicable", "failed"]
Label = Literal["authentic", "tampered", "inconclusive"]
Manipulation = Literal["splicing", "copy_move", "removal", "retouch", "text"]

OUTSIDE_KEY = "outside_calibration"  # observation: why the score enters no statement, in clauses
CONDITIONS_KEY = "outside_by_size_or_format"  # observation: True where these alone put a score outside

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]
UInt8Array = NDArray[np.uint8]
UInt16Array = NDArray[np.uint16]
Int16Array = NDArray[np.int16]
FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]
CellT = TypeVar("CellT", bound=np.generic)


@dataclass(frozen=True, slots=True)
class JpegInfo:
    """How a JPEG was encoded; the coefficients are decoded when first asked for, and kept.

    Attributes:
        quantization_tables: one (8, 8) uint16 divisor table per component, natural order.
        subsampling: chroma subsampling such as "4:2:0"; "gray" for one component.
        is_progressive: True for a progressive scan order.
        estimated_quality: inferred IJG quality 1-100, None where no IJG table is near.
        is_standard_tables: True where the tables equal the IJG tables at `estimated_quality`.
        markers: marker names in file order, for example ("SOI", "APP0", "DQT", ...).
        trailing_bytes: number of bytes after the end-of-image marker.
        coefficient_reader: reads the quantized DCT coefficients, see `read_coefficients`.
    """

    quantization_tables: tuple[UInt16Array, ...]
    subsampling: str
    is_progressive: bool
    estimated_quality: int | None
    is_standard_tables: bool
    markers: tuple[str, ...]
    trailing_bytes: int
    coefficient_reader: Callable[[], tuple[Int16Array, ...]] = field(repr=False, compare=False)

    def read_coefficients(self) -> tuple[Int16Array, ...]:
        """Quantized DCT coefficients, one (rows of blocks, columns of blocks, 8, 8) int16 array a component.

        Everybody is handed the same arrays, which are therefore read-only.

        Raises:
            EvidenceError: the entropy-coded data cannot be decoded.
        """
        return self.coefficient_reader()


@dataclass(frozen=True, slots=True)
class InferredJpeg:
    """The JPEG that the pixels of another file were decoded from, as inferred from them.

    Attributes:
        offset: row and column, 0 to 7, where its first whole block begins in the picture.
        table: (8, 8) uint16 luminance divisors, 1 to 255, natural order.
        is_seen: (8, 8) bool, divisors that the coefficients show; the others are those of a known table.
        estimated_quality: inferred IJG quality 1-100, None where no IJG table is near.
        is_standard_table: True where the table equals the IJG table at `estimated_quality`.
        encoder: known encoder and setting that write this table, in words; else what is not seen is a guess.
        gain: log likelihood ratio of a sample's coefficients on this grid against none, in nats.
        fit: share of a sample's blocks with detail that are on the grid and of the table, in [0, 1].
        confidence: lower 95 % bound, measured on photographs, of the share of results with a known table
            whose grid and seen divisors are right; None for an unknown table, where it was not measured.
        coefficient_reader: computes the quantized luma coefficients, see `read_coefficients`.
    """

    offset: tuple[int, int]
    table: UInt16Array
    is_seen: BoolArray
    estimated_quality: int | None
    is_standard_table: bool
    encoder: str | None
    gain: float
    fit: float
    confidence: float | None
    coefficient_reader: Callable[[], Int16Array] = field(repr=False, compare=False)

    def describe(self) -> str:
        """In words, as a clause."""
        if self.encoder is not None:
            words = f"whose luminance table is consistent with {self.encoder}"
        elif self.estimated_quality is not None:
            words = f"of about quality {self.estimated_quality}"
        else:
            words = "with an unknown luminance table"
        row, column = self.offset
        return f"the picture was a JPEG {words}, its grid at row {row}, column {column}"

    def read_coefficients(self) -> Int16Array:
        """Quantized luma coefficients of its whole blocks: (rows, columns, 8, 8) int16, read-only."""
        return self.coefficient_reader()


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the file says of itself. Every string is as found: hostile until escaped by its sink.

    Attributes:
        exif: tag name (for example "Image Make", "EXIF DateTimeOriginal") to printable value.
        xmp: property path to value.
        iptc: dataset name to value.
        text: text fields of the container: PNG keywords, JPEG and GIF comments.
        icc_description: description of the ICC profile, None without one.
        camera: "make model" as in EXIF, None without.
        software: every software or creator tool named, in order found, without repeats.
        dates: name of the date field to its value as written.
        gps: (latitude, longitude) in decimal degrees, None without.
        gps_source: where the position was found, "EXIF" or "XMP", None without.
        thumbnail: (H, W, 3) uint8 RGB pixels of the embedded EXIF thumbnail, None without.
        thumbnail_quantization_tables: (8, 8) uint16 tables of the thumbnail's JPEG, natural order.
        photoshop_resources: names of Photoshop's image resources, in file order.
        photoshop_quality: "save as" level 0-12 that those resources record, None without.
        trailing: what follows the end of the image in the file, each part in words.
        has_credentials: a container as content credentials use it is in the file; it is not verified here.
        problems: what could not be read, in words.
        unread: kinds that are in the file and could not be read, or not as a whole: "EXIF", "XMP", "IPTC",
            "image resources", "text"; `problems` says why.
    """

    exif: Mapping[str, str] = field(default_factory=dict)
    xmp: Mapping[str, str] = field(default_factory=dict)
    iptc: Mapping[str, str] = field(default_factory=dict)
    text: Mapping[str, str] = field(default_factory=dict)
    icc_description: str | None = None
    camera: str | None = None
    software: tuple[str, ...] = ()
    dates: Mapping[str, str] = field(default_factory=dict)
    gps: tuple[float, float] | None = None
    gps_source: str | None = None
    thumbnail: UInt8Array | None = None
    thumbnail_quantization_tables: tuple[UInt16Array, ...] = ()
    photoshop_resources: tuple[str, ...] = ()
    photoshop_quality: int | None = None
    trailing: tuple[str, ...] = ()
    has_credentials: bool = False
    problems: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Truncation:
    """A file that ends before its image does, and how much of the image was decoded.

    Attributes:
        declared_height: rows of pixels that the file declares.
        decoded_height: rows that it holds whole; the others are left out, never filled.
        has_all_detail: False where a progressive file lacks its last scans.
    """

    declared_height: int
    decoded_height: int
    has_all_detail: bool = True

    def describe(self) -> str:
        """In words, as a clause.

        >>> Truncation(3000, 512).describe()
        'the file is cut short: 512 of 3000 rows of pixels are there'
        """
        words = (
            f"the file is cut short: {self.decoded_height} of {self.declared_height} rows of pixels are there"
        )
        return words if self.has_all_detail else f"{words}, with less detail than was saved"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One file as it was received. Read once, never changed.

    Attributes:
        name: the name as received (the file's own, "-" for standard input); hostile until escaped.
        path: where it was read from, None for bytes.
        size_bytes: size of the file.
        sha256: hexadecimal SHA-256 of the file's bytes.
        pixel_sha256: hexadecimal SHA-256 of `pixels` in row-major order.
        format: true format by content: "JPEG", "PNG", "TIFF", "WEBP", "BMP", "HEIF", "AVIF", "GIF".
        has_matching_extension: False where the name's extension belongs to another format.
        mode: pixel mode as stored, in Pillow's words, for example "RGB", "CMYK", "I;16".
        pixels: (H, W, 3) uint8 RGB as stored: never rotated, never resized.
        orientation: EXIF orientation 1-8, for display only.
        frame_count: number of frames; `pixels` is the first.
        jpeg: how the JPEG was encoded, None for every other format.
        metadata: what the file says of itself.
        notes: every conversion done to reach `pixels`, in words.
        content_reader: gives the file's bytes, see `read_content`; None where they are not at hand.
        truncation: what is missing of a file that is cut short, None for a whole one.
        history_reader: infers the JPEG that the pixels were decoded from, see `inferred_jpeg`.
    """

    name: str
    path: Path | None
    size_bytes: int
    sha256: str
    pixel_sha256: str
    format: str
    has_matching_extension: bool
    mode: str
    pixels: UInt8Array = field(repr=False)
    orientation: int
    frame_count: int
    jpeg: JpegInfo | None
    metadata: Metadata
    notes: tuple[str, ...] = ()
    content_reader: Callable[[], bytes] | None = field(default=None, repr=False, compare=False)
    truncation: Truncation | None = None
    history_reader: Callable[[], InferredJpeg | None] | None = field(default=None, repr=False, compare=False)

    @property
    def inferred_jpeg(self) -> InferredJpeg | None:
        """The JPEG that the pixels were decoded from, where they show one; inferred when first asked for.

        None for a JPEG, which tells its own coding, and for formats with transforms of their own.
        """
        return None if self.history_reader is None else self.history_reader()

    def read_content(self) -> bytes:
        """The bytes of the file as received; read again from its path unless they are held anyway.

        Raises:
            EvidenceError: the file is gone or has changed since it was read.
            ValueError: the evidence was made without its file.
        """
        if self.content_reader is None:
            raise ValueError(f"expected evidence with its file's bytes, {self.name!r} was made without them")
        return self.content_reader()

    @property
    def height(self) -> int:
        """Height in pixels, as stored."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Width in pixels, as stored."""
        return int(self.pixels.shape[1])

    @property
    def declared_size(self) -> tuple[int, int]:
        """(height, width) that the file declares: more rows than `pixels` has where it is cut short."""
        height = self.height if self.truncation is None else self.truncation.declared_height
        return height, self.width


@dataclass(frozen=True, slots=True)
class LocalizationMap:
    """Where a method sees traces.

    What a method knows a block is brought to the size of the evidence when somebody looks, and kept as long
    as somebody holds it: a map takes the array, or a function that draws it.

    Attributes:
        values_source: of `values`.
        valid_source: of `valid`; None where the method can tell everywhere.
    """

    values_source: FloatArray | Callable[[], FloatArray] = field(repr=False)
    valid_source: BoolArray | Callable[[], BoolArray] | None = field(default=None, repr=False)
    _held: list[ReferenceType[FloatArray]] = field(
        default_factory=list, init=False, repr=False, compare=False
    )

    def __reduce__(self) -> tuple[object, ...]:
        """How a pickle or a copy is made: from the sources, with nothing drawn yet."""
        return type(self), (self.values_source, self.valid_source)

    @property
    def values(self) -> FloatArray:
        """(H, W) float32 in [0, 1], the size of the evidence, higher = more likely tampered."""
        held = self._held[-1]() if self._held else None
        if held is None:
            held = _draw(self.values_source)
            self._held[:] = [ref(held)]
        return held

    @property
    def valid(self) -> BoolArray | None:
        """(H, W) bool, False where the method cannot tell; None where it can everywhere."""
        return None if self.valid_source is None else _draw(self.valid_source)

    def reach(self, threshold: float) -> BoolArray:
        """(H, W) bool, True where the values are at or above a threshold."""
        return self.values >= np.float32(threshold)


@dataclass(frozen=True, slots=True)
class Artifact:
    """One picture that a method made for people to look at.

    Attributes:
        source: of `pixels`, or a function that draws them.
        caption: what is shown and on which fixed scale.
    """

    source: UInt8Array | Callable[[], UInt8Array] = field(repr=False)
    caption: str

    @property
    def pixels(self) -> UInt8Array:
        """(H, W) or (H, W, 3) uint8."""
        return _draw(self.source)


@dataclass(frozen=True, slots=True)
class Opinion:
    """A calibrated reading of one score.

    Attributes:
        probability: of H1 (tampered) at even prior odds, [0, 1].
        log10_lr: log10 of the likelihood ratio, within `log10_lr_bounds`.
        log10_lr_bounds: the largest support for H2 and for H1 that the calibration data allow.
        label: by the thresholds of the calibration; "inconclusive" between them.
        population: what it was calibrated on, with counts.
        protocol: evaluation protocol of the calibration data: "raw", "resaved" or "twin".
    """

    probability: float
    log10_lr: float
    log10_lr_bounds: tuple[float, float]
    label: Label
    population: str
    protocol: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What one method says about one piece of evidence.

    Attributes:
        method: name of the method.
        family: family of traces that it reads.
        status: "ok", "not_applicable" (the evidence lacks what it requires) or "failed".
        score: [0, 1], higher = more likely tampered; None where the method gives observations only.
        map: localization map, None where the method has none.
        mask_source: of `mask`, or a function that draws it.
        threshold: of the map.
        threshold_policy: how the threshold was chosen: f1_fixed, far_1pct, ...
        opinion: calibrated reading of the score, None for an uncalibrated method.
        artifacts: name to picture.
        observations: name to value: the facts seen, JSON-ready.
        notes: what a reader has to know, in words; for status other than ok, why.
        seconds: time taken.
    """

    method: str
    family: Family
    status: Status
    score: float | None = None
    map: LocalizationMap | None = None
    mask_source: BoolArray | Callable[[], BoolArray] | None = field(default=None, repr=False)
    threshold: float | None = None
    threshold_policy: str | None = None
    opinion: Opinion | None = None
    artifacts: Mapping[str, Artifact] = field(default_factory=dict)
    observations: Mapping[str, JsonValue] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def mask(self) -> BoolArray | None:
        """(H, W) bool of the map at `threshold`, True = tampered; None without a threshold."""
        return None if self.mask_source is None else _draw(self.mask_source)


@dataclass(frozen=True, slots=True)
class Statement:
    """The findings combined: two propositions, how far the findings separate them, in number and words.

    Attributes:
        label: authentic, tampered or inconclusive.
        probability: of H1 at even prior odds, None where nothing calibrated applies.
        log10_lr: log10 likelihood ratio of H1 against H2, None likewise.
        log10_lr_bounds: bounds that the calibration data allow, None likewise.
        phrase: the statement in words, verbal scale included.
        population: what the calibration rests on, None likewise.
        basis: names of the methods that moved it.
        reasons: why the label is what it is, one sentence each.
        evidence_class: class of evidence whose calibration was taken; None where all evidence is read alike.
    """

    label: Label
    probability: float | None
    log10_lr: float | None
    log10_lr_bounds: tuple[float, float] | None
    phrase: str
    population: str | None
    basis: tuple[str, ...]
    reasons: tuple[str, ...]
    evidence_class: str | None = None


@dataclass(frozen=True, slots=True)
class Region:
    """One connected region (touching at sides or corners) in pixels as stored.

    Attributes:
        top: first row.
        left: first column.
        height: rows of the bounding box.
        width: columns of the bounding box.
        area: number of pixels.
        mean: mean of the map inside.
        max: largest value of the map inside.
    """

    top: int
    left: int
    height: int
    width: int
    area: int
    mean: float
    max: float


@dataclass(frozen=True, slots=True)
class MarkedRegion(Region):
    """A region that the report marks, see `Region`; its map is in [0, 1].

    Attributes:
        supported_by: other methods whose own maps mark most of it, and little else.
        log10_lr: log10 ratio of "altered here" against "not altered", None where regions are not calibrated.
        log10_lr_bounds: largest support either way that the calibration allows, None likewise.
    """

    supported_by: tuple[str, ...] = ()
    log10_lr: float | None = None
    log10_lr_bounds: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """What the report marks in the picture: never more than the statement supports.

    Attributes:
        method: whose map is marked.
        threshold: of the map; None where nothing is marked whatever the map shows.
        why: how the threshold was chosen, a sentence.
        area: number of marked pixels.
        count: number of regions.
        regions: the largest, largest first.
    """

    method: str
    threshold: float | None
    why: str
    area: int
    count: int
    regions: tuple[MarkedRegion, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All findings on one piece of evidence and the statement they amount to.

    Attributes:
        evidence: the evidence itself.
        findings: one per configured method, in order.
        statement: the calibrated statement.
        settings: every parameter used, defaults too, JSON-ready.
        config_digest: SHA-256 of the settings.
        bundle_digests: name of each bundle used to its SHA-256.
        versions: of imforensics, Python and each library that decoded or computed.
        command_line: as given, empty when called from Python.
        started_at: UTC.
        created_at: UTC, when the last method was done.
        sha256_after: SHA-256 of the file read again after the analysis, None for bytes.
        case: what the user says of the examination: "case", "item", "operator"; those given.
        marks: what is marked in the picture; None where the statement rests on no map.
    """

    evidence: Evidence
    findings: tuple[Finding, ...]
    statement: Statement
    settings: Mapping[str, JsonValue]
    config_digest: str
    bundle_digests: Mapping[str, str]
    versions: Mapping[str, str]
    command_line: tuple[str, ...]
    started_at: datetime
    created_at: datetime
    sha256_after: str | None
    case: Mapping[str, str] = field(default_factory=dict)
    marks: Marks | None = None


@dataclass(frozen=True, slots=True)
class MethodDescription:
    """What a reader has to know of a method, for those who may not import it (reports).

    Attributes:
        name: name of the method.
        family: family of traces that it reads.
        question: the question it answers.
        idea: what it does, in a few sentences.
        limitations: when it fails or misleads.
        citation: where it was published: authors, title, venue, year.
        doi: bare DOI, None where the work has none.
        experimental: why it is not run by default, with the measured figure; None for a proven method.
    """

    name: str
    family: Family
    question: str
    idea: str
    limitations: str
    citation: str
    doi: str | None = None
    experimental: str | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One image of a data set, by path: data sets give paths and labels, never pixels.

    Attributes:
        image_path: the image.
        label: 0 authentic, 1 tampered.
        group: source id; samples of one group never straddle a split.
        mask_path: ground truth, None for authentic images and where there is none.
        manipulation: the operation, None for authentic images and where it is not known.
        host: id of the image pasted into (an authentic image's own id), None where not known.
        donor: id of the image pasted from, None where not known.
    """

    image_path: Path
    label: Literal[0, 1]
    group: str
    mask_path: Path | None = None
    manipulation: Manipulation | None = None
    host: str | None = None
    donor: str | None = None


def _draw(source: NDArray[CellT] | Callable[[], NDArray[CellT]]) -> NDArray[CellT]:
    return source() if callable(source) else source
