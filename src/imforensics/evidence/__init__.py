"""Bytes to Evidence: one file as it was received, read once, never changed."""

from imforensics.evidence.reading import MAX_FILE_BYTES, add_late_notes, describe_damage, read_evidence
from imforensics.types import DEFAULT_MAX_PIXELS

__all__ = ["DEFAULT_MAX_PIXELS", "MAX_FILE_BYTES", "add_late_notes", "describe_damage", "read_evidence"]
