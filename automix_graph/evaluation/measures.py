"""All measures of a cascade by name: those of the tiers and their confidence, and those of one rule.

Only names and conditions are here; each formula is in the module of its subject.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from automix_graph.evaluation.calibration_error import brier, ece
from automix_graph.evaluation.cascade import Rule, follow
from automix_graph.evaluation.curve import apgr, cpt, escalation_curve
from automix_graph.evaluation.discrimination import auroc
from automix_graph.evaluation.frontier import aiq
from automix_graph.evaluation.lift import Ends, break_even_pgr, gain_over_random_mix, ibc, ibc_lift, pgr
from automix_graph.evaluation.outcomes import Outcomes, Tier, confidence_of
from automix_graph.evaluation.undefined import Measured, Undefined

_CURVE_MEASURES: Final = ("apgr", "cpt50", "cpt80", "aiq", "auroc", "ece", "brier", "auroc_escalation_helps")


def tier_measures(outcomes: Outcomes) -> dict[str, Measured]:
    """Return what does not depend on a policy.

    ``small`` and ``large`` are the mean qualities of the first and the last tier, ``oracle`` that of the best answer to
    each question. The others judge the confidence of two tiers; ``auroc_escalation_helps`` is the chance that a
    question on which the large model is better has a lower confidence than one on which it is not.
    """
    ends = Ends.of(outcomes)
    found: dict[str, Measured] = {
        "small": ends.small_quality,
        "large": ends.large_quality,
        "oracle": float(np.max([tier.quality for tier in outcomes.tiers], axis=0).mean()),
        "ibc_base": ends.slope,
    }
    if len(outcomes.tiers) != 2:
        reason = f"it is defined for two tiers, and there are {len(outcomes.tiers)}"
        return found | {name: Undefined(reason) for name in _CURVE_MEASURES}
    curve = escalation_curve(outcomes)
    found |= {
        "apgr": apgr(curve, ends),
        "cpt50": cpt(curve, ends, 0.5),
        "cpt80": cpt(curve, ends, 0.8),
        "aiq": aiq(curve, ends),
    }
    return found | confidence_measures(outcomes.small) | {"auroc_escalation_helps": escalation_auroc(outcomes)}


def confidence_measures(tier: Tier) -> dict[str, Measured]:
    """Return AUROC, ECE (ten bins of equal width) and Brier score of a tier's confidence in its own answers."""
    if tier.graded:
        reason = f"the quality of tier {tier.name!r} is not only 0 and 1, so that answers are not right or wrong"
        return {name: Undefined(reason) for name in ("auroc", "ece", "brier")}
    confidence = confidence_of(tier)
    area = auroc(confidence, tier.quality)
    kind = "right" if tier.quality[0] else "wrong"
    return {
        "auroc": Undefined(f"all answers of tier {tier.name!r} are {kind}") if area is None else area,
        "ece": ece(confidence, tier.quality),
        "brier": brier(confidence, tier.quality),
    }


def escalation_auroc(outcomes: Outcomes) -> Measured:
    """Return how well low confidence in the first tier tells where the last one is better, as an AUROC."""
    helps = outcomes.large.quality > outcomes.small.quality
    area = auroc(-confidence_of(outcomes.small), helps)
    if area is None:
        return Undefined(f"the large model is better on {'every question' if helps[0] else 'no question'}")
    return area


def rule_measures(outcomes: Outcomes, rule: Rule) -> dict[str, Measured]:
    """Return what one rule makes of the outcomes.

    ``ibc``, ``ibc_lift``, ``pgr`` and the gains compare it with the first and the last tier, each alone and unverified.
    """
    ends, cascade = Ends.of(outcomes), follow(outcomes, rule)
    quality, cost = float(cascade.quality.mean()), float(cascade.cost.mean())
    return {
        "quality": quality,
        "cost": cost,
        "escalated": cascade.escalated,
        "ibc": ibc(ends, cascade),
        "ibc_lift": ibc_lift(ends, cascade),
        "pgr": pgr(ends, quality),
        "break_even_pgr": break_even_pgr(ends, cost),
        "gain_over_small": quality - ends.small_quality,
        "gain_over_large": quality - ends.large_quality,
        "gain_over_random_mix": gain_over_random_mix(ends, cascade),
    }
