"""From records with known outcomes and a target to a policy, or to the reason why there is none.

- Targets for what is to be expected (`MaxCost`, `MinQuality`, `PriceOfError`) choose among families of policies by
  cross-validation (`expectations`), fit the chosen one to all rows, and say what held-out questions came to.
- Guarantees (`MaxError`, `MaxRegret`) choose thresholds on some questions and certify one on the others (`certified`);
  with more than two tiers it is a threshold for each, and all answers but those of the last tier are kept ones.

What rows cannot support is refused, with what would be needed: a policy that merely looks right is worse than none.
"""

from __future__ import annotations

import dataclasses

from automix_graph.calibration.binning import Groups
from automix_graph.calibration.calibration import Calibration, Compared, Label
from automix_graph.calibration.certified import certify
from automix_graph.calibration.describing import alone_of, bands_of, expected_under
from automix_graph.calibration.expectations import choose
from automix_graph.calibration.families import SIMPLE
from automix_graph.calibration.feasible import (
    LEAST_QUESTIONS,
    judged_questions,
    require_better,
    require_judgements,
    require_questions,
    unreachable,
)
from automix_graph.calibration.notes import notes_on
from automix_graph.calibration.question_rows import QuestionRows
from automix_graph.calibration.targets import Expectation, Guarantee, MaxRegret, Target
from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.outcomes import Outcomes


def calibrate(
    outcomes: Outcomes,
    target: Target,
    *,
    groups: Groups | None = None,
    seed: int = 0,
    label: Label = "quality",
    graded: bool | None = None,
) -> Calibration:
    """Choose the policy that meets a target.

    Args:
        outcomes: of every tier, from 100 rows to a million.
        target: `MaxCost`, `MinQuality`, `PriceOfError`, `MaxError` or `MaxRegret`.
        groups: shape (n,), the question of each row; its rows stay together wherever rows are split or drawn. None:
            each row is a question of its own.
        seed: of all that is drawn; the same seed and rows give the same policy, in any order of the rows.
        label: what the qualities are: of answers, or, after `large_is_right` or `scored_by_agreement`, agreement with
            the large model.
        graded: for guarantees, whether answers may be half right; None: whether any is.

    Raises:
        CalibrationRefused: the rows do not support the target.
        ConfigurationError: there is not one group a row, or the seed is out of range.

    Example:
        >>> import numpy as np
        >>> from automix_graph.calibration.targets import MaxCost
        >>> from automix_graph.evaluation import Tier
        >>> sure = np.arange(200) / 200
        >>> small = Tier(name="small", quality=sure > 0.4, cost=1, confidence=sure, verify_cost=0.5)
        >>> table = Outcomes(tiers=(small, Tier(name="large", quality=np.ones(200), cost=20)))
        >>> found = calibrate(table, MaxCost(10))
        >>> found.policy.name, round(found.expected.cost.estimate, 1)
        ('threshold(0.4225)', 9.7)
    """
    if not 0 <= seed < 2**64:
        raise ConfigurationError(f"seed is {seed!r}; use a whole number from 0 and below 2^64")
    rows = QuestionRows.of(outcomes, groups)
    require_judgements(rows)
    if isinstance(target, Guarantee):
        found = _guaranteed(rows, target, seed, label, graded)
    else:
        found = _expected(rows, target, seed, label)
    return dataclasses.replace(found, notes=notes_on(found))


def _expected(rows: QuestionRows, target: Expectation, seed: int, label: Label) -> Calibration:
    require_questions(rows)
    require_better(rows.outcomes)
    choice = choose(rows, target, seed=seed)
    if choice is None:
        raise unreachable(rows, target)
    return Calibration(
        policy=choice.policy,
        target=target,
        label=label,
        n=rows.n,
        questions=rows.questions,
        selection=choice.rows,
        certification=0,
        seed=seed,
        lam=choice.lam,
        expected=choice.expected,
        certificate=None,
        compared=choice.compared,
        alone=alone_of(rows.outcomes),
        bands=bands_of(choice.policy, rows.outcomes),
        notes=(),
    )


def _guaranteed(rows: QuestionRows, target: Guarantee, seed: int, label: Label, graded: bool | None) -> Calibration:
    if judged_questions(rows) >= LEAST_QUESTIONS:
        # Which model is better, fewer cannot tell; what is certified holds for any number of them.
        require_better(rows.outcomes)
    if graded is None:
        measured = rows.outcomes.tiers if isinstance(target, MaxRegret) else rows.outcomes.tiers[:-1]
        graded = any(tier.graded for tier in measured)
    found = certify(rows, target, seed=seed, graded=graded)
    expected = expected_under(found.policy, found.certification, seed=seed)
    only = Compared(
        family=SIMPLE if len(rows.outcomes.tiers) == 2 else "per-tier",
        expected=expected,
        advantage=None,
        chosen=True,
        verdict="chosen: of the thresholds that are certified, the one that keeps most",
    )
    return Calibration(
        policy=found.policy,
        target=target,
        label=label,
        n=rows.n,
        questions=rows.questions,
        selection=found.selection.n,
        certification=found.certification.n,
        seed=seed,
        lam=None,
        expected=expected,
        certificate=found.certificate,
        compared=(only,),
        alone=alone_of(rows.outcomes),
        bands=bands_of(found.policy, rows.outcomes),
        notes=(),
    )
