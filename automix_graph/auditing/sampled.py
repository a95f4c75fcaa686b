"""From records of users' questions to columns: which answers a policy kept, and whether the large model agrees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automix_graph.evaluation.left_out import LeftOut, Reason
from automix_graph.policies import Policy, decide
from automix_graph.records import ABSTAINED, LAST, SKIPPED, Record, Recorded, tier_names


@dataclass(frozen=True, kw_only=True, eq=False)
class Sampled:
    """Questions that were sampled, in the order of time.

    Attributes:
        times: ISO 8601, shape (n,); empty texts where they are unknown.
        confidence: of the first tier, shape (n,); NaN where there was no judgement.
        kept: whether the policy kept an answer of another tier than the last, shape (n,).
        loss: 1 - agreement with the large model where it did, else 0; shape (n,).
        weight: one over the rate at which the question was drawn, shape (n,).
        left_out: questions about which nothing can be said.
    """

    times: tuple[str, ...]
    confidence: NDArray[np.float64]
    kept: NDArray[np.bool_]
    loss: NDArray[np.float64]
    weight: NDArray[np.float64]
    left_out: LeftOut

    @property
    def n(self) -> int:
        """How many."""
        return len(self.times)


@dataclass(frozen=True, kw_only=True)
class _Question:
    time: str
    confidence: float
    kept: bool
    loss: float
    weight: float


def sampled(rows: Sequence[Recorded], policy: Policy) -> Sampled:
    """Return what records tell about a policy.

    Questions in shadow mode are decided about here; those of a cascade have been, and count if it was by this policy.

    Args:
        rows: with agreements as scores.
        policy: in question.
    """
    read = [(row.id, _read(row, policy)) for row in sorted(rows, key=lambda row: row.time or "")]
    found = [question for _, question in read if isinstance(question, _Question)]
    return Sampled(
        times=tuple(question.time for question in found),
        confidence=np.array([question.confidence for question in found], dtype=np.float64),
        kept=np.array([question.kept for question in found], dtype=np.bool_),
        loss=np.array([question.loss for question in found], dtype=np.float64),
        weight=np.array([question.weight for question in found], dtype=np.float64),
        left_out=LeftOut.of((name, reason) for name, reason in read if isinstance(reason, str)),
    )


def confidences(rows: Sequence[Recorded]) -> NDArray[np.float64]:
    """Return the confidences of the first tier, NaN where there was no judgement; of questions that were judged."""
    records = [row.record for row in rows if row.error is None and row.record is not None and row.record.verifications]
    return np.array([_first(record) for record in records], dtype=np.float64)


def _first(record: Record) -> float:
    confidence = record.verifications[0].confidence
    return float("nan") if confidence is None else confidence


def _read(row: Recorded, policy: Policy) -> _Question | Reason:
    record = row.record
    if row.error is not None or record is None:
        return "failed"
    if not record.verifications:
        return "not verified"
    if row.origin != "shadow" and any(decision.policy != policy.name for decision in record.decisions):
        return "decided by another policy"
    tier = _kept(row, record, policy)
    if tier is not None and tier not in row.scores:
        return "not compared"
    return _Question(
        time=row.time or "",
        confidence=_first(record),
        kept=tier is not None,
        loss=0.0 if tier is None else 1.0 - row.scores[tier],
        weight=1.0 / row.rate if row.rate else 1.0,
    )


def _kept(row: Recorded, record: Record, policy: Policy) -> str | None:
    """Return of which tier but the last the policy keeps, or kept, the answer; None: of none."""
    if row.origin != "shadow" and record.decisions:
        return None if record.route in {LAST, ABSTAINED, None} else record.route
    seen = record.verifications
    names = tier_names(max(len(seen) + 1, 2))
    place = 0
    while place < len(seen) and seen[place] != SKIPPED:
        decision = decide(policy, seen[: place + 1], question=record.question)
        if decision.accept:
            return names[place]
        if decision.abstain or decision.next_tier == -1:
            return None
        place = place + 1 if decision.next_tier is None else decision.next_tier
    return None
