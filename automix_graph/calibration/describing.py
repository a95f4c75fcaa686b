"""What a policy did with rows: its means with intervals, and what it did by confidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from automix_graph.calibration.calibration import Alone, Band, Expected
from automix_graph.calibration.cross_validation import HeldOut
from automix_graph.calibration.mean_intervals import mean_intervals
from automix_graph.calibration.question_rows import QuestionRows
from automix_graph.evaluation.cascade import replay
from automix_graph.evaluation.gain import bins_of
from automix_graph.evaluation.outcomes import Outcomes, confidence_of, has_judgement
from automix_graph.policies import Policy

_KINDS: Final = ("quality", "cost", "escalated")


def expected_of(held: Mapping[str, HeldOut], codes: NDArray[np.uint64], *, seed: int) -> dict[str, Expected]:
    """Return the means of what held-out questions came to under some policies, with intervals, by name.

    Args:
        held: what each question came to, by the name of the policy.
        codes: the question of each row, shape (n,).
        seed: of the resamples, which are the same for all.
    """
    columns = {(name, kind): getattr(each, kind) for name, each in held.items() for kind in _KINDS}
    found = mean_intervals(columns, codes, seed=seed)
    return {name: Expected(**{kind: found[name, kind] for kind in _KINDS}) for name in held}


def expected_under(policy: Policy, rows: QuestionRows, *, seed: int) -> Expected:
    """Return what rows come to under a policy that was chosen without them, or nearly so."""
    cascade = replay(rows.outcomes, policy)
    held = HeldOut(quality=cascade.quality, cost=cascade.cost, escalated=cascade.beyond_first.astype(np.float64))
    return expected_of({"": held}, rows.codes, seed=seed)[""]


def alone_of(outcomes: Outcomes) -> tuple[Alone, ...]:
    """Return what each tier does without a cascade."""
    return tuple(
        Alone(tier=tier.name, quality=float(tier.quality.mean()), cost=float(tier.alone_cost.mean()))
        for tier in outcomes.tiers
    )


def bands_of(policy: Policy, outcomes: Outcomes) -> tuple[Band, ...]:
    """Return what a policy does in up to ten ranges of the first confidence, and where the verification failed."""
    cascade, confidence = replay(outcomes, policy).beyond_first, confidence_of(outcomes.small)

    def band(rows: NDArray[np.intp], ends: tuple[float | None, float | None]) -> Band:
        return Band(
            low=ends[0],
            high=ends[1],
            share=rows.size / outcomes.n,
            escalated=float(cascade[rows].mean()),
            qualities=tuple(float(tier.quality[rows].mean()) for tier in outcomes.tiers),
        )

    found = []
    for rows in _ranges(outcomes):
        sure = confidence[rows]
        found.append(band(rows, (float(sure.min()), float(sure.max()))))
    failed = np.flatnonzero(~has_judgement(outcomes.small))
    return (*found, band(failed, (None, None))) if failed.size else tuple(found)


def _ranges(outcomes: Outcomes) -> Iterator[NDArray[np.intp]]:
    judged = np.flatnonzero(has_judgement(outcomes.small))
    if judged.size:
        bins = bins_of(confidence_of(outcomes.small)[judged])
        for number in range(int(bins.max()) + 1):
            yield judged[bins == number]
