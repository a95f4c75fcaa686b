"""All measures of a cascade by name: those of the tiers and their confidence, and those of one policy.

Only names and conditions are here; each formula is in the module of its subject.

Where a verification failed there is no confidence. Such a question escalates first on the curve (APGR, CPT, AIQ), as it
does under every policy; what judges confidences (AUROC, ECE, Brier score) leaves it out.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from automix_graph.evaluation.calibration_error import brier, ece
from automix_graph.evaluation.cascade import Cascade
from automix_graph.evaluation.curve import apgr, cpt, escalation_curve
from automix_graph.evaluation.discrimination import auroc
from automix_graph.evaluation.frontier import aiq
from automix_graph.evaluation.lift import Ends, break_even_pgr, gain_over_random_mix, ibc, ibc_lift, pgr
from automix_graph.evaluation.outcomes import Outcomes, Tier, confidence_of, has_judgement
from automix_graph.evaluation.undefined import Measured, Undefined, only_two_tiers

_CURVE_MEASURES: Final = ("apgr", "cpt50", "cpt80", "aiq", "auroc", "ece", "brier", "auroc_escalation_helps")


def tier_measures(outcomes: Outcomes, oracle: Cascade) -> dict[str, Measured]:
    """Return what does not depend on a policy; the oracle is the `oracle_cascade` of these questions.

    ``small`` and ``large`` are the mean qualities of the first and the last tier, ``oracle`` that of the best answer to
    each question; the costs are those of asking this tier alone, for the oracle the cheapest one that answers best. The
    others judge the confidence of two tiers; ``auroc_escalation_helps`` is the chance that a question on which the
    large model is better has a lower confidence than one on which it is not.
    """
    ends = Ends.of(outcomes)
    found: dict[str, Measured] = {
        "small": ends.small_quality,
        "small_cost": ends.small_cost,
        "large": ends.large_quality,
        "large_cost": ends.large_cost,
        "oracle": float(oracle.quality.mean()),
        "oracle_cost": float(oracle.cost.mean()),
        "ibc_base": ends.slope,
    }
    if len(outcomes.tiers) != 2:
        return found | dict.fromkeys(_CURVE_MEASURES, only_two_tiers(len(outcomes.tiers)))
    curve = escalation_curve(outcomes)
    found |= {
        "apgr": apgr(curve, ends),
        "cpt50": cpt(curve, ends, 0.5),
        "cpt80": cpt(curve, ends, 0.8),
        "aiq": aiq(curve, ends),
    }
    return found | confidence_measures(outcomes.small) | {"auroc_escalation_helps": escalation_auroc(outcomes)}


def oracle_cascade(outcomes: Outcomes) -> Cascade:
    """Return where questions would end if somebody knew beforehand which tier answers best: the cheapest such tier.

    It is asked alone, and nothing is verified; of tiers that cost the same, the first.
    """
    qualities = np.array([tier.quality for tier in outcomes.tiers])
    costs = np.array([tier.alone_cost for tier in outcomes.tiers])
    best = qualities.max(axis=0)
    priced = np.where(qualities == best, costs, np.inf)
    return Cascade(route=np.argmin(priced, axis=0), quality=best, cost=priced.min(axis=0))


def confidence_measures(tier: Tier) -> dict[str, Measured]:
    """Return AUROC, ECE (ten bins of equal width) and Brier score of a tier's confidence in its own answers."""
    names = ("auroc", "ece", "brier")
    if tier.graded:
        reason = f"the quality of tier {tier.name!r} is not only 0 and 1, so that answers are not right or wrong"
        return dict.fromkeys(names, Undefined(reason))
    judged = has_judgement(tier)
    if not judged.any():
        return dict.fromkeys(names, Undefined(f"every verification of tier {tier.name!r} failed"))
    confidence, right = confidence_of(tier)[judged], tier.quality[judged]
    area = auroc(confidence, right)
    kind = "right" if right[0] else "wrong"
    return {
        "auroc": Undefined(f"all answers of tier {tier.name!r} are {kind}") if area is None else area,
        "ece": ece(confidence, right),
        "brier": brier(confidence, right),
    }


def escalation_auroc(outcomes: Outcomes) -> Measured:
    """Return how well low confidence in the first tier tells where the last one is better, as an AUROC."""
    judged = has_judgement(outcomes.small)
    if not judged.any():
        return Undefined(f"every verification of tier {outcomes.small.name!r} failed")
    helps = (outcomes.large.quality > outcomes.small.quality)[judged]
    # That a low score tells one thing is that a high one tells its opposite.
    area = auroc(confidence_of(outcomes.small)[judged], ~helps)
    if area is None:
        return Undefined(f"the large model is better on {'every question' if helps[0] else 'no question'}")
    return area


def policy_measures(ends: Ends, cascade: Cascade) -> dict[str, Measured]:
    """Return what one policy makes of the outcomes.

    ``ibc``, ``ibc_lift``, ``pgr`` and the gains compare it with the first and the last tier, each alone and unverified.
    """
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


def differences(cascade: Cascade, first: Cascade) -> dict[str, Measured]:
    """Return how much more quality and cost a policy has than another on the same questions."""
    return {
        "quality": float((cascade.quality - first.quality).mean()),
        "cost": float((cascade.cost - first.cost).mean()),
    }
