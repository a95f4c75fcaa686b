"""Verifications and columns of them, made of confidences."""

from collections.abc import Sequence

import numpy as np

from automix_graph.policies import Judged
from automix_graph.records import Verdict, Verification

FAILED = Verification(method="m", verdict=Verdict.UNPARSED, confidence=None, failure="down")


def judged(confidence: float) -> Verification:
    verdict = Verdict.CORRECT if confidence > 0.5 else Verdict.INCORRECT
    return Verification(method="m", verdict=verdict, confidence=confidence)


def column(confidence: Sequence[float] | np.ndarray) -> Judged:
    sure = np.asarray(confidence, dtype=np.float64)
    return Judged(confidence=sure, correct=sure > 0.5)
