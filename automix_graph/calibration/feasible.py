"""What no policy can do with some rows, found before one is sought, or after none was found."""

from __future__ import annotations

from typing import Final

import numpy as np

from automix_graph.calibration.cross_validation import FOLDS
from automix_graph.calibration.question_rows import QuestionRows
from automix_graph.calibration.refused import CalibrationRefused
from automix_graph.calibration.targets import Expectation, MaxCost
from automix_graph.evaluation.cascade import replay
from automix_graph.evaluation.outcomes import Outcomes, has_judgement
from automix_graph.policies import Threshold

LEAST_QUESTIONS: Final = 10 * FOLDS
"""Below that the folds of a cross-validation are a handful of questions each, and which model is better is chance."""


def judged_questions(rows: QuestionRows) -> int:
    """Return how many questions were verified."""
    return int(np.unique(rows.codes[rows.judged]).size)


def require_judgements(rows: QuestionRows) -> None:
    """Refuse rows in which nothing was verified.

    Raises:
        CalibrationRefused: so it is.
    """
    for tier in rows.outcomes.tiers[:-1]:
        if not has_judgement(tier).any():
            raise CalibrationRefused(
                f"every verification of tier {tier.name!r} failed, so that there is no confidence to go by; repair the "
                "verifier, and record again",
                reason="no-confidence",
                numbers={"questions": rows.questions, "judged": 0},
            )


def require_better(outcomes: Outcomes) -> None:
    """Refuse outcomes in which no tier answers better than the cheapest.

    Raises:
        CalibrationRefused: so it is.
    """
    small, *others = outcomes.tiers
    best = max(others, key=lambda tier: float(tier.quality.mean()))
    quality, reached = float(small.quality.mean()), float(best.quality.mean())
    if reached > quality:
        return
    raise CalibrationRefused(
        f"the large model is not better than the small one: the mean quality of {best.name!r} is {reached:.4f}, that "
        f"of {small.name!r} {quality:.4f}; use {small.name!r} alone, without verification, at a cost of "
        f"{small.alone_cost.mean():.4g} a question instead of {best.alone_cost.mean():.4g}",
        reason="large-not-better",
        numbers={"small": quality, "large": reached, "small_cost": float(small.alone_cost.mean())},
    )


def require_questions(rows: QuestionRows) -> None:
    """Refuse what is too little to hold out a part of.

    Raises:
        CalibrationRefused: so it is.
    """
    questions = judged_questions(rows)
    if questions < LEAST_QUESTIONS:
        raise CalibrationRefused(
            f"there are {questions} questions that were verified; choosing a policy on some and judging it on others "
            f"takes at least {LEAST_QUESTIONS}: record more",
            reason="too-few-rows",
            numbers={"questions": questions, "needed": LEAST_QUESTIONS},
        )


def unreachable(rows: QuestionRows, target: Expectation) -> CalibrationRefused:
    """Return why no policy meets a target."""
    outcomes = rows.outcomes
    small, large = outcomes.small, outcomes.large
    if isinstance(target, MaxCost):
        # Even the laxest rule sends on what could not be verified.
        least = float(replay(outcomes, Threshold(0.0)).cost.mean())
        return CalibrationRefused(
            f"no cascade costs {target.cost:.6g} a question or less: with answers of {small.name!r} alone and their "
            f"verification it costs {least:.6g}; allow more, take a cheaper verifier, or use {small.name!r} without "
            f"verification (quality {small.quality.mean():.4f}, cost {small.alone_cost.mean():.6g})",
            reason="budget-too-low",
            numbers={"budget": target.cost, "needed": least, "small_cost": float(small.alone_cost.mean())},
        )
    best = max(outcomes.tiers, key=lambda tier: float(tier.quality.mean()))
    return CalibrationRefused(
        f"no policy reaches {target.name.split(' for ')[-1]} on questions that it was not fitted to: the best tier, "
        f"{best.name!r}, reaches {best.quality.mean():.4f} alone, at a cost of {best.alone_cost.mean():.6g}; lower the "
        "floor, or take a better large model",
        reason="floor-too-high",
        numbers={"best_tier": float(best.quality.mean()), "large": float(large.quality.mean())},
    )
