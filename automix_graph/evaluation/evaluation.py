"""Everything that `automix evaluate` reports, from the outcomes of every tier and the policies to compare."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.bootstrap import Interval
from automix_graph.evaluation.cascade import Cascade, replay
from automix_graph.evaluation.curve import best_threshold, escalation_curve
from automix_graph.evaluation.gain import bins_of, gain_by_confidence
from automix_graph.evaluation.joint_intervals import joint_intervals
from automix_graph.evaluation.left_out import LeftOut
from automix_graph.evaluation.lift import Ends, random_mix
from automix_graph.evaluation.measures import differences, oracle_cascade, policy_measures, tier_measures
from automix_graph.evaluation.outcomes import Outcomes, confidence_of, escalation_order, has_judgement
from automix_graph.evaluation.results import Evaluation, Measures, PolicyResult
from automix_graph.evaluation.undefined import Measured, Undefined, only_two_tiers, value_of
from automix_graph.policies import AcceptCorrect, ColumnPolicy, Policy, Threshold

_Key = tuple[str, str]
"""Whose measure, and its name."""
_TIERS: Final = "tiers"
_GAIN: Final = "gain"
_NO_BIN: Final = -1


def evaluate(
    outcomes: Outcomes,
    policies: Sequence[Policy] = (AcceptCorrect(),),
    *,
    seed: int = 0,
    n_resamples: int = 1000,
    level: float = 0.95,
    left_out: LeftOut | None = None,
    progress: Callable[[], object] = lambda: None,
) -> Evaluation:
    """Measure a cascade under some policies, with intervals from resampling the questions.

    Each policy is replayed once; a resample draws questions with what the policy made of them. All intervals come from
    the same resamples. That of the best threshold in hindsight holds the threshold fixed, so it does not know that the
    threshold was chosen on the same questions.

    Args:
        outcomes: what every tier did with every question.
        policies: to compare; at least one, no two alike.
        seed: of the resamples.
        n_resamples: how many; at least 1.
        level: coverage aimed at, in (0, 1).
        left_out: questions of the source that are not among the outcomes, to be reported.
        progress: called after each resample.

    Raises:
        ConfigurationError: there is no policy, two are alike, or a number is out of its range.
        ConfigurationError: a policy returned something else than a decision.

    Example:
        >>> from automix_graph.evaluation.outcomes import Tier
        >>> small = Tier(name="small", quality=[1, 1, 0, 0], cost=1, confidence=[0.9, 0.7, 0.6, 0.1], verify_cost=0.5)
        >>> large = Tier(name="large", quality=[1, 1, 1, 1], cost=20)
        >>> found = evaluate(Outcomes(tiers=(small, large)), n_resamples=10)
        >>> found.policies[0].measures.values["quality"], found.policies[0].measures.values["cost"]
        (0.75, 6.5)
    """
    _check(policies)
    best = _best_in_hindsight(outcomes)
    compared = [*policies] if isinstance(best, Undefined) else [*policies, best]
    cascades = [replay(outcomes, policy) for policy in compared]
    # In order of confidence, because sorting resamples of a sorted column takes no time, and because the order in which
    # the questions came must decide nothing.
    order = np.argsort(escalation_order(outcomes.small), kind="stable")
    ordered = dataclasses.replace(outcomes, ids=None).take(order)
    # The oracle first, then the policies.
    sent = [cascade.take(order) for cascade in (oracle_cascade(outcomes), *cascades)]
    bins = _bins(ordered)

    def measure(rows: NDArray[np.intp]) -> dict[_Key, float | None]:
        drawn = ordered.take(rows)
        found = _measured(drawn, [cascade.take(rows) for cascade in sent])
        return {key: value_of(value) for key, value in found.items()} | _gains(drawn, bins, rows)

    found = _measured(ordered, sent)
    intervals = joint_intervals(measure, outcomes.n, seed=seed, n_resamples=n_resamples, level=level, progress=progress)
    results = [
        _result(outcomes, policy, cascade, position, found, intervals)
        for position, (policy, cascade) in enumerate(zip(compared, cascades, strict=True))
    ]
    return Evaluation(
        outcomes=outcomes,
        tiers=_of(_TIERS, found, intervals),
        policies=tuple(results[: len(policies)]),
        hindsight=best if isinstance(best, Undefined) else dataclasses.replace(results[-1], in_hindsight=True),
        gain=_no_gain(outcomes) if bins is None else tuple(gain_by_confidence(ordered)),
        gain_intervals=tuple(interval for (owner, _), interval in intervals.items() if owner == _GAIN),
        seed=seed,
        n_resamples=n_resamples,
        level=level,
        left_out=left_out or LeftOut(),
    )


def _check(policies: Sequence[Policy]) -> None:
    names = [policy.name for policy in policies]
    alike = any(one == other for one, other in itertools.combinations(policies, 2))
    if not policies or alike:
        raise ConfigurationError(f"the policies are {names!r}; give at least one, and each only once")


def _best_in_hindsight(outcomes: Outcomes) -> Threshold | Undefined:
    if len(outcomes.tiers) != 2:
        return only_two_tiers(len(outcomes.tiers))
    found = best_threshold(escalation_curve(outcomes), Ends.of(outcomes))
    return found if isinstance(found, Undefined) else Threshold(found)


def _measured(outcomes: Outcomes, cascades: Sequence[Cascade]) -> dict[_Key, Measured]:
    """Return all measures but the gains; the cascades are those of the oracle and the policies on these questions."""
    ends, (oracle, *followed) = Ends.of(outcomes), cascades
    found = {(_TIERS, name): value for name, value in tier_measures(outcomes, oracle).items()}
    for position, cascade in enumerate(followed):
        own, over = policy_measures(ends, cascade), differences(cascade, followed[0])
        found |= {(_policy(position), name): value for name, value in own.items()}
        found |= {(_over_first(position), name): value for name, value in over.items()}
    return found


def _bins(outcomes: Outcomes) -> NDArray[np.intp] | None:
    """Return the bin of each question by its confidence, `_NO_BIN` where the verification failed."""
    judged = has_judgement(outcomes.small)
    if len(outcomes.tiers) != 2 or not judged.any():
        return None
    bins = np.full(outcomes.n, _NO_BIN, dtype=np.intp)
    bins[judged] = bins_of(confidence_of(outcomes.small)[judged])
    return bins


def _no_gain(outcomes: Outcomes) -> Undefined:
    if len(outcomes.tiers) != 2:
        return only_two_tiers(len(outcomes.tiers))
    return Undefined("every verification failed: there is no confidence")


def _gains(drawn: Outcomes, bins: NDArray[np.intp] | None, rows: NDArray[np.intp]) -> dict[_Key, float | None]:
    """Return the gain in each of the bins, which stay as they are on all questions."""
    if bins is None:
        return {}
    # One place further for what is in no bin, which is then left out.
    places, number = bins[rows] + 1, int(bins.max()) + 2
    counts = np.bincount(places, minlength=number)[1:]
    sums = np.bincount(places, weights=drawn.large.quality - drawn.small.quality, minlength=number)[1:]
    return {(_GAIN, str(b)): float(sums[b] / counts[b]) if counts[b] else None for b in range(number - 1)}


def _result(
    outcomes: Outcomes,
    policy: Policy,
    cascade: Cascade,
    position: int,
    found: Mapping[_Key, Measured],
    intervals: Mapping[_Key, Interval],
) -> PolicyResult:
    measures = _of(_policy(position), found, intervals)
    cost = cast("float", measures.values["cost"])
    tiers = range(len(outcomes.tiers))
    return PolicyResult(
        policy=policy,
        keeps=_keeps(policy, outcomes),
        in_hindsight=False,
        measures=measures,
        over_first=_of(_over_first(position), found, intervals) if position else None,
        asked=tuple(float(np.mean(cascade.reached(tier))) for tier in tiers),
        answered=tuple(float(np.mean(cascade.route == tier)) for tier in tiers),
        random_mix=random_mix(Ends.of(outcomes), cost),
        cascade=cascade,
    )


def _keeps(policy: Policy, outcomes: Outcomes) -> str:
    if isinstance(policy, AcceptCorrect) and outcomes.verifications is None:
        return "confidence > 0.5"  # which is what a verdict of CORRECT is read from
    return policy.keeps if isinstance(policy, ColumnPolicy) else policy.name


def _of(owner: str, found: Mapping[_Key, Measured], intervals: Mapping[_Key, Interval]) -> Measures:
    keys = [key for key in found if key[0] == owner]
    return Measures(values={key[1]: found[key] for key in keys}, intervals={key[1]: intervals[key] for key in keys})


def _policy(position: int) -> str:
    return f"policy {position}"


def _over_first(position: int) -> str:
    return f"policy {position} over the first"
