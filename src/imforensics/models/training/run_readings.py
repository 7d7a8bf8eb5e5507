"""What the curves of a run say, in plain words and by stated rules; for fits and for adversarial games."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from imforensics.models.training.run_log import RunLog, Series

Verdict = Literal[
    "too_short",
    "no_pair",
    "collapse",
    "mode_collapse",
    "underfitting",
    "overfitting",
    "oscillating",
    "still_improving",
    "converging",
]

CHANCE_LOSS = math.log(2)  # binary cross-entropy of an even guess, in nats
MIN_EPOCHS = 4
TAIL = 3  # epochs averaged at the end, against the noise of a single one
RISE = 1.1  # the validation error rises when its tail is this many times its minimum
IMPROVING_SHARE = 0.15  # the best epoch lies in this last share of all epochs
IMPROVING_FALL = 0.02  # and the validation error fell by this share over it
LEARNED = 0.9  # of CHANCE_LOSS: a detector's training loss that stays above has learned next to nothing
LEARNED_FALL = 0.05  # a fit that improves its training error by less has learned next to nothing
SWING = 0.05  # a step of this share of the level is a swing
TURNS = 0.6  # share of swings that turn back
WON = 0.1  # nats: a discriminator below it is right nearly always
LOST = 3.0  # nats: a generator above it is found out nearly always (probability 0.05)
FLAT_GAME = 0.97  # of ln 2: a discriminator above it guesses
MEMORISED = 0.3  # nats between validation and training images
DIVERSITY = 0.5  # of the diversity of training images
RESTLESS = 0.25  # standard deviation of the generator's loss by its mean, over the last half

FIT_RULES = (
    f"too_short: fewer than {MIN_EPOCHS} epochs.",
    f"underfitting: the best training value is less than {LEARNED_FALL:.0%} better than the first one, or "
    f"the loss of a log with an accuracy stays above {LEARNED:.0%} of ln 2, an even guess.",
    f"oscillating: over the last half, {TURNS:.0%} or more of the steps of the validation error turn back, "
    f"and their median is {SWING:.0%} or more of its level.",
    f"overfitting: over the last {TAIL} epochs the mean validation error is {RISE - 1:.0%} or more above its "
    "minimum while the mean training error is below its value at that minimum.",
    f"still_improving: the best epoch is in the last {IMPROVING_SHARE:.0%} of all epochs and the validation "
    f"error fell by {IMPROVING_FALL:.0%} or more over them.",
    "converging: none of these; the validation error has levelled off.",
)
GAME_RULES = (
    f"too_short: fewer than {MIN_EPOCHS} epochs.",
    f"collapse: over the last {TAIL} epochs the discriminator's mean loss is below {WON} and the generator's "
    f"above {LOST:g}: it is always found out and learns nothing from it.",
    f"mode_collapse: the last measured diversity of samples is below {DIVERSITY:.0%} of that of training "
    "images.",
    f"underfitting: the discriminator's mean loss never falls below {FLAT_GAME:.0%} of ln 2, a guess.",
    f"overfitting: over the last {TAIL} epochs the discriminator's loss on validation images is at least "
    f"{MEMORISED} above that on training images: a sign of memorisation.",
    f"oscillating: over the last half, the standard deviation of the generator's loss is {RESTLESS:.0%} or "
    f"more of its mean, or the last kernel distance is {RESTLESS:.0%} or more above the lowest.",
    f"still_improving: the lowest kernel distance is in the last {IMPROVING_SHARE:.0%} of all looks and is "
    f"{IMPROVING_FALL:.0%} or more below the lowest one before.",
    "converging: none of these; the two hold each other in balance.",
)
_WORDS: dict[Verdict, str] = {
    "too_short": "Too short to read: train longer.",
    "no_pair": "There is no quantity on both training and validation images: nothing to read.",
    "collapse": "Collapse: the discriminator wins every time, and the generator learns nothing from it.",
    "mode_collapse": "Mode collapse: the generator makes images that differ too little from each other.",
    "underfitting": "Underfitting: next to nothing has been learned.",
    "overfitting": "Overfitting: training images are memorised.",
    "oscillating": "Oscillating: the curve swings and does not settle; a smaller learning rate may help.",
    "still_improving": "Still improving when the fit ended: train longer.",
    "converging": "Converging: the curves have levelled off.",
}


class RunReading(BaseModel):
    """What the curves of one log of a run say.

    Attributes:
        run: name of the run.
        log: "training", "encoder".
        kind: "fit" or "game".
        quantity: what the verdict rests on.
        verdict: the first rule of `rules` that holds.
        sentences: the reading in words, with the figures.
        rules: the rules themselves.
    """

    model_config = ConfigDict(frozen=True)

    run: str
    log: str
    kind: Literal["fit", "game"]
    quantity: str
    verdict: Verdict
    sentences: tuple[str, ...]
    rules: tuple[str, ...]


def read_curves_of(run: RunLog) -> tuple[RunReading, ...]:
    """One reading for each log of a run, in their order: a game where there are a generator and a
    discriminator, otherwise a fit.

    Returns:
        At least one; a run without rows is too short.
    """
    logs = list(dict.fromkeys(series.log for series in run.series)) or ["training"]
    return tuple(_read_log(run, log) for log in logs)


def format_readings(readings: Sequence[RunReading]) -> str:
    """Readings as Markdown, with the rules that gave them."""
    parts = []
    for reading in readings:
        words = "\n".join(f"- {sentence}" for sentence in reading.sentences)
        rules = "\n".join(f"{number}. {rule}" for number, rule in enumerate(reading.rules, start=1))
        parts.append(
            f"# Learning curves of {reading.run}, {reading.log}: {reading.verdict.replace('_', ' ')}\n\n"
            f"{words}\n\nThe first of these rules that holds gives the reading:\n\n{rules}\n"
        )
    return "\n".join(parts)


def _read_log(run: RunLog, log: str) -> RunReading:
    generator = _first(run, log, ("generator", "generator_loss"))
    if generator is not None:
        return _read_game(run, log, generator)
    quantities = dict.fromkeys(s.quantity for s in run.series if s.log == log and s.direction != "game")
    # the validation reconstruction is what an autoencoder stops by; a detector's log has its loss only
    for quantity in sorted(
        quantities, key=lambda name: (not name.endswith("mse"), not name.endswith("loss"))
    ):
        train = run.find(quantity, "training", log=log)
        validation = run.find(quantity, "validation", log=log)
        if train is not None and validation is not None:
            is_detector = quantity == "loss" and "accuracy" in quantities
            return _read_fit(run.name, train, validation, guess=CHANCE_LOSS if is_detector else math.inf)
    verdict: Verdict = "no_pair" if quantities else "too_short"
    return RunReading(
        run=run.name,
        log=log,
        kind="fit",
        quantity="",
        verdict=verdict,
        sentences=(_WORDS[verdict],),
        rules=FIT_RULES,
    )


def _read_fit(run: str, train: Series, validation: Series, *, guess: float) -> RunReading:
    sign = 1.0 if train.direction == "lower" else -1.0
    first, other = sign * np.array(train.values), sign * np.array(validation.values)
    best = int(other.argmin())
    sentence = (
        f"Over {len(train.epochs)} epochs {train.quantity} went from {train.values[0]:.4g} to "
        f"{train.values[-1]:.4g} on training images, from {validation.values[0]:.4g} to "
        f"{validation.values[-1]:.4g} on validation images; the best, {validation.values[best]:.4g}, came "
        f"in epoch {validation.epochs[best]}."
    )
    verdict = _judge_fit(first, other, guess=guess)
    return RunReading(
        run=run,
        log=train.log,
        kind="fit",
        quantity=train.quantity,
        verdict=verdict,
        sentences=(_WORDS[verdict], sentence),
        rules=FIT_RULES,
    )


def _judge_fit(train: NDArray[np.float64], validation: NDArray[np.float64], *, guess: float) -> Verdict:
    """Errors where lower is better; scores come negated, and their level is taken as a size."""
    if min(len(train), len(validation)) < MIN_EPOCHS:
        return "too_short"
    if train[0] - train.min() < LEARNED_FALL * abs(train[0]) or train.min() > LEARNED * guess:
        return "underfitting"
    if _swings(validation[len(validation) // 2 :]):
        return "oscillating"
    best = int(validation.argmin())
    level = abs(validation[best])
    if validation[-TAIL:].mean() - validation[best] >= (RISE - 1) * level and (
        train[-TAIL:].mean() < train[min(best, len(train) - 1)]
    ):
        return "overfitting"
    start = min(math.ceil(len(validation) * (1 - IMPROVING_SHARE)), len(validation) - 2)
    fell = validation[start - 1] - validation[best] >= IMPROVING_FALL * abs(validation[start - 1])
    return "still_improving" if best >= start and fell else "converging"


def _swings(values: NDArray[np.float64]) -> bool:
    steps = np.diff(values)
    if len(steps) < 2:
        return False
    turns = float(np.mean(steps[1:] * steps[:-1] < 0))
    return turns >= TURNS and float(np.median(np.abs(steps))) >= SWING * float(np.abs(values).mean())


def _read_game(run: RunLog, log: str, generator: Series) -> RunReading:
    real = _first(run, log, ("discriminator_real", "discriminator_real_loss"))
    fake = _first(run, log, ("discriminator_fake", "discriminator_fake_loss"))
    verdict = _judge_game(run, log, generator, real, fake)
    sentences = [_WORDS[verdict]]
    sentences += [
        f"{series.column} went from {series.values[0]:.4g} to {series.values[-1]:.4g} over "
        f"{len(series.epochs)} epochs (a guess costs {CHANCE_LOSS:.3f})."
        for series in (generator, real, fake)
        if series is not None
    ]
    for quantity in ("kernel_distance", "kid", "diversity"):
        looked = run.find(quantity, log=log)
        if looked is not None:
            sentences.append(
                f"{quantity} went from {looked.values[0]:.4g} to {looked.values[-1]:.4g} over "
                f"{len(looked.values)} looks."
            )
    return RunReading(
        run=run.name,
        log=log,
        kind="game",
        quantity=generator.quantity,
        verdict=verdict,
        sentences=tuple(sentences),
        rules=GAME_RULES,
    )


def _judge_game(
    run: RunLog, log: str, generator: Series, real: Series | None, fake: Series | None
) -> Verdict:
    made = np.array(generator.values)
    if len(made) < MIN_EPOCHS or real is None or fake is None:
        return "too_short"
    count = min(len(real.values), len(fake.values))
    judged = (np.array(real.values[-count:]) + np.array(fake.values[-count:])) / 2
    diversity = run.find("diversity", log=log)
    if judged[-TAIL:].mean() < WON and made[-TAIL:].mean() > LOST:
        return "collapse"
    if diversity is not None and diversity.values[-1] < DIVERSITY:
        return "mode_collapse"
    if judged.min() > FLAT_GAME * CHANCE_LOSS:
        return "underfitting"
    if _has_memorised(run, log, real):
        return "overfitting"
    half = made[len(made) // 2 :]
    if half.std() >= RESTLESS * abs(half.mean()) or _gets_worse(run, log):
        return "oscillating"
    return "still_improving" if _comes_nearer(run, log) else "converging"


def _has_memorised(run: RunLog, log: str, real: Series) -> bool:
    validation = run.find(real.quantity, "validation", log=log)
    train = run.find(real.quantity, "training, evaluated", log=log) or real
    if validation is None:
        return False
    gap = np.mean(validation.values[-TAIL:]) - np.mean(train.values[-TAIL:])
    return bool(gap >= MEMORISED)


def _gets_worse(run: RunLog, log: str) -> bool:
    distance = _first(run, log, ("kernel_distance", "kid"))
    if distance is None:
        return False
    lowest = min(distance.values)
    return distance.values[-1] - lowest >= RESTLESS * abs(lowest) > 0


def _comes_nearer(run: RunLog, log: str) -> bool:
    distance = _first(run, log, ("kernel_distance", "kid"))
    if distance is None or len(distance.values) < MIN_EPOCHS:
        return False
    values = np.array(distance.values)
    start = min(math.ceil(len(values) * (1 - IMPROVING_SHARE)), len(values) - 1)
    before = values[:start].min()
    return bool(before - values[start:].min() >= IMPROVING_FALL * abs(before))


def _first(run: RunLog, log: str, names: Sequence[str]) -> Series | None:
    found = (run.find(name, log=log) for name in names)
    return next((series for series in found if series is not None), None)
