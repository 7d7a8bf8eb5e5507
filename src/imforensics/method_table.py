"""The one list of methods: a method exists if and only if it has a row in METHODS.

The table stands below all layers and loads no method, so that configurations know the profiles at no cost;
`imforensics.methods.load_method` loads the class of a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, get_args

Profile = Literal["fast", "default", "full"]  # each holds the methods of those before it


class MethodRow(NamedTuple):
    """Where the class of a method is, and which profile runs it.

    Attributes:
        path: "module:Class".
        profile: the smallest profile that runs it; None where it runs only when it is named.
    """

    path: str
    profile: Profile | None


# In the order in which they run and are listed. "default" holds what has proved itself, "full" experimental
# methods too (docs/adr/0014); a method without a profile is on trial: not yet measured.
METHODS: Final[dict[str, MethodRow]] = {
    "metadata": MethodRow("imforensics.methods.metadata.metadata:MetadataTraces", "fast"),
    "content_credentials": MethodRow(
        "imforensics.methods.metadata.content_credentials:ContentCredentials", "fast"
    ),
    "jpeg_structure": MethodRow("imforensics.methods.jpeg.jpeg_structure:JpegStructure", "fast"),
    "double_quantization": MethodRow(
        "imforensics.methods.jpeg.double_quantization:DoubleQuantization", "fast"
    ),
    "dct_histograms": MethodRow("imforensics.methods.jpeg.dct_histograms:DctHistograms", "fast"),
    "ela": MethodRow("imforensics.methods.jpeg.ela:ErrorLevelAnalysis", "fast"),
    "jpeg_ghost": MethodRow("imforensics.methods.jpeg.jpeg_ghost:JpegGhost", "default"),
    "jpeg_grid": MethodRow("imforensics.methods.jpeg.jpeg_grid:JpegGrid", "default"),
    "wavelet_noise": MethodRow("imforensics.methods.noise.wavelet_noise:WaveletNoise", "default"),
    "localizer": MethodRow("imforensics.methods.learned.localizer:LearnedLocalizer", "default"),
    "nonaligned_double_quantization": MethodRow(
        "imforensics.methods.jpeg.nonaligned_double_quantization:NonalignedDoubleQuantization", "full"
    ),
    "splicebuster": MethodRow("imforensics.methods.noise.splicebuster:Splicebuster", "full"),
    "noisesniffer": MethodRow("imforensics.methods.noise.noisesniffer:Noisesniffer", "full"),
    "median_filtering": MethodRow("imforensics.methods.noise.median_filtering:MedianFiltering", "full"),
    "local_blur": MethodRow("imforensics.methods.noise.local_blur:LocalBlur", "full"),
    "cfa": MethodRow("imforensics.methods.camera.cfa:ColourFilterArray", "full"),
    "resampling": MethodRow("imforensics.methods.camera.resampling:Resampling", "full"),
    "copy_move": MethodRow("imforensics.methods.copy_move.keypoint_method:CopyMove", "full"),
    "copy_move_dense": MethodRow("imforensics.methods.copy_move.dense_method:CopyMoveDense", "full"),
    "ela_cnn": MethodRow("imforensics.methods.learned.ela_cnn:ElaCnn", "full"),
    "gan_reconstruction": MethodRow(
        "imforensics.methods.reconstruction.gan_reconstruction:GanReconstruction", "full"
    ),
    "autoencoder_residual": MethodRow(
        "imforensics.methods.reconstruction.autoencoder_residual:AutoencoderResidual", "full"
    ),
}


def _names_of(profile: Profile) -> tuple[str, ...]:
    order = get_args(Profile)
    held = order[: order.index(profile) + 1]
    return tuple(name for name, row in METHODS.items() if row.profile in held)


# Profile to the names of its methods, in the order of METHODS.
PROFILES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {profile: _names_of(profile) for profile in get_args(Profile)}
)
