"""Copy-move by keypoints: parts of the picture that are copies of other parts of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from imforensics.methods.base import Method, MethodOptions, Reference
from imforensics.methods.copy_move.finding import find_blindness, min_shift, report_duplicates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imforensics.methods.copy_move.finding import Candidate
    from imforensics.methods.copy_move.keypoints import Keypoints
    from imforensics.types import Evidence, Finding

RATIO = 0.75  # of neighbouring distances; looser than usual, every candidate is verified
TOLERANCE = 3.0  # pixels within which a match follows a map
MIN_MATCHES = 4
MAX_CLUSTERS = 6  # with and without a mirror, each
MISSING = (
    'OpenCV is not installed, and keypoints need it: pip install "imforensics[copy-move]". '
    "copy_move_dense looks for copies without it."
)


class CopyMove(Method):
    """Keypoints that match within one picture, grouped by affine maps; parts that agree under one.

    The map is refined on the gray values and both parts are compared in fine detail. Their difference is
    measured against what the file's last saving leaves of a copy: 0.5 is reached where it is 1.15 times that.
    """

    name = "copy_move"
    family = "copy-move"
    question = "Are two regions of the picture copies of each other, possibly rotated and scaled?"
    idea = (
        "SIFT describes keypoints so that a rotated or scaled copy of a point has a similar descriptor. "
        "Points that match others in the same picture are grouped by the affine map on which they agree. "
        "Under this map the regions around them are compared pixel by pixel: a copy differs from its source "
        "by no more than one compression and interpolation explain, whereas objects that merely look alike "
        "differ more."
    )
    limitations = (
        "Smooth regions have no keypoints and are missed, as are copies smaller than about 300 pixels or "
        "shifted by less than 20 pixels. Strong compression after copying hides copies of low contrast. "
        "Manufactured repetition (printed patterns, text, identical articles) can be flagged; copies "
        "mirrored in place are excluded because symmetric objects look the same. Only in a few cases can the "
        "method show which region is the copy. Large pictures are searched at reduced size."
    )
    reference = Reference(
        "I. Amerini, L. Ballan, R. Caldelli, A. Del Bimbo, G. Serra, A SIFT-based forensic method for "
        "copy-move attack detection and transformation recovery, IEEE Transactions on Information Forensics "
        "and Security 6(3), 2011",
        doi="10.1109/TIFS.2011.2129512",
    )

    class Options(MethodOptions):
        """Options of the keypoint method.

        Attributes:
            max_megapixels: larger pictures are searched at this size.
            max_keypoints: the strongest are taken.
            mirrored: look for mirrored copies too.
        """

        max_megapixels: float = Field(1.5, ge=0.1, le=12)
        max_keypoints: int = Field(5000, ge=100, le=20_000)
        mirrored: bool = True

    options: Options

    def analyze(self, evidence: Evidence) -> Finding:
        """Match keypoints, verify what their groups suggest, mark what agrees."""
        from imforensics.methods.copy_move.keypoints import find_keypoints, has_opencv

        if not has_opencv():
            return self._decline(MISSING)
        reason = find_blindness(evidence)
        if reason is not None:
            return self._decline(reason)
        from imforensics.methods.copy_move.duplicate_evidence import make_working_luma

        luma, scale = make_working_luma(
            evidence.pixels, max_pixels=round(self.options.max_megapixels * 1_000_000)
        )
        plane = np.clip(np.rint(luma), 0, 255).astype(np.uint8)
        keypoints = find_keypoints(plane, limit=self.options.max_keypoints)
        if len(keypoints.positions) < 2 * MIN_MATCHES:
            note = "Hardly any keypoints were found: on a picture this smooth the method has little power."
        else:
            note = f"{len(keypoints.positions)} keypoints were compared with each other."
        candidates = self._candidates(keypoints, (luma.shape[0], luma.shape[1]))
        return report_duplicates(self.name, self.family, evidence, (luma, scale), candidates, (note,))

    def _candidates(self, keypoints: Keypoints, shape: tuple[int, int]) -> Iterator[Candidate]:
        from imforensics.methods.copy_move.keypoints import match_keypoints
        from imforensics.methods.copy_move.match_clusters import cluster_matches

        for mirrored in (False, True) if self.options.mirrored else (False,):
            pairs = match_keypoints(keypoints, min_distance=min_shift(shape), ratio=RATIO, mirrored=mirrored)
            clusters = cluster_matches(
                keypoints.positions[pairs[:, 0]],
                keypoints.positions[pairs[:, 1]],
                tolerance=TOLERANCE,
                min_matches=MIN_MATCHES,
                limit=MAX_CLUSTERS,
                mirrored=mirrored,
            )
            for cluster in clusters:
                yield cluster.transform, cluster.sources.astype(np.float64)
