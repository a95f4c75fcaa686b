import re
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import numpy as np
import pytest
from matplotlib.axes import Axes
from reported import CONFIDENCE, LARGE, SMALL, evaluated, three, two
from statsmodels.stats.proportion import proportion_confint

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation import Outcomes, Tier
from automix_graph.evaluation.report import Plots, plots
from automix_graph.evaluation.report.cost_quality import Path
from automix_graph.evaluation.report.outcome_histogram import groups_of
from automix_graph.evaluation.report.plot import Plot, PlotName
from automix_graph.evaluation.report.reliability import reliability_bins, wilson
from automix_graph.evaluation.report.theme import PALETTES, Theme
from automix_graph.policies import Threshold

pytestmark = pytest.mark.integration

NAMES = ["cost-quality", "break-even", "reliability", "outcomes", "gain"]


def axes_of(found: Plots, name: PlotName, number: int = 0) -> Axes:
    return found.figures[name].axes[number]


def line(axes: Axes, label: str) -> tuple[list[float], list[float]]:
    found = next(each for each in axes.get_lines() if each.get_label() == label)
    return np.asarray(found.get_xdata()).tolist(), np.asarray(found.get_ydata()).tolist()


def captions(found: Plots) -> dict[str, str]:
    return {each.name: each.caption for each in found.shown if isinstance(each, Plot)}


def test_the_curve_goes_through_every_threshold() -> None:
    axes = axes_of(plots(evaluated(two())), "cost-quality")
    cost, quality = line(axes, "cascade, every threshold")
    assert cost == pytest.approx([1.5 + 20 * k / 8 for k in range(9)])
    assert quality == pytest.approx([k / 8 for k in (4, 4, 5, 5, 6, 5, 6, 6, 6)])
    assert line(axes, "random mix") == ([1.0, 20.0], [0.5, 0.75])
    assert line(axes, "accept-correct") == ([11.5], [0.75])
    assert line(axes, "oracle") == ([8.125], [0.875])
    assert line(axes, "small alone") == ([1.0], [0.5])


def test_a_long_curve_is_thinned_and_keeps_its_ends() -> None:
    path = Path(cost=np.arange(100_000.0), quality=np.linspace(0, 1, 100_000)).thinned()
    assert path.cost.size == 400
    assert (path.cost[0], path.cost[-1], path.quality[-1]) == (0.0, 99_999.0, 1.0)
    assert np.all(np.diff(path.cost) > 0)


def test_break_even_is_where_the_cascade_costs_what_the_large_model_does() -> None:
    found = plots(evaluated(two()))
    axes = axes_of(found, "break-even")
    assert line(axes, "cascade (mean costs)") == ([0, 1], [21.5, 1.5])
    assert line(axes, "always large")[1] == [20.0, 20.0]
    assert line(axes, "break-even at 7.5%")[0] == pytest.approx([0.075, 0.075])
    assert line(axes, "accept-correct") == ([0.5], [11.5])
    assert "when more than 7.5% of the small answers are kept" in captions(found)["break-even"]


def test_a_cascade_that_can_never_pay_says_so_in_its_chart() -> None:
    assert "never costs less" in captions(plots(evaluated(two(verify_cost=19.5))))["break-even"]


def test_reliability_counts_and_scores() -> None:
    found = plots(evaluated(two()))
    above, below = axes_of(found, "reliability"), axes_of(found, "reliability", 1)
    assert [column.get_height() for column in below.containers[0]] == [1] * 8
    points = above.containers[0].lines[0]
    assert np.asarray(points.get_xdata()).tolist() == CONFIDENCE[::-1]
    assert np.asarray(points.get_ydata()).tolist() == SMALL[::-1]
    assert "ECE 0.350" in captions(found)["reliability"]
    assert "Brier score 0.175" in captions(found)["reliability"]


@pytest.mark.parametrize(("right", "n"), [(0, 5), (5, 5), (3, 7), (900, 1000)])
def test_intervals_of_shares_are_those_of_statsmodels(right: int, n: int) -> None:
    assert wilson(right, n, 0.9) == pytest.approx(proportion_confint(right, n, alpha=0.1, method="wilson"))


def test_bins_are_closed_on_the_left() -> None:
    bins = reliability_bins(np.array([0.1, 0.3, 0.7, 1.0]), np.array([True] * 4))
    assert [each.low for each in bins] == [0.1, 0.3, 0.7, 0.9]


