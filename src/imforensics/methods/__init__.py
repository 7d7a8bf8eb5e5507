"""All forensic methods: one exists if and only if it is in METHODS."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imforensics.methods.base import Method

METHODS: dict[str, str] = {
    "metadata": "imforensics.methods.metadata:MetadataTraces",
    "content_credentials": "imforensics.methods.content_credentials:ContentCredentials",
    "jpeg_structure": "imforensics.methods.jpeg_structure:JpegStructure",
    "double_quantization": "imforensics.methods.double_quantization:DoubleQuantization",
    "jpeg_grid": "imforensics.methods.jpeg_grid:JpegGrid",
    "dct_histograms": "imforensics.methods.dct_histograms:DctHistograms",
    "nonaligned_double_quantization": (
        "imforensics.methods.nonaligned_double_quantization:NonalignedDoubleQuantization"
    ),
    "jpeg_ghost": "imforensics.methods.jpeg_ghost:JpegGhost",
    "ela": "imforensics.methods.ela:ErrorLevelAnalysis",
    "wavelet_noise": "imforensics.methods.wavelet_noise:WaveletNoise",
    "splicebuster": "imforensics.methods.splicebuster:Splicebuster",
    "median_filtering": "imforensics.methods.median_filtering:MedianFiltering",
    "local_blur": "imforensics.methods.local_blur:LocalBlur",
    "noisesniffer": "imforensics.methods.noisesniffer:Noisesniffer",
    "cfa": "imforensics.methods.cfa:ColourFilterArray",
    "resampling": "imforensics.methods.resampling:Resampling",
    "copy_move": "imforensics.methods.copy_move:CopyMove",
    "copy_move_dense": "imforensics.methods.copy_move_dense:CopyMoveDense",
    "ela_cnn": "imforensics.methods.ela_cnn:ElaCnn",
    "localizer": "imforensics.methods.localizer:LearnedLocalizer",
    "gan_reconstruction": "imforensics.methods.gan_reconstruction:GanReconstruction",
    "autoencoder_residual": "imforensics.methods.autoencoder_residual:AutoencoderResidual",
}


def load_method(name: str) -> type[Method]:
    """The class of a method by its name.

    Raises:
        KeyError: no method has that name.

    >>> load_method("ela").name
    'ela'
    """
    module_name, class_name = METHODS[name].split(":")
    method: type[Method] = getattr(import_module(module_name), class_name)
    return method
