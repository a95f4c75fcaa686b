"""Everything that `automix evaluate` reports, from the outcomes of every tier and the rules to compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automix_graph.evaluation.bootstrap import Interval
from automix_graph.evaluation.cascade import ACCEPT_CORRECT, Rule, follow
from automix_graph.evaluation.curve import best_threshold, escalation_curve
from automix_graph.evaluation.gain import GainBin, bins_of, gain_by_confidence
from automix_graph.evaluation.joint_intervals import joint_intervals
from automix_graph.evaluation.lift import Ends, RandomMix, random_mix
from automix_graph.evaluation.measures import rule_measures, tier_measures
from automix_graph.evaluation.outcomes import Outcomes, confidence_of
from automix_graph.evaluation.undefined import Measured, Undefined, value_of

_Key = tuple[str, str]
_TIERS = ""
_GAIN = "gain"


@dataclass(frozen=True, kw_only=True)
class Measures:
    """Measures by name, with their intervals.

    Attributes:
        values: numbers, or why there is none.
        intervals: of all of them, under the same names.
    """

    values: Mapping[str, Measured]
    intervals: Mapping[str, Interval]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values: the numbers by name, then ``undefined`` (reasons) and ``intervals``."""
        reasons = {name: found.reason for name, found in self.values.items() if isinstance(found, Undefined)}
        return {
            **{name: value_of(found) for name, found in self.values.items()},
            "undefined": reasons,
            "intervals": {name: interval_dict(self.intervals[name]) for name in self.values},
        }


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """What one rule made of the outcomes.

    Attributes:
        rule: the fixed threshold.
        measures: `rule_measures`.
        asked: share of questions that came to each tier.
        answered: share of questions that ended at each tier.
        random_mix: of the two models, at the same cost.
    """

    rule: Rule
    measures: Measures
    asked: tuple[float, ...]
    answered: tuple[float, ...]
    random_mix: RandomMix | Undefined


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Everything that is reported about a cascade.

    Attributes:
        outcomes: what was evaluated.
        tiers: measures that depend on no rule.
        rules: one result a rule, in the order given; the first one is the headline.
        hindsight: the best fixed threshold in hindsight, or why there is none.
        gain: what the large model adds, by confidence, or why that is not told.
        gain_intervals: of the gain in each bin, the bins held fixed.
        seed: of the resamples.
        n_resamples: behind each interval.
        level: coverage that the intervals aim at.
    """

    outcomes: Outcomes
    tiers: Measures
    rules: tuple[RuleResult, ...]
    hindsight: RuleResult | Undefined
    gain: tuple[GainBin, ...] | Undefined
    gain_intervals: tuple[Interval, ...]
    seed: int
    n_resamples: int
    level: float


def evaluate(
    outcomes: Outcomes,
    rules: Sequence[Rule] = (ACCEPT_CORRECT,),
    *,
    seed: int = 0,
    n_resamples: int = 1000,
    level: float = 0.95,
    progress: Callable[[], object] = lambda: None,
) -> Evaluation:
    """Measure a cascade under some rules, with intervals from resampling the questions.

    All intervals come from the same resamples. That of the best threshold in hindsight holds the threshold fixed, so it
    does not know that the threshold was chosen on the same questions.

    Args:
        outcomes: what every tier did with every question.
        rules: to compare; at least one, no two alike.
        seed: of the resamples.
        n_resamples: how many; at least 1.
        level: coverage aimed at, in (0, 1).
        progress: called after each resample.

    Raises:
        ValueError: there is no rule, two are alike, or a number is out of its range.

    Example:
        >>> from automix_graph.evaluation.outcomes import Tier
        >>> small = Tier(name="small", quality=[1, 1, 0, 0], cost=1, confidence=[0.9, 0.7, 0.6, 0.1], verify_cost=0.5)
        >>> large = Tier(name="large", quality=[1, 1, 1, 1], cost=20)
        >>> found = evaluate(Outcomes(tiers=(small, large)), n_resamples=10)
        >>> found.rules[0].measures.values["quality"], found.rules[0].measures.values["cost"]
        (0.75, 6.5)
    """
    if not rules or len(set(rules)) < len(rules):
        raise ValueError(f"the rules are {[rule.keeps for rule in rules]!r}; give at least one, and each only once")
    ordered = outcomes.by_confidence()
    best = _best_in_hindsight(ordered)
    compared = [*rules] if isinstance(best, Undefined) else [*rules, best]
    bin_of = bins_of(confidence_of(ordered.small)) if len(outcomes.tiers) == 2 else None

    def measure(rows: NDArray[np.intp]) -> dict[_Key, float | None]:
        drawn = ordered.take(rows)
        found: dict[_Key, float | None] = {}
        for position, rule in enumerate(compared):
            found |= {(str(position), name): value_of(v) for name, v in rule_measures(drawn, rule).items()}
        if bin_of is not None:
            found |= _gains(drawn, bin_of[rows], int(bin_of.max()) + 1)
        return found | {(_TIERS, name): value_of(v) for name, v in tier_measures(drawn).items()}

    intervals = joint_intervals(measure, outcomes.n, seed=seed, n_resamples=n_resamples, level=level, progress=progress)
    results = [_result(ordered, rule, _of(intervals, str(position))) for position, rule in enumerate(compared)]
    return Evaluation(
        outcomes=outcomes,
        tiers=Measures(values=tier_measures(ordered), intervals=_of(intervals, _TIERS)),
        rules=tuple(results[: len(rules)]),
        hindsight=best if isinstance(best, Undefined) else results[-1],
        gain=_only_two(outcomes) if bin_of is None else tuple(gain_by_confidence(ordered)),
        gain_intervals=tuple(_of(intervals, _GAIN).values()),
        seed=seed,
        n_resamples=n_resamples,
        level=level,
    )


def interval_dict(interval: Interval) -> dict[str, float | int | None]:
    """Return the ends of an interval as plain data."""
    return {"low": interval.low, "high": interval.high, "failed_resamples": interval.failed_resamples}


def _best_in_hindsight(outcomes: Outcomes) -> Rule | Undefined:
    if len(outcomes.tiers) != 2:
        return _only_two(outcomes)
    found = best_threshold(escalation_curve(outcomes), Ends.of(outcomes))
    return found if isinstance(found, Undefined) else Rule(found, in_hindsight=True)


def _only_two(outcomes: Outcomes) -> Undefined:
    return Undefined(f"it is defined for two tiers, and there are {len(outcomes.tiers)}")


def _gains(drawn: Outcomes, bin_of: NDArray[np.intp], bins: int) -> dict[_Key, float | None]:
    counts = np.bincount(bin_of, minlength=bins)
    sums = np.bincount(bin_of, weights=drawn.large.quality - drawn.small.quality, minlength=bins)
    return {(_GAIN, str(b)): float(sums[b] / counts[b]) if counts[b] else None for b in range(bins)}


def _of(intervals: Mapping[_Key, Interval], owner: str) -> dict[str, Interval]:
    return {name: interval for (of, name), interval in intervals.items() if of == owner}


def _result(outcomes: Outcomes, rule: Rule, intervals: Mapping[str, Interval]) -> RuleResult:
    cascade = follow(outcomes, rule)
    tiers = range(len(outcomes.tiers))
    return RuleResult(
        rule=rule,
        measures=Measures(values=rule_measures(outcomes, rule), intervals=intervals),
        asked=tuple(float(np.mean(cascade.route >= tier)) for tier in tiers),
        answered=tuple(float(np.mean(cascade.route == tier)) for tier in tiers),
        random_mix=random_mix(Ends.of(outcomes), float(cascade.cost.mean())),
    )
