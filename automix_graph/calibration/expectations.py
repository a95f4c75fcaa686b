"""Choose a policy for a target that promises nothing: the simple one, unless a richer one is surely better.

Every family is fitted and judged by cross-validation, over the same folds of questions. A richer family takes the place
of the simple threshold only if the interval of what it gains over it, on the same held-out questions, lies above 0.
Where costs differ, what is compared is quality - lam * cost, with the price of an error as the target gives it, or else
with what the two models exchange where questions escalate at random: more quality must be worth more than that.

Of more than `MOST_COMPARED` questions, so many are drawn for all that; the policy is fitted to all rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from automix_graph.calibration.calibration import Compared, Expected
from automix_graph.calibration.cross_validation import HeldOut, cross_validate, folds_of
from automix_graph.calibration.describing import expected_of
from automix_graph.calibration.families import SIMPLE, Family, escalation_rate, families_for, fit
from automix_graph.calibration.mean_intervals import mean_intervals
from automix_graph.calibration.question_rows import QuestionRows
from automix_graph.calibration.targets import Expectation, MaxCost, MinQuality, PriceOfError
from automix_graph.evaluation.bootstrap import Interval
from automix_graph.policies import Policy

MOST_COMPARED: Final = 100_000
"""Questions; intervals of means over so many are narrow enough to tell families apart that differ by a thousandth."""

_CANNOT: Final = "no rule of it meets the target"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A policy, and how it was chosen.

    Attributes:
        policy: fitted to all rows.
        expected: on held-out rows.
        compared: all families.
        lam: what a unit of cost was worth in quality.
        rows: on how many families were compared.
    """

    policy: Policy
    expected: Expected
    compared: tuple[Compared, ...]
    lam: float
    rows: int


@dataclass(frozen=True, kw_only=True, eq=False)
class _Candidate:
    """A family on its way through the comparison; without held-out rows, it cannot be used."""

    name: str
    family: Family
    held: HeldOut | None = None
    why_not: str = ""


def choose(rows: QuestionRows, target: Expectation, *, seed: int) -> Choice | None:
    """Return the policy for a target; None if no family meets it.

    Args:
        rows: with the question of each.
        target: to be met.
        seed: of folds and resamples.
    """
    everything, rows = rows, rows.sample(MOST_COMPARED, seed=seed)
    folds = folds_of(rows, seed=seed)
    tried = [_try(name, family, rows, target, folds) for name, family in families_for(len(rows.outcomes.tiers)).items()]
    lam = target.lam if isinstance(target, PriceOfError) else escalation_rate(rows)
    advantages = _advantages(tried, rows, lam, seed)
    best = _best(tried, advantages, target)
    if best is None or best.held is None:
        return None
    stricter = corrected(target, best.held)
    held = best.held if stricter == target else cross_validate(best.family, rows, stricter, folds)
    if _beyond(rows, target) and not target.met(float(held.quality.mean()), float(held.cost.mean())):
        return None
    found = expected_of({each.name: each.held for each in tried if each.held is not None}, rows.codes, seed=seed)
    return Choice(
        policy=fit(best.family, everything, stricter).policy,
        expected=found[best.name] if held is best.held else expected_of({"": held}, rows.codes, seed=seed)[""],
        compared=tuple(_compared(each, best, found.get(each.name), advantages.get(each.name)) for each in tried),
        lam=lam,
        rows=rows.n,
    )


def _try(name: str, family: Family, rows: QuestionRows, target: Expectation, folds: NDArray[np.intp]) -> _Candidate:
    try:
        if not fit(family, rows, target).met:
            return _Candidate(name=name, family=family, why_not=_CANNOT)
        return _Candidate(name=name, family=family, held=cross_validate(family, rows, target, folds))
    except ValueError as error:
        return _Candidate(name=name, family=family, why_not=str(error))


def _advantages(tried: list[_Candidate], rows: QuestionRows, lam: float, seed: int) -> dict[str, Interval]:
    """Return what each richer family gains over the simple one, on the same questions."""
    simple = tried[0].held
    if simple is None:
        return {}
    gained = {each.name: each.held.net(lam) - simple.net(lam) for each in tried[1:] if each.held is not None}
    return mean_intervals(gained, rows.codes, seed=seed) if gained else {}


def _best(tried: list[_Candidate], advantages: dict[str, Interval], target: Expectation) -> _Candidate | None:
    """Return the richer family that gains most, of those that surely gain; else the first that can be used."""
    usable = [each for each in tried if each.held is not None]
    surely = [each for each in usable if _sure(advantages.get(each.name)) and _serves(each, tried[0], target)]
    if surely:
        return max(surely, key=lambda each: advantages[each.name].estimate or 0.0)
    return usable[0] if usable else None


def _sure(advantage: Interval | None) -> bool:
    return advantage is not None and advantage.low is not None and advantage.low > 0.0


def _serves(candidate: _Candidate, simple: _Candidate, target: Expectation) -> bool:
    """Return whether a family is no worse than the simple one in what the target asks to be best.

    A budget is not met for the sake of spending less, nor a floor for the sake of rising above it.
    """
    held, other = candidate.held, simple.held
    if held is None or other is None or isinstance(target, PriceOfError):
        return True
    if isinstance(target, MaxCost):
        return float(held.quality.mean()) >= float(other.quality.mean())
    return float(held.cost.mean()) <= float(other.cost.mean())


def corrected(target: Expectation, held: HeldOut) -> Expectation:
    """Return a target that is stricter by what held-out rows missed it by."""
    match target:
        case MaxCost(cost=cost):
            return MaxCost(max(0.0, cost - max(0.0, float(held.cost.mean()) - cost)))
        case MinQuality(quality=quality):
            return MinQuality(min(1.0, quality + max(0.0, quality - float(held.quality.mean()))))
        case PriceOfError():
            return target


def _beyond(rows: QuestionRows, target: Expectation) -> bool:
    """Return whether a floor lies above what the best tier reaches alone, so that only held-out rows can tell."""
    best = max(float(tier.quality.mean()) for tier in rows.outcomes.tiers)
    return isinstance(target, MinQuality) and target.quality > best


def _compared(
    candidate: _Candidate, chosen: _Candidate, expected: Expected | None, advantage: Interval | None
) -> Compared:
    found = Compared(
        family=candidate.name, expected=expected, advantage=advantage, chosen=candidate is chosen, verdict=""
    )
    return replace(found, verdict=_verdict(found, candidate.why_not, chosen))


def _verdict(found: Compared, why_not: str, chosen: _Candidate) -> str:
    if found.expected is None:
        return f"not used: {why_not}"
    sure = _sure(found.advantage)
    match found.chosen, found.family == SIMPLE:
        case True, True:
            return "chosen: no richer policy is surely better for this target"
        case True, False:
            return "chosen: surely better than the threshold" if sure else "chosen: no threshold can be used"
        case _, True:
            return f"not chosen: {chosen.name} is surely better"
        case _ if sure:
            return f"not chosen: {chosen.name} serves the target better"
        case _:
            return "not surely better than the threshold"
