"""All forensic methods: one exists if and only if it is in METHODS."""

from __future__ import annotations

from difflib import get_close_matches
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


def load(name: str, /, **options: object) -> Method:
    """A method, ready to analyze evidence; the options that are not given have their defaults.

    Args:
        name: key of METHODS.
        options: of the method, see its `Options` or `imforensics methods --explain NAME`.

    Raises:
        ConfigError: no method has that name, or options are unknown or wrong; one line for each.
        BundleError: a trained bundle that it needs is missing or damaged.

    >>> load("ela", quality=75).options.quality
    75
    """
    from pydantic import ValidationError

    from imforensics.config import describe_problems
    from imforensics.errors import ConfigError

    if name not in METHODS:
        nearest = get_close_matches(name, METHODS, n=1)
        hint = f"did you mean {nearest[0]}?" if nearest else f"known methods: {', '.join(METHODS)}"
        raise ConfigError(f"methods.{name}: unknown method; {hint}")
    method_class = load_method(name)
    try:
        checked = method_class.Options.model_validate(options)
    except ValidationError as error:
        problems = describe_problems(method_class.Options, error)
        raise ConfigError("\n".join(f"methods.{name}.{line}" for line in problems)) from None
    return method_class(checked)
