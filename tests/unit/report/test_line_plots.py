"""Curves land on the pixels that their axes say."""

import subprocess
import sys

import numpy as np
import pytest

from imforensics.report.line_plots import (
    BOTTOM,
    LEFT,
    RIGHT,
    ROW,
    TOP,
    Line,
    Panel,
    choose_ticks,
    draw_panels,
)

BLUE = "#0000ff"
WIDTH, HEIGHT = 264, 268  # axes of 200 x 200 pixels


def draw(*lines: Line, **options: object) -> np.ndarray:
    limits = {"x_limits": (0.0, 10.0), "y_limits": (0.0, 10.0)} | options
    panel = Panel(lines=list(lines), **limits)  # type: ignore[arg-type]
    return draw_panels([[panel]], width=WIDTH, height=HEIGHT)


def is_blue(picture: np.ndarray) -> np.ndarray:
    """Pixels in the axes that are more blue than gray, by 200 x 200 places."""
    axes = picture[TOP : HEIGHT - BOTTOM, LEFT : WIDTH - RIGHT].astype(int)
    return axes[..., 2] - axes[..., 0] > 100


def test_the_axes_have_the_size_the_tests_rest_on() -> None:
    assert (WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM) == (200, 200)


def test_a_level_line_is_at_its_height() -> None:
    blue = is_blue(draw(Line((0, 10), (7.5, 7.5), colour=BLUE)))
    rows = np.flatnonzero(blue[:, 100])
    assert set(rows) <= {49, 50, 51}
    assert blue[:, 5:195].any(axis=0).all()


@pytest.mark.parametrize(("steps", "height"), [("post", 150), ("pre", 50), (None, 100)])
def test_steps_keep_or_take_the_level(steps: str | None, height: int) -> None:
    blue = is_blue(draw(Line((0, 10), (2.5, 7.5), colour=BLUE, steps=steps)))  # type: ignore[arg-type]
    assert np.flatnonzero(blue[:, 100]).mean() == pytest.approx(height, abs=2)


def test_a_value_that_is_not_finite_leaves_a_gap() -> None:
    x = np.arange(11.0)
    blue = is_blue(draw(Line(x, np.where((x > 4) & (x < 7), np.nan, 5.0), colour=BLUE)))
    assert blue[:, 10:78].any(axis=0).all()
    assert not blue[:, 84:136].any()
    assert blue[:, 144:190].any(axis=0).all()


def test_a_curve_beyond_the_limits_stays_in_the_axes() -> None:
    picture = draw(Line((0, 10), (-5, 15), colour=BLUE))
    blue = picture[..., 2].astype(int) - picture[..., 0] > 100
    blue[TOP - 3 : HEIGHT - BOTTOM + 3, LEFT - 3 : WIDTH - RIGHT + 3] = False
    assert not blue.any()


def test_dashes_are_drawn_in_part_and_opacity_is_paler() -> None:
    shares = [
        is_blue(draw(Line((0, 10), (5, 5), colour=BLUE, dash=dash)))[95:106, 10:190].any(axis=0).mean()  # type: ignore[arg-type]
        for dash in ("-", "--", ":")
    ]
    assert shares[0] == 1
    assert 0.5 < shares[1] < 0.85
    assert 0.2 < shares[2] < 0.7
    pale = draw(Line((0, 10), (5, 5), colour=BLUE, opacity=0.5))
    assert pale[TOP + 100, LEFT + 100].tolist() == [128, 128, 255]


def test_markers_are_dots_also_for_a_single_point() -> None:
    blue = is_blue(draw(Line([5], [5], colour=BLUE, has_markers=True)))
    assert 10 < blue.sum() < 40
    assert blue[98:103, 98:103].any()


def test_every_labelled_curve_has_a_row_below() -> None:
    lines = [Line((0, 1), (0, 1), label, BLUE) for label in ("a", "b", "c")]
    assert draw(*lines).shape == (HEIGHT + 3 * ROW, WIDTH, 3)
    assert draw(*lines, has_legend=False).shape == (HEIGHT, WIDTH, 3)
    assert draw(Line((0, 1), (0, 1))).shape == (HEIGHT, WIDTH, 3)


def test_panels_stand_side_by_side_and_below_each_other() -> None:
    picture = draw_panels([[Panel(), Panel()], [Panel(), Panel(y_label="y")]], width=WIDTH, height=HEIGHT)
    assert picture.shape == (2 * HEIGHT, 2 * WIDTH, 3)
    assert picture.dtype == np.uint8


def test_limits_follow_the_curves_and_hold_for_none_or_one_value() -> None:
    blue = is_blue(draw(Line((3, 9), (-2, 4), colour=BLUE), x_limits=None, y_limits=None))
    assert blue[4:12, 188:196].any()
    for x in ([], [3.0], [np.nan]):
        draw(Line(x, x, colour=BLUE), x_limits=None, y_limits=None)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (-4.3, 3.2, [-4, -2, 0, 2]),
        (50, 100, [50, 60, 70, 80, 90, 100]),
        (0, 3e-7, [0, 5e-8, 1e-7, 1.5e-7, 2e-7, 2.5e-7, 3e-7]),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert choose_ticks(low, high) == pytest.approx(expected)


def test_no_curve_of_an_evaluation_needs_matplotlib() -> None:
    code = (
        "import sys; from imforensics.report.evaluation_figures import Series, draw_curves; "
        "assert draw_curves({'a': Series((0, 1), (0.1, 0.4), (0, 1), (-1.0, 1.0))}); "
        "assert not {'matplotlib', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
