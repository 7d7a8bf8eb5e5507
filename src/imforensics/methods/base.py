"""The one interface: a method takes Evidence and gives a Finding."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

from imforensics.types import Evidence, Family, Finding

if TYPE_CHECKING:
    from imforensics.metrics.calibration import Calibration


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a method was published.

    Attributes:
        citation: authors, title, venue, year.
        doi: bare DOI, None where the work has none.
    """

    citation: str
    doi: str | None = None


class NamedBundle(Protocol):
    """What every kind of bundle can say of itself."""

    @property
    def name(self) -> str:
        """As findings and reports name it."""

    @property
    def digest(self) -> str:
        """SHA-256, hexadecimal."""


class MethodOptions(BaseModel):
    """Base of every method's options: unknown keys are refused, values are checked, nothing changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Method(ABC):
    """One forensic procedure.

    A subclass declares the class attributes and implements `analyze`. The pipeline checks `requires` and
    issues `not_applicable` itself: a method never makes up the data that it lacks.

    Attributes:
        name: key in METHODS.
        family: family of traces that it reads.
        requires: what the evidence must have; "jpeg" is the only requirement so far.
        reads_inferred_jpeg: a picture that is no JPEG but was decoded from one is shown to it as that JPEG.
        question: the question it answers, for a reader of the report.
        idea: what it does, in a few sentences.
        limitations: when it fails or misleads.
        reference: where it was published.
        experimental: why the method is not run by default, with the measured figure; None for a proven one.
    """

    name: ClassVar[str]
    family: ClassVar[Family]
    requires: ClassVar[frozenset[str]] = frozenset()
    reads_inferred_jpeg: ClassVar[bool] = False
    question: ClassVar[str]
    idea: ClassVar[str]
    limitations: ClassVar[str]
    reference: ClassVar[Reference]
    experimental: ClassVar[str | None] = None

    class Options(MethodOptions):
        """A method without options of its own."""

    def __init__(self, options: MethodOptions | None = None) -> None:
        """Take checked options, or the defaults."""
        self.options = options if options is not None else self.Options()

    @property
    def bundle_digests(self) -> dict[str, str]:
        """Name and SHA-256 of each trained bundle this method uses; empty for a classical one."""
        return {}

    @property
    def calibration(self) -> Calibration | None:
        """How the score is read where it stands alone; None for a method that gives no opinion."""
        return None

    @abstractmethod
    def analyze(self, evidence: Evidence) -> Finding:
        """Look for this method's traces.

        Args:
            evidence: one file; it has what `requires` names.

        Returns:
            A finding with `status` "ok" ("not_applicable" where the content makes the method blind, with
            the reason as first note); its map, where there is one, has the size of the evidence.
        """

    def _decline(self, reason: str) -> Finding:
        """The finding of a method that the content makes blind, with the reason, a sentence, as its note."""
        return Finding(self.name, self.family, "not_applicable", notes=(reason,))


class BundleMethod(Method):
    """A method that runs a trained bundle, which a subclass opens as `_bundle`."""

    @property
    @abstractmethod
    def _bundle(self) -> NamedBundle: ...

    @property
    def bundle_digests(self) -> dict[str, str]:
        """Name and SHA-256 of the bundle.

        Raises:
            BundleError: it is missing or damaged.
        """
        return {self._bundle.name: self._bundle.digest}


def describe_too_small(evidence: Evidence, least: int) -> str:
    """Why an image with a side of fewer than `least` pixels is not analysed."""
    return (
        f"The image is {evidence.width}x{evidence.height} pixels; at least {least} on each side are needed."
    )
