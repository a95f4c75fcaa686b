"""What is to be done: keep the policy, calibrate again, or wait for more audited answers; with the reasons in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from automix_graph.auditing.drift import Drift
from automix_graph.auditing.quality import Quality, rows_to_tell

Answer = Literal["keep", "recalibrate", "too few"]

LEAST_FOR_DRIFT: Final = 50
"""Confidences on either side; the index of fewer says nothing."""
DRIFT_P_VALUE: Final = 0.01
SHIFTED: Final = 0.1
"""Of the stability index; from here on a shift counts."""


@dataclass(frozen=True, kw_only=True)
class AuditVerdict:
    """What is to be done.

    Attributes:
        answer: in one word or two.
        reasons: in sentences.
        needed: about how many questions it takes in all until there is an answer, kept ones where the bound is on their
            error; None where that is not the matter, or no number would do.
    """

    answer: Answer
    reasons: tuple[str, ...]
    needed: int | None = None


def verdict_on(quality: Quality, drift: Drift | None, *, differences: Sequence[str], tolerance: float) -> AuditVerdict:
    """Return what is to be done.

    Args:
        quality: of kept answers.
        drift: of confidences; None: there is nothing to compare with.
        differences: of the parts that ran from those that the policy was made for, in words.
        tolerance: relative excess over the bound that has to be ruled out before the policy is said to keep it.
    """
    against = [*differences, *_broken(quality), *_shifted(drift)]
    if against:
        return AuditVerdict(answer="recalibrate", reasons=tuple(against))
    told = drift is not None and min(drift.n, drift.n_reference) >= LEAST_FOR_DRIFT
    if quality.alpha is None:
        if told:
            return AuditVerdict(
                answer="keep",
                reasons=("Confidences are distributed as they were; nothing was certified that could be broken.",),
            )
        return AuditVerdict(
            answer="too few",
            reasons=("There is no bound to compare with, and no reference with enough confidences.",),
            needed=LEAST_FOR_DRIFT,
        )
    tolerated = min((1.0 + tolerance) * quality.alpha, 1.0)
    if quality.high <= tolerated:
        return AuditVerdict(
            answer="keep",
            reasons=(
                f"The {_NAMES[quality.risk]} is at most {quality.high:.3g}, which rules out more than {tolerated:.3g}; "
                f"the bound is {quality.alpha:.3g}.",
            ),
        )
    return _undecided(quality, tolerated)


def _undecided(quality: Quality, tolerated: float) -> AuditVerdict:
    needed = rows_to_tell(quality, tolerated=tolerated)
    enough = "no number below a million would do" if needed is None else f"it takes about {needed} in all"
    return AuditVerdict(
        answer="too few",
        reasons=(
            f"After {quality.n} {_COUNTED[quality.risk]} it cannot be told whether the bound of {quality.alpha:.3g} "
            f"holds: the {_NAMES[quality.risk]} may be {quality.high:.3g}; to tell it from {tolerated:.3g} at what was "
            f"observed, {enough}.",
        ),
        needed=needed,
    )


_NAMES: Final = {"error": "share of kept answers that differ", "regret": "share of questions that lose by the cascade"}
_COUNTED: Final = {"error": "audited answers", "regret": "questions"}


def _broken(quality: Quality) -> Sequence[str]:
    if not quality.is_broken or quality.alpha is None or quality.evidence is None:
        return ()
    return (
        f"The {_NAMES[quality.risk]} is above the bound of {quality.alpha:.3g}: the evidence has reached "
        f"{quality.evidence:.3g}, and {quality.given_up_at:.3g} is enough (now {_number(quality.estimate)}, "
        f"{100 * quality.level:.3g} % interval {quality.low:.3g} to {quality.high:.3g}).",
    )


def _shifted(drift: Drift | None) -> Sequence[str]:
    if drift is None or min(drift.n, drift.n_reference) < LEAST_FOR_DRIFT:
        return ()
    if drift.p_value > DRIFT_P_VALUE or drift.psi_low <= SHIFTED:
        return ()
    return (
        f"Confidences are distributed otherwise than in the calibration: stability index {drift.psi:.3g} "
        f"({100 * drift.level:.3g} % interval {drift.psi_low:.3g} to {drift.psi_high:.3g}), Kolmogorov-Smirnov "
        f"p = {drift.p_value:.3g}.",
    )


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g}"
