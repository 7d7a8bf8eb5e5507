"""Add to a localizer's bundle what it was measured at, and pictures on which it fails.

    python scripts/describe_localizer.py BUNDLE RESULTS [RESULTS ...]

RESULTS are results folders of `imforensics evaluate` about this bundle as it is, before anything is added.
The pictures are made from the redistributable sample.
"""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from imforensics.evidence import read_evidence
from imforensics.methods.learned.localizer import LearnedLocalizer
from imforensics.metrics.localization import localize_metrics
from imforensics.models.localizer.bundle import load_localizer
from imforensics.models.localizer.writer import add_to_bundle, read_measurement
from imforensics.preprocessing.chains import Chain, apply_chain, transform_mask
from imforensics.preprocessing.jpeg import encode_jpeg
from imforensics.report.encoding import encode_jpeg as encode_picture
from imforensics.report.figures import display_picture, heatmap, reduce_map
from imforensics.types import BoolArray, LocalizationMap, UInt8Array

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "samples"
SHOWN = 3
LONGEST = 320  # pixels of each of the three pictures beside each other
GAP = 4
CREDIT = "Made from data/samples (danielbuechele, CC BY 2.0). From the left: picture, map from 0 to 1, truth."


@dataclass(frozen=True)
class Case:
    """A made picture.

    Attributes:
        content: the file.
        mask: (H, W) bool, True = altered; None for an authentic one.
        words: what was done.
    """

    content: bytes
    mask: BoolArray | None
    words: str


@dataclass(frozen=True)
class Failure:
    """A case as the localizer sees it; `badness` is in [0, 1], 1 = nothing right."""

    case: Case
    pixels: UInt8Array
    map: LocalizationMap
    badness: float
    words: str


def main() -> None:
    """Check that the results are about the bundle, and add them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("results", type=Path, nargs="+")
    arguments = parser.parse_args()
    digest, paths = load_localizer(arguments.bundle).digest, [f / "metrics.json" for f in arguments.results]
    for path in paths:
        found = json.loads(path.read_text(encoding="utf-8"))["methods"]["localizer"]["settings"]["bundles"]
        if digest not in found.values():
            parser.error(f"{path} is about {found}, not about {digest}. Evaluate the bundle again")
    measurements = [read_measurement(path) for path in paths]
    pictures = make_failures(arguments.bundle)
    for picture in add_to_bundle(arguments.bundle, measurements=measurements, pictures=pictures).pictures:
        print(f"{picture.file}: {picture.words}")


def make_failures(bundle: Path) -> dict[str, tuple[bytes, str]]:
    """Name of a file to JPEG and words, of the made cases that a bundle does worst on.

    Authentic and altered pictures both, where it fails on both.

    Args:
        bundle: folder of the localizer.
    """
    options = LearnedLocalizer.Options(bundle=f"{bundle.resolve().as_posix()}/")
    method = LearnedLocalizer(options)
    found = sorted((look(method, case) for case in make_cases()), key=lambda item: -item.badness)
    altered = [item for item in found if item.case.mask is not None]
    authentic = [item for item in found if item.case.mask is None and item.badness > 0]
    chosen = [*altered[: SHOWN - 1], *authentic[:1]]
    chosen += altered[len(chosen) : SHOWN] if len(chosen) < SHOWN else []
    return {
        f"failure_{number}.jpg": (draw(item), f"{item.words} {CREDIT}")
        for number, item in enumerate(chosen, start=1)
    }


def make_cases() -> Iterator[Case]:
    """Alterations after which little is left to see, and authentic pictures that look altered."""
    authentic, tampered = (
        read_evidence(SAMPLES / f"{name}.jpg").pixels for name in ("authentic", "tampered")
    )
    mask = np.asarray(Image.open(SAMPLES / "tampered_mask.png").convert("L")) >= 128
    chains = {
        "A pavilion copied in; recompressed at quality 50": Chain("jpeg", quality=50),
        "A pavilion copied in; reduced to half its size and saved at quality 80": Chain(
            "resize", scale=0.5, quality=80
        ),
        "A pavilion copied in; blurred by one pixel and saved at quality 95": Chain("blur", blur=1.0),
        "A pavilion copied in; a screenshot of it, saved as PNG": Chain(
            "screenshot", crop=(3, 5), scale=0.8, format="PNG"
        ),
    }
    for words, chain in chains.items():
        yield Case(apply_chain(tampered, chain), transform_mask(mask, chain), f"{words}.")
    yield copy_on_the_grid()
    for quality in (60, 75):
        words = f"The authentic picture, recompressed at quality {quality}."
        yield Case(apply_chain(authentic, Chain("jpeg", quality=quality)), None, words)
    yield write_on_it(authentic)


def copy_on_the_grid() -> Case:
    """A part moved by whole blocks: its history is that of the place it comes to."""
    evidence = read_evidence(SAMPLES / "authentic.jpg")
    pixels, mask = evidence.pixels.copy(), np.zeros(evidence.pixels.shape[:2], np.bool_)
    mask[240:320, 400:528] = True
    pixels[240:320, 400:528] = evidence.pixels[240:320, 80:208]
    tables = () if evidence.jpeg is None else evidence.jpeg.quantization_tables
    words = "A part of the picture copied within it by whole blocks, saved with the same tables."
    return Case(encode_jpeg(pixels, tables=tables, subsampling="4:4:4"), mask, words)


def write_on_it(authentic: UInt8Array) -> Case:
    """A reduced picture within a plain frame, as pages and slides show them: no part of it is altered."""
    picture = Image.fromarray(authentic).resize((480, 320), Image.Resampling.LANCZOS)
    frame = Image.new("RGB", (640, 416), "white")
    frame.paste(picture, (80, 48))
    buffer = io.BytesIO()
    frame.save(buffer, "JPEG", quality=85)
    return Case(
        buffer.getvalue(), None, "The authentic picture, reduced and laid on a white page; saved once."
    )


def look(method: LearnedLocalizer, case: Case) -> Failure:
    """What the localizer says of a case, and how wrong that is."""
    evidence = read_evidence(case.content)
    finding = method.analyze(evidence)
    if finding.map is None or finding.mask is None:
        raise ValueError(f"Expected a map of {case.words!r}; received none: {finding.notes}")
    share = float(finding.mask.mean())
    said = f"Score {finding.score:.2f}, {share:.1%} of the picture marked"
    failure = Failure(case, evidence.pixels, finding.map, share, f"{case.words} {said}.")
    if case.mask is None:
        return failure
    auc = localize_metrics(finding.map.values, case.mask, threshold=None, valid=finding.map.valid)["auc"]
    words = f"{case.words} Pixel AUC {auc:.2f}; {said[0].lower()}{said[1:]}."
    return replace(failure, badness=1 - auc, words=words)


def draw(failure: Failure) -> bytes:
    """Picture, map and truth beside each other, JPEG."""
    truth = failure.case.mask
    white = np.zeros(failure.pixels.shape[:2], np.bool_) if truth is None else truth
    parts = [
        display_picture(failure.pixels, longest=LONGEST),
        heatmap(reduce_map(failure.map, longest=LONGEST)),
        display_picture(np.repeat(white[..., None].astype(np.uint8) * 255, 3, axis=2), longest=LONGEST),
    ]
    gap = np.full((parts[0].shape[0], GAP, 3), 255, np.uint8)
    return encode_picture(np.concatenate([parts[0], gap, parts[1], gap, parts[2]], axis=1))


if __name__ == "__main__":
    main()
