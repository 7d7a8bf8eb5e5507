"""Configuration of `train-fusion`; test splits cannot be named in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from imforensics.config import ConfigModel
from imforensics.metrics.class_calibration import LEAST_PAIRS
from imforensics.metrics.fusion_fit import RIDGE
from imforensics.models.fusion.bundle import FusionPairs
from imforensics.types import DEFAULT_MAX_PIXELS


class SourceConfig(ConfigModel):
    """Parts of one data set.

    Attributes:
        name: name of a data set adapter.
        root: its folder; None looks below the folder that IMFORENSICS_DATA names.
        splits: which parts; never "test".
        limit: at most so many pictures of each split, whole source groups; None takes all.
        share: about so many of the pictures, or pairs that were made, of every source group.
    """

    name: str = Field(min_length=1)
    root: Path | None = None
    splits: tuple[Literal["train", "val"], ...] = Field(("val",), min_length=1)
    limit: int | None = Field(None, ge=2)
    share: float = Field(1.0, gt=0, le=1)


class ConditionsConfig(ConfigModel):
    """Evidence of whatever class that the statement is valid for.

    Attributes:
        min_side: smallest shorter side, in pixels.
        max_pixels: largest height × width; None without a limit.
    """

    min_side: int = Field(64, ge=1)
    max_pixels: int | None = Field(None, ge=1)


class TrainFusionConfig(ConfigModel):
    """What `train-fusion` does: methods, data, fit and the bundle made of it.

    Attributes:
        name: name of the fusion.
        methods: name of each method that gives a score to its options.
        twins: tampered files and their own hosts: weights and calibration. On a train split the scores of
            methods with a trained bundle are taken as missing: they know the pictures.
        exact_only: methods that count as missing on twins that another encoder wrote, because they may read
            the encoder instead of the alteration.
        required: methods without whose score there is no statement; pictures without it are left out.
        made_pairs: sets of tampered files and their twins as `synthesize` writes them, any size and delivery;
            weights and calibration too. They are taken as they are.
        least_pairs: pairs that a class of evidence needs for a curve of its own; with fewer it borrows the
            curve of all, with narrower bounds.
        map_method: method whose map marks regions; None takes no map.
        max_marked: accepted share of authentic photographs with more than 1 % of the area marked.
        pairs: "twin" takes all of them; "exact_twin" those whose tampered file has the IJG's tables: our
            encoder is the same there, and nothing but the alteration differs.
        camera_photos: sets of authentic camera photographs, counted together for the false-alarm rate of
            the label.
        other_photos: further authentic photographs; each set has to keep that rate by itself.
        conditions: evidence that the statement is valid for.
        max_far: accepted share of authentic images labelled tampered.
        max_miss: accepted share of tampered images labelled authentic.
        ridge: weight of the squared standardized weights beside the mean log loss.
        max_pixels: larger images are refused.
        timeout_seconds: a picture that takes longer is left out and counted.
        seed: of the folds.
    """

    name: str = Field("fusion", pattern=r"^[a-z0-9][a-z0-9_]{0,62}$")
    methods: dict[str, dict[str, Any]] = Field(
        default_factory=lambda: dict[str, dict[str, Any]](
            (name, {}) for name in ("ela", "wavelet_noise", "ela_cnn")
        ),
        min_length=1,
    )
    twins: tuple[SourceConfig, ...] = (SourceConfig(name="casia1"),)
    made_pairs: tuple[SourceConfig, ...] = ()
    least_pairs: int = Field(LEAST_PAIRS, ge=2)
    map_method: str | None = None
    max_marked: float = Field(0.1, gt=0, lt=1)
    exact_only: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    pairs: FusionPairs = "exact_twin"
    camera_photos: tuple[SourceConfig, ...] = Field((SourceConfig(name="photos"),), min_length=1)
    other_photos: tuple[SourceConfig, ...] = ()
    conditions: ConditionsConfig = ConditionsConfig()
    max_far: float = Field(0.02, gt=0, lt=0.5)
    max_miss: float = Field(0.05, gt=0, lt=0.5)
    ridge: float = Field(RIDGE, gt=0)
    max_pixels: int = Field(DEFAULT_MAX_PIXELS, gt=0)
    timeout_seconds: float = Field(300.0, gt=0)
    seed: int = Field(20240, ge=0)

    @field_validator("methods", mode="before")
    @classmethod
    def _take_list(cls, value: object) -> object:
        """A list of names stands for methods with their default options."""
        return {name: {} for name in value} if isinstance(value, list | tuple) else value

    @model_validator(mode="after")
    def _check_names(self) -> TrainFusionConfig:
        if not self.twins and not self.made_pairs:
            raise ValueError("twins and made_pairs are both empty: nothing can be fitted")
        map_methods = () if self.map_method is None else (self.map_method,)
        for key, names in (
            ("exact_only", self.exact_only),
            ("required", self.required),
            ("map_method", map_methods),
        ):
            unknown = [name for name in names if name not in self.methods]
            if unknown:
                raise ValueError(f"{key} names {unknown[0]}, which is not a method")
        return self
