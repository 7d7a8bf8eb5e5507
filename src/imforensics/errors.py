"""Every error that imforensics raises on purpose; each message names the fix."""


class ImforensicsError(Exception):
    """Base of all errors a user can cause or resolve; its text is shown without a traceback."""


class EvidenceError(ImforensicsError):
    """A file cannot be read as an image: missing, empty, truncated, of an unknown format."""


class EvidenceTooLargeError(EvidenceError):
    """An image has more pixels than `max_pixels` allows, or is a decompression bomb."""


class ConfigError(ImforensicsError):
    """A configuration is invalid; the text lists every problem with its path."""


class DatasetError(ImforensicsError):
    """A data set is missing or not laid out as expected; the text shows the expected tree."""


class BundleError(ImforensicsError):
    """A trained bundle is missing, damaged or made for another version."""


class MissingExtraError(ImforensicsError):
    """A command needs an optional extra that is not installed."""

    def __init__(self, extra: str, needed_by: str) -> None:
        """Name the extra and who needs it; the message holds the install command."""
        super().__init__(
            f"{needed_by} needs the extra '{extra}'. Install it: pip install 'imforensics[{extra}]'"
        )


class OutputExistsError(ImforensicsError):
    """An output exists already and overwriting was not asked for."""


class InterruptedRunError(ImforensicsError):
    """A run cannot be resumed: its folder was written with other settings."""


class OutputInUseError(OutputExistsError):
    """Another run is writing to the same output folder."""


class OutputError(ImforensicsError):
    """A result cannot be written: the disk is full, or the folder read-only."""
