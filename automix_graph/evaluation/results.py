"""What an evaluation found, as values: measures with their intervals, by tier and by policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from automix_graph.evaluation.bootstrap import Interval
from automix_graph.evaluation.cascade import Cascade
from automix_graph.evaluation.gain import GainBin
from automix_graph.evaluation.left_out import LeftOut
from automix_graph.evaluation.lift import RandomMix
from automix_graph.evaluation.outcomes import Outcomes
from automix_graph.evaluation.undefined import Measured, Undefined, value_of
from automix_graph.policies import Policy


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
            "intervals": {name: interval_ends(self.intervals[name]) for name in self.values},
        }


@dataclass(frozen=True, kw_only=True)
class PolicyResult:
    """What one policy made of the outcomes.

    Attributes:
        policy: as it was given.
        keeps: which answers it keeps, in a few words.
        in_hindsight: whether it was chosen on the outcomes that it is measured on.
        measures: `policy_measures`.
        over_first: quality and cost above those of the first policy; None for the first one.
        asked: share of questions that came to each tier.
        answered: share of questions that ended at each tier.
        random_mix: of the two models, at the same cost.
        cascade: where each question ended, in the order of the outcomes.
    """

    policy: Policy
    keeps: str
    in_hindsight: bool
    measures: Measures
    over_first: Measures | None
    asked: tuple[float, ...]
    answered: tuple[float, ...]
    random_mix: RandomMix | Undefined
    cascade: Cascade

    @property
    def name(self) -> str:
        """Of the policy."""
        return self.policy.name


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Everything that is reported about a cascade.

    Attributes:
        outcomes: what was evaluated.
        tiers: measures that depend on no policy.
        policies: one result a policy, in the order given; the first one is the headline.
        hindsight: the best fixed threshold in hindsight, or why there is none.
        gain: what the large model adds, by confidence, or why that is not told.
        gain_intervals: of the gain in each bin, the bins held fixed.
        seed: of the resamples.
        n_resamples: behind each interval.
        level: coverage that the intervals aim at.
        left_out: questions of the source that were not evaluated.
    """

    outcomes: Outcomes
    tiers: Measures
    policies: tuple[PolicyResult, ...]
    hindsight: PolicyResult | Undefined
    gain: tuple[GainBin, ...] | Undefined
    gain_intervals: tuple[Interval, ...]
    seed: int
    n_resamples: int
    level: float
    left_out: LeftOut = field(default_factory=LeftOut)


def interval_ends(interval: Interval) -> dict[str, float | int | None]:
    """Return the ends of an interval as plain data; the estimate stands elsewhere, under the name of its measure."""
    return {"low": interval.low, "high": interval.high, "failed_resamples": interval.failed_resamples}
