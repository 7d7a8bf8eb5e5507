"""When a scan raises an alarm, and whether it ever could."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor

from imforensics.errors import ConfigError
from imforensics.pipeline.analyze import Analyzer
from imforensics.store import Row


@dataclass(frozen=True, slots=True)
class Alarms:
    """What makes a scan end with its exit code for alarms.

    Attributes:
        probability: a stated probability of at least this, [0, 1]; None for no such alarm.
        marked_percent: at least this share of a picture marked, in percent of its area, and not nothing; None
            for no such alarm.
    """

    probability: float | None = None
    marked_percent: float | None = None

    def find(self, rows: Iterable[Row]) -> list[Row]:
        """The rows that raise an alarm; a file without a probability raises none by it."""
        return [row for row in rows if self._is_alarm(row)]

    def check(self, analyzer: Analyzer) -> None:
        """Refuse an alarm that the configuration can never raise.

        Raises:
            ConfigError: with the reason.
        """
        reason = None if self.probability is None else describe_silence(analyzer, self.probability)
        if reason is not None:
            raise ConfigError(
                f"--fail-above {self.probability:g} can never raise an alarm: {reason}. Give a lower "
                "probability, or a configuration with the calibrated methods as they come"
            )
        if self.marked_percent is not None and describe_silence(analyzer, 0.0) is not None:
            raise ConfigError(
                f"--fail-on-marked {self.marked_percent:g} can never raise an alarm: "
                f"{describe_silence(analyzer, 0.0)}, and regions are marked where a statement rests on a map"
            )

    def _is_alarm(self, row: Row) -> bool:
        probability, marked = row.get("probability"), row.get("marked_percent")
        is_probable = self.probability is not None and isinstance(probability, int | float)
        is_marked = self.marked_percent is not None and isinstance(marked, int | float)
        return bool(
            (is_probable and probability >= self.probability)  # type: ignore[operator]
            or (is_marked and marked > 0 and marked >= self.marked_percent)  # type: ignore[operator]
        )


def describe_silence(analyzer: Analyzer, probability: float) -> str | None:
    """Why no file can ever get a probability, a clause; None where one can.

    Args:
        analyzer: as configured.
        probability: that a file would have to reach, at even prior odds, [0, 1].
    """
    model = analyzer.fusion_model
    if model is not None:
        names = {method.name for method in analyzer.methods}
        missing = [f"{name}, which the fusion rests on, is not run" for name in model.required]
        missing = [clause for clause in missing if clause.partition(",")[0] not in names]
        reasons = (*analyzer.unlike_fitted, *missing)
        if reasons:
            return reasons[0]
        if not names & {part.method for part in model.inputs if part.has_weight}:
            return "none of the methods that the fusion rests on is run"
        bounds = [model.largest_log10_lr]
    else:
        own = [method.calibration for method in analyzer.methods]
        bounds = [each.log10_lr_bounds[1] for each in own if each is not None and each.protocol == "twin"]
    if not bounds:
        return "none of the methods has a calibrated probability, and no fusion combines them"
    largest = 1 / (1 + 10 ** -max(bounds))
    if probability <= largest:
        return None
    return f"the calibration supports probabilities up to {floor(1000 * largest) / 1000:g}"
