"""Bytes to Evidence: one file as it was received, read once, never changed."""

from imforensics.evidence.reading import DEFAULT_MAX_PIXELS, MAX_FILE_BYTES, read_evidence

__all__ = ["DEFAULT_MAX_PIXELS", "MAX_FILE_BYTES", "read_evidence"]