def test_the_histogram_stacks_what_became_of_the_answers() -> None:
    axes = axes_of(plots(evaluated(two())), "outcomes")
    heights = {each.get_label(): sum(column.get_height() for column in each) for each in axes.containers}
    expected = {"both right (3)": 3, "only small right (1)": 1, "only large right (3)": 3, "both wrong (1)": 1}
    assert heights == expected


def test_half_right_answers_make_three_groups() -> None:
    found = groups_of(np.array([0.5, 0.25, 1.0]), np.array([0.5, 0.5, 0.0]))
    assert {name: inside.tolist() for name, inside in found.items()} == {
        "equally good": [True, False, False],
        "small better": [False, False, True],
        "large better": [False, True, False],
    }


def test_gains_are_told_with_their_shape() -> None:
    falling = two([0, 0, 1, 1], [1, 1, 1, 1], [0.1, 0.2, 0.8, 0.9])
    assert "It falls from bin to bin" in captions(plots(evaluated(falling)))["gain"]
    middle = two([0, 0, 1], [0, 1, 1], [0.1, 0.5, 0.9])
    told = captions(plots(evaluated(middle)))["gain"]
    assert "It does not fall all the way: it is greatest, +1.0000, at confidence 0.500 to 0.500." in told


def test_plots_for_two_tiers_say_why_they_are_absent_for_three() -> None:
    found = plots(evaluated(three()))
    reason = "it is defined for two tiers, and there are 3"
    assert found.absent == {"break-even": reason, "outcomes": reason, "gain": reason}
    assert list(found.figures) == ["cost-quality", "reliability"]
    assert f"There is no curve of all thresholds: {reason}." in captions(found)["cost-quality"]
    html = found._repr_html_()
    assert html.count(f"Not shown: {reason}.") == 3
    assert html.count("<svg") == 2


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_colour_follows_the_theme(theme: Theme) -> None:
    html = plots(evaluated(two()), theme=theme)._repr_html_()
    drawn = "".join(re.findall(r"<svg.*?</svg>", html, re.S))
    colours = re.findall(r"(.{0,20})(#[0-9a-f]{6})\b", drawn)
    assert len(colours) > 100
    assert all(re.search(r"var\(--[a-z]+, $", before) for before, _ in colours)
    assert {colour for _, colour in colours} <= set(PALETTES[theme].values())
    assert f"--paper: {PALETTES[theme]['paper']}" in html


def test_a_notebook_chooses_where_nobody_else_does() -> None:
    html = plots(evaluated(two()))._repr_html_()
    assert "prefers-color-scheme: dark" in html
    assert 'data-jp-theme-light="false"' in html
    assert list(plots(evaluated(two())).figures) == NAMES


def test_an_unknown_theme_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="theme 'sepia' is unknown; use one of 'auto', 'light', 'dark'"):
        plots(evaluated(two()), theme="sepia")  # type: ignore[arg-type]


def test_names_that_matplotlib_would_read_as_markup_are_drawn_as_they_are() -> None:
    small = Tier(name="_$x^$", quality=SMALL, cost=1, confidence=CONFIDENCE)
    outcomes = Outcomes(tiers=(small, Tier(name="大模型", quality=LARGE, cost=20)), unit="$")
    html = plots(evaluated(outcomes))._repr_html_()
    assert "> _$x^$ alone</text>" in html
    assert ">??? alone</text>" in html
    assert ">mean cost of a question ($)</text>" in html


def test_threads_draw_the_same() -> None:
    found = [evaluated(two(), Threshold(0.1 * k)) for k in (2, 6)]
    alone = [plots(each)._repr_html_() for each in found]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda each: plots(each)._repr_html_(), found))
    assert together == alone
    assert len(set(alone)) == 2


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_can_be_read(theme: Theme) -> None:
    palette = PALETTES[theme]
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    for role in ("ink", "muted"):
        assert min(contrast(palette[role], palette[back]) for back in ("paper", "panel")) >= 4.5
    for role in ("small", "large", "policy", "hindsight", "oracle", "neither"):
        assert contrast(palette[role], palette["paper"]) >= 3
    assert all(one != other for one, other in combinations(palette.values(), 2))
