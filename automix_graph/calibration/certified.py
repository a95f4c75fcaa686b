"""Choose thresholds for a target that is a guarantee, on some questions, and certify one on the others."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from automix_graph.calibration.certificate import Certificate, Reason, Risk
from automix_graph.calibration.guarantees import certify_error, certify_regret
from automix_graph.calibration.question_rows import QuestionRows
from automix_graph.calibration.refused import CalibrationRefused
from automix_graph.calibration.sample_size import least_rows
from automix_graph.calibration.splitting import one_row_per_group, places_of, split_places
from automix_graph.calibration.targets import Guarantee, MaxError
from automix_graph.calibration.threshold_grid import error_grid, threshold_grid
from automix_graph.calibration.tier_rules import certify_rules, tier_rules
from automix_graph.evaluation.outcomes import confidence_of
from automix_graph.policies import Policy, Threshold

SELECTION_SHARE: Final = 0.3


@dataclass(frozen=True, kw_only=True)
class Certified:
    """A policy with its certificate.

    Attributes:
        policy: the loosest threshold that is certified; for more than two tiers one for each.
        certificate: on the certification rows.
        selection: the rows that chose what was tested.
        certification: those that tested it, one a question.
    """

    policy: Policy
    certificate: Certificate
    selection: QuestionRows
    certification: QuestionRows


def certify(rows: QuestionRows, target: Guarantee, *, seed: int, graded: bool) -> Certified:
    """Return the certified policy that keeps most.

    Args:
        rows: with the question of each.
        target: what is to be guaranteed.
        seed: of the split.
        graded: whether answers may be half right.

    Raises:
        CalibrationRefused: nothing can be certified.
    """
    if rows.questions < 2:
        raise _too_few(rows, target)
    split = split_places(places_of(rows.codes, seed=seed), selection_share=SELECTION_SHARE)
    selection, certification = (
        part.take(one_row_per_group(part.codes, seed=seed))
        for part in (rows.take(split.selection), rows.take(split.certification))
    )
    policy: Policy
    if len(rows.outcomes.tiers) == 2:
        certificate = _certificate(selection, certification, target, graded)
        policy = Threshold(certificate.threshold or 0.0)
    else:
        rules = tier_rules(selection.outcomes, target, certification_rows=certification.n)
        certificate = certify_rules(rules, certification.outcomes, target, graded=graded)
        policy = rules[certificate.position or 0]
    if certificate.refusal is not None:
        raise _not_certified(certificate, rows, target, selection)
    return Certified(policy=policy, certificate=certificate, selection=selection, certification=certification)


def _certificate(selection: QuestionRows, certification: QuestionRows, target: Guarantee, graded: bool) -> Certificate:
    chosen, tested = selection.outcomes, certification.outcomes
    sure = confidence_of(chosen.small)
    if isinstance(target, MaxError):
        thresholds = error_grid(sure, chosen.small.quality, alpha=target.alpha, certification_rows=tested.n)
        return certify_error(
            confidence_of(tested.small),
            tested.small.quality,
            thresholds=thresholds,
            alpha=target.alpha,
            delta=target.delta,
            graded=graded,
        )
    return certify_regret(
        confidence_of(tested.small),
        small=tested.small.quality,
        large=tested.large.quality,
        thresholds=threshold_grid(sure),
        alpha=target.alpha,
        delta=target.delta,
        graded=graded,
    )


def _too_few(rows: QuestionRows, target: Guarantee) -> CalibrationRefused:
    least = in_all(least_rows(alpha=target.alpha, delta=target.delta))
    return CalibrationRefused(
        f"nothing can be certified: there is {rows.questions} question, and {target.name} takes at least {least}",
        reason="nothing-certified",
        numbers={"questions": rows.questions, "at_least": least, "needed": None},
    )


def _not_certified(
    certificate: Certificate, rows: QuestionRows, target: Guarantee, selection: QuestionRows
) -> CalibrationRefused:
    refusal = certificate.refusal
    assert refusal is not None
    least = in_all(refusal.least_rows)
    needed = None if refusal.rows_needed is None else in_all(refusal.rows_needed)
    mean = "unknown" if certificate.observed is None else f"{certificate.observed:.4g}"
    over = "of these" if certificate.risk == "error" else "over all"
    return CalibrationRefused(
        f"nothing can be certified: {target.name}. {_WHY[refusal.reason]}: it kept {certificate.kept} of "
        f"{certificate.n} answers, the mean loss {over} was {mean} (p = {certificate.p_value:.3g}). "
        f"{_remedy(certificate.risk, least, needed, rows.questions)}",
        reason="nothing-certified",
        numbers={
            "questions": rows.questions,
            "selection": selection.n,
            "certification": certificate.n,
            "kept": certificate.kept,
            "observed": certificate.observed,
            "at_least": least,
            "needed": needed,
        },
    )


_WHY: Final[dict[Reason, str]] = {
    "nothing-kept": "The strictest threshold that was tested kept no answer",
    "too-few-rows": "The strictest threshold that was tested lost little enough, but on too few rows to tell",
    "risk-too-high": "The strictest threshold that was tested lost too much",
}


def _remedy(risk: Risk, least: int, needed: int | None, there: int) -> str:
    kept = " if all answers are kept" if risk == "error" else ""
    told = f"Without a single loss it takes {least} questions{kept}"
    if needed is None:
        return f"{told}; at the loss that was observed, no number would do: allow more, or take a better verifier."
    if needed <= there:
        return f"{told}; there are {there}, and chance decided: record more."
    return f"{told}; at what was observed it takes about {needed}, and there are {there}."


def in_all(certification_rows: int) -> int:
    """Return how many questions give so many certification rows after the split.

    Example:
        >>> in_all(70)
        100
    """
    return math.ceil(round(certification_rows / (1.0 - SELECTION_SHARE), 9))
