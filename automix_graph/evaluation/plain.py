"""An evaluation as plain data, for JSON. Names and shapes are stable: what is undefined is null, with its reason."""

from __future__ import annotations

import dataclasses
from typing import Any

from automix_graph.evaluation.measures import confidence_measures
from automix_graph.evaluation.outcomes import Tier, has_judgement
from automix_graph.evaluation.results import Evaluation, PolicyResult, interval_ends
from automix_graph.evaluation.undefined import Undefined, value_of
from automix_graph.policies import Threshold


def evaluation_dict(evaluation: Evaluation) -> dict[str, Any]:
    """Return everything in an evaluation as values that JSON can hold.

    The measures of the tiers and of the first policy stand at the top, with one ``undefined`` and one ``intervals`` for
    both; ``policies`` holds every policy, ``references`` what they are to be compared with, next to the ``random_mix``
    that costs as much as each.
    """
    first = evaluation.policies[0]
    tiers, headline = evaluation.tiers.as_dict(), first.measures.as_dict()
    gain, best = evaluation.gain, evaluation.hindsight
    reasons = tiers.pop("undefined") | headline.pop("undefined")
    for name, found in (("random_mix", first.random_mix), ("best_in_hindsight", best), ("gain_by_confidence", gain)):
        reasons |= {name: found.reason} if isinstance(found, Undefined) else {}
    intervals = tiers.pop("intervals") | headline.pop("intervals")
    return {
        "n": evaluation.outcomes.n,
        "unit": evaluation.outcomes.unit,
        "policy": _policy(first),
        **tiers,
        **headline,
        "undefined": reasons,
        "intervals": intervals,
        "bootstrap": {"level": evaluation.level, "resamples": evaluation.n_resamples, "seed": evaluation.seed},
        "references": {
            f"{name}{only}": {"quality": tiers[name], "cost": tiers[f"{name}_cost"]}
            for name, only in (("small", "_only"), ("large", "_only"), ("oracle", ""))
        },
        "random_mix": _mix(first),
        "tiers": [_tier(tier, first, at) for at, tier in enumerate(evaluation.outcomes.tiers)],
        "policies": [_result(result) for result in evaluation.policies],
        "best_in_hindsight": None if isinstance(best, Undefined) else _result(best),
        "gain_by_confidence": None if isinstance(gain, Undefined) else _gain(evaluation),
        "left_out": {
            "n": evaluation.left_out.n,
            "reasons": evaluation.left_out.counts,
            "ids": {reason: list(ids) for reason, ids in evaluation.left_out.ids.items()},
            "uncharged": list(evaluation.left_out.uncharged),
        },
    }


def _policy(result: PolicyResult) -> dict[str, Any]:
    return {
        "name": result.name,
        "keeps": result.keeps,
        "threshold": result.policy.minimum if isinstance(result.policy, Threshold) else None,
        "in_hindsight": result.in_hindsight,
    }


def _result(result: PolicyResult) -> dict[str, Any]:
    return {
        **_policy(result),
        **result.measures.as_dict(),
        "asked": list(result.asked),
        "answered": list(result.answered),
        "random_mix": _mix(result),
        "over_first": None if result.over_first is None else result.over_first.as_dict(),
    }


def _mix(result: PolicyResult) -> dict[str, float] | None:
    return None if isinstance(result.random_mix, Undefined) else dataclasses.asdict(result.random_mix)


def _tier(tier: Tier, result: PolicyResult, position: int) -> dict[str, Any]:
    judged = tier.confidence is not None
    found = confidence_measures(tier) if judged else {}
    return {
        "name": tier.name,
        "quality": float(tier.quality.mean()),
        "cost": float(tier.cost.mean()),
        "alone_cost": float(tier.alone_cost.mean()),
        "verify_cost": float(tier.verify_cost.mean()) if judged else None,
        "asked": result.asked[position],
        "answered": result.answered[position],
        **{name: value_of(found[name]) if judged else None for name in ("auroc", "ece", "brier")},
        "failed_verifications": int((~has_judgement(tier)).sum()) if judged else None,
        "undefined": {name: value.reason for name, value in found.items() if isinstance(value, Undefined)},
    }


def _gain(evaluation: Evaluation) -> list[dict[str, Any]]:
    assert not isinstance(evaluation.gain, Undefined)
    return [
        {**dataclasses.asdict(bin_), "gain": bin_.gain, "interval": interval_ends(interval)}
        for bin_, interval in zip(evaluation.gain, evaluation.gain_intervals, strict=True)
    ]
