"""One thing that a file says or shows, with how much weight it carries. A trace is never a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from imforensics.evidence.text import shorten
from imforensics.types import JsonValue

MAX_WORDS = 1_000  # characters: names of cameras and programs come from the file and have any length
Weight = Literal["note", "weak", "moderate"]


@dataclass(frozen=True, slots=True)
class Trace:
    """An observation that speaks for a processing step after capture.

    Attributes:
        name: snake_case name, the same for every file that shows it.
        weight: "note" where more than 1 in 50 files show it as cameras wrote them, "weak" where fewer do,
            "moderate" where hardly any does (docs/experiments/camera_originals.md). None says that the
            content was altered: saving, rotating and captioning leave the same traces.
        words: what was seen and what may explain it, one or two sentences.
    """

    name: str
    weight: Weight
    words: str

    @property
    def note(self) -> str:
        """The trace as a note of a finding."""
        return f"{shorten(self.words, MAX_WORDS)} Weight: {self.weight}."


def list_traces(traces: Sequence[Trace]) -> list[JsonValue]:
    """Traces as observations: name, weight and words of each."""
    return [
        {"trace": trace.name, "weight": trace.weight, "words": shorten(trace.words, MAX_WORDS)}
        for trace in traces
    ]
