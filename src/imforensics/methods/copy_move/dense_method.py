"""Copy-move by a dense field of matches: copies of smooth parts too, without OpenCV."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from imforensics.methods.base import Method, MethodOptions, Reference
from imforensics.methods.copy_move.finding import find_blindness, min_shift, report_duplicates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imforensics.methods.copy_move.finding import Candidate
    from imforensics.types import Evidence, Finding, FloatArray

SMALL = 300_000  # pixels up to which every pixel is matched; every second row and column beyond
RADIUS_SMALL, RADIUS = 6, 8  # of the discs that are described
MIN_PIXELS = 150  # of a part of the field
MAX_REGIONS = 10


class CopyMoveDense(Method):
    """Nearest neighbours of all patches by PatchMatch; parts of the field that an affine map explains.

    Parts are verified and scored as by `copy_move`: 0.5 is reached where the difference of both parts is 1.15
    times what the file's last saving leaves of a copy.
    """

    name = "copy_move_dense"
    family = "copy-move"
    question = "Does a region of the picture repeat another one, even where there are no keypoints?"
    idea = (
        "Every patch is described by the magnitudes of Zernike moments, which are invariant to rotation and "
        "mirroring, and the most similar patch elsewhere in the picture is searched for (PatchMatch). In a "
        "copy the offsets of neighbouring patches follow one affine map; regions where they do are compared "
        "pixel by pixel: a copy differs from its source by no more than one compression and interpolation "
        "explain."
    )
    limitations = (
        "Copies scaled by more than about 20 % are missed: use copy_move. So are copies smaller than about "
        "300 pixels or shifted by less than 20 pixels, and smooth regions whose detail was removed by strong "
        "compression. Manufactured repetition (printed patterns, text, identical articles) can be flagged; "
        "copies mirrored in place are excluded because symmetric objects look the same. Pictures above 0.6 "
        "megapixels are searched at reduced size, where small copies vanish."
    )
    reference = Reference(
        "D. Cozzolino, G. Poggi, L. Verdoliva, Efficient dense-field copy-move forgery detection, IEEE "
        "Transactions on Information Forensics and Security 10(11), 2015",
        doi="10.1109/TIFS.2015.2455334",
    )

    class Options(MethodOptions):
        """Options of the dense-field method.

        Attributes:
            max_megapixels: larger pictures are searched at this size.
        """

        max_megapixels: float = Field(0.6, ge=0.05, le=4)

    options: Options

    def analyze(self, evidence: Evidence) -> Finding:
        """Match all patches, verify where the field is regular, mark what agrees."""
        reason = find_blindness(evidence)
        if reason is not None:
            return self._decline(reason)
        from imforensics.methods.copy_move.duplicate_evidence import make_working_luma

        luma, scale = make_working_luma(
            evidence.pixels, max_pixels=round(self.options.max_megapixels * 1_000_000)
        )
        return report_duplicates(self.name, self.family, evidence, (luma, scale), _candidates(luma), ())


def _candidates(luma: FloatArray) -> Iterator[Candidate]:
    from imforensics.methods.copy_move.circular_harmonics import zernike_features
    from imforensics.methods.copy_move.offset_field import find_field_regions
    from imforensics.methods.copy_move.patch_match import match_patches

    is_small = luma.size <= SMALL
    radius, step = (RADIUS_SMALL, 1) if is_small else (RADIUS, 2)
    features = zernike_features(luma, radius=radius)
    field = match_patches(features, margin=radius, step=step, min_distance=min_shift(luma.shape))
    for region in find_field_regions(field, min_cells=MIN_PIXELS // step**2, limit=MAX_REGIONS):
        yield region.transform, region.points
