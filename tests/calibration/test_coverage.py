"""Guarantees against closed-form truth: how often the true risk of the certified rule is above alpha.

Each setting also has a wrong calibration that looks right, and the same check must find it out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from populations import GRADED, INFORMATIVE, MISLEADING, TIED, Population, Rows, constant
from scipy import stats

from automix_graph.calibration.certificate import Risk
from automix_graph.calibration.guarantees import certify_error, certify_regret
from automix_graph.calibration.p_values import binomial_p_value
from automix_graph.calibration.tally import tally
from automix_graph.calibration.threshold_grid import error_grid, threshold_grid

Calibrate = Callable[[Rows, "Setting"], float | None]


@dataclass(frozen=True, kw_only=True)
class Setting:
    population: Population
    risk: Risk
    n: int
    alpha: float = 0.1
    delta: float = 0.1

    def true_risk(self, threshold: float) -> float:
        return getattr(self.population, self.risk)(threshold)


def honest(rows: Rows, setting: Setting) -> float | None:
    """Choose on the first 30 % of the rows, which are in random order, and certify on the others."""
    cut = round(0.3 * setting.n)
    return choose_and_certify(rows.take(slice(cut)), rows.take(slice(cut, None)), setting)


def choose_and_certify(selection: Rows, rest: Rows, setting: Setting) -> float | None:
    alpha, levels = setting.alpha, {"delta": setting.delta, "graded": setting.population.graded}
    if setting.risk == "regret":
        grid = threshold_grid(selection.confidence)
        return certify_regret(
            rest.confidence, small=rest.small, large=rest.large, thresholds=grid, alpha=alpha, **levels
        ).threshold
    size = rest.small.size
    grid = error_grid(selection.confidence, selection.small, alpha=alpha, certification_rows=size)
    return certify_error(rest.confidence, rest.small, thresholds=grid, alpha=alpha, **levels).threshold


@dataclass(frozen=True, kw_only=True)
class Shares:
    certified: int
    violated: int
    repeats: int
    kept: float

    def surely_above(self, delta: float) -> bool:
        """Whether so many violations come with a probability below 1e-4 if theirs is at most delta."""
        return bool(stats.binom.sf(self.violated - 1, self.repeats, delta) < 1e-4)


def repeat(setting: Setting, repeats: int, calibrate: Calibrate = honest) -> Shares:
    generator = np.random.default_rng(0)
    found = [calibrate(setting.population.draw(generator, setting.n), setting) for _ in range(repeats)]
    thresholds = [threshold for threshold in found if threshold is not None]
    return Shares(
        certified=len(thresholds),
        violated=sum(setting.true_risk(threshold) > setting.alpha for threshold in thresholds),
        repeats=repeats,
        kept=sum(1.0 - threshold for threshold in thresholds) / repeats,
    )


JUST_ABOVE = constant(0.1001)
"""Every rule breaks alpha = 0.1 by a hair: the worst case, where each certified rule is a violation."""

SETTINGS = {
    "informative": INFORMATIVE,
    "tied": TIED,
    "graded": GRADED,
    "misleading": MISLEADING,
    "useless": JUST_ABOVE,
}


def check(setting: Setting, repeats: int) -> Shares:
    shares = repeat(setting, repeats)
    assert not shares.surely_above(setting.delta), shares
    return shares


@pytest.mark.parametrize("n", [100, 1000])
@pytest.mark.parametrize("name", SETTINGS)
def test_error_among_kept(name: str, n: int) -> None:
    shares = check(Setting(population=SETTINGS[name], risk="error", n=n), 200)
    if name in {"informative", "tied", "graded"} and n == 1000:
        assert shares.certified > 0.9 * shares.repeats


@pytest.mark.parametrize("name", SETTINGS)
def test_regret(name: str) -> None:
    shares = check(Setting(population=SETTINGS[name], risk="regret", n=300, alpha=0.05), 200)
    assert shares.certified > 0.9 * shares.repeats  # a rule that keeps few answers regrets little


def test_what_is_safe_below_a_misleading_top_is_found() -> None:
    # Keeping all has an error of 0.05 + 0.35 / 3 = 0.167, and keeping the top half one of 0.254.
    shares = check(Setting(population=MISLEADING, risk="error", n=1000, alpha=0.2), 100)
    assert shares.certified > 0.5 * shares.repeats


@pytest.mark.slow
@pytest.mark.parametrize("delta", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("n", [100, 300, 1000, 3000, 30_000])
@pytest.mark.parametrize("risk", ["error", "regret"])
@pytest.mark.parametrize("name", [*SETTINGS, "just above"])
def test_both_risks_in_full(name: str, risk: Risk, n: int, alpha: float, delta: float) -> None:
    population = constant(alpha * 1.001) if name == "just above" else SETTINGS[name]
    check(Setting(population=population, risk=risk, n=n, alpha=alpha, delta=delta), 600)


@pytest.mark.slow
@pytest.mark.parametrize("risk", ["error", "regret"])
def test_a_million_rows(risk: Risk) -> None:
    shares = check(Setting(population=INFORMATIVE, risk=risk, n=1_000_000, alpha=0.05), 30)
    assert shares.certified == 30
    # error: 0.3 (1 - t)^2 = 0.05; regret: 0.9 * 0.3 (1 - t)^3 = 0.05
    best = (0.05 / 0.3) ** (1 / 2) if risk == "error" else (0.05 / 0.27) ** (1 / 3)
    assert shares.kept == pytest.approx(best, abs=0.015)


@pytest.mark.parametrize("population", [constant(0.3), MISLEADING])
def test_nothing_is_certified_where_nothing_can_be(population: Population) -> None:
    # the least error of the misleading one is that of keeping all: 0.05 + 0.35 / 3
    setting = Setting(population=population, risk="error", n=1000, delta=0.001)
    assert repeat(setting, 100).certified == 0


@pytest.mark.parametrize("risk", ["error", "regret"])
def test_too_few_rows_certify_nothing(risk: Risk) -> None:
    # 31 rows leave 22 to certify, and 30 leave 21: one short of the least
    perfect = constant(0.0)
    assert repeat(Setting(population=perfect, risk=risk, n=30), 20).certified == 0
    assert repeat(Setting(population=perfect, risk=risk, n=31), 20).certified == 20


def test_more_rows_keep_more() -> None:
    kept = [repeat(Setting(population=INFORMATIVE, risk="error", n=n), 60).kept for n in (100, 300, 1000, 10_000)]
    assert kept == sorted(kept)
    # 0.3 (1 - t)^2 = 0.1 where the share kept is 0.577
    assert kept[-1] == pytest.approx(0.577, abs=0.04)


# What is wrong in the following ways is found out by the very check above.


def any_delta(rows: Rows, setting: Setting) -> float | None:
    """Keep all that was observed to be below alpha: no confidence asked for."""
    rules = tally(rows.confidence, 1.0 - rows.small, threshold_grid(rows.confidence))
    good = np.flatnonzero(rules.loss <= setting.alpha * rules.kept)
    return float(rules.thresholds[good[-1]]) if good.size else None


def not_stopping(rows: Rows, setting: Setting) -> float | None:
    """Take the loosest rule that passes, whatever failed before it."""
    rules = tally(rows.confidence, 1.0 - rows.small, threshold_grid(rows.confidence))
    passed = np.flatnonzero(binomial_p_value(rules.loss, rules.kept, alpha=setting.alpha) <= setting.delta)
    return float(rules.thresholds[passed[-1]]) if passed.size else None


def reusing(rows: Rows, setting: Setting) -> float | None:
    """Choose the order by the rows that certify it."""
    return choose_and_certify(rows, rows, setting)


def cutting_ties(rows: Rows, setting: Setting) -> float | None:
    """Take ranks for rules, where right answers happen to stand before wrong ones of equal confidence."""
    order = np.lexsort((-rows.small, -rows.confidence))
    kept = np.arange(1, setting.n + 1)
    p_values = binomial_p_value(np.cumsum(1.0 - rows.small[order]), kept, alpha=setting.alpha)
    last = np.flatnonzero(p_values <= setting.delta)
    return float(rows.confidence[order[last[-1]]]) if last.size else None


@pytest.mark.parametrize("wrong", [any_delta, not_stopping, reusing])
def test_a_wrong_calibration_is_found_out(wrong: Calibrate) -> None:
    setting = Setting(population=JUST_ABOVE, risk="error", n=1000)
    assert repeat(setting, 150, wrong).surely_above(setting.delta)


def test_ties_cut_apart_are_found_out() -> None:
    setting = Setting(population=Population(loss=JUST_ABOVE.loss * 1.5, levels=3), risk="error", n=1000)
    assert repeat(setting, 60, cutting_ties).surely_above(setting.delta)
    assert not repeat(setting, 60).surely_above(setting.delta)


def test_copies_of_questions_are_found_out() -> None:
    # Each row four times: the rows are no independent draws, and the test finds what is not there.
    def of_copies(rows: Rows, setting: Setting) -> float | None:
        copies = np.repeat(np.arange(setting.n), 4)
        found = certify_error(rows.confidence[copies], rows.small[copies], thresholds=[0.0], alpha=0.1, delta=0.1)
        return found.threshold

    setting = Setting(population=JUST_ABOVE, risk="error", n=300)
    assert repeat(setting, 150, of_copies).surely_above(setting.delta)


def test_the_truth_is_what_many_rows_show() -> None:
    for population in (*SETTINGS.values(), TIED):
        rows = population.draw(np.random.default_rng(1), 400_000)
        for threshold in (0.0, 0.3, 0.75):
            kept = rows.confidence >= threshold
            lost = np.maximum(rows.large - rows.small, 0.0) * kept
            assert (1.0 - rows.small[kept]).mean() == pytest.approx(population.error(threshold), abs=0.005)
            assert lost.mean() == pytest.approx(population.regret(threshold), abs=0.005)
