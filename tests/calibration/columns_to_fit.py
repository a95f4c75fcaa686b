"""Columns of confidences and qualities, drawn from populations whose truth is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automix_graph.policies import Judged

Column = NDArray[np.float64]


def column(confidence: Any) -> Judged:
    sure = np.asarray(confidence, dtype=np.float64)
    return Judged(confidence=sure, correct=sure > 0.5)


def in_parts(low: float, middle: float, high: float) -> Callable[[Column], Column]:
    return lambda sure: np.select([sure < 0.3, sure < 0.7], [low, middle], high)


def drawn(small: Callable[[Column], Column], large: Callable[[Column], Column], n: int, seed: int) -> list[Column]:
    random = np.random.default_rng(seed)
    sure = random.random(n)
    return [sure, *((random.random(n) < chance(sure)).astype(float) for chance in (small, large))]
