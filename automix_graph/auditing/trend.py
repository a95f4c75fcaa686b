"""How things went over time: by calendar week, or by as many questions each where there is one week only.

Intervals are for one look at one block (Clopper and Pearson 1934; for graded losses Hoeffding and Bentkus); of twenty
blocks one lies outside its 95 % interval by chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from automix_graph.auditing.sampled import Sampled
from automix_graph.calibration.upper_bounds import clopper_pearson_upper, hoeffding_bentkus_upper

_BLOCKS: Final = 5


@dataclass(frozen=True, kw_only=True)
class Block:
    """Questions of one stretch of time.

    Attributes:
        name: such as ``"2026-W47"``.
        n: questions.
        kept: of which an answer was kept.
        error: mean loss of those; None without any.
        low: of its 95 % interval, for one look.
        high: likewise.
        confidence: mean over questions with a judgement; None without any.
    """

    name: str
    n: int
    kept: int
    error: float | None
    low: float
    high: float
    confidence: float | None


def blocks_of(found: Sampled) -> tuple[Block, ...]:
    """Return the blocks of questions that are in the order of time."""
    weeks = [_week(time) for time in found.times]
    if len(set(weeks)) > 1 and "" not in weeks:
        names = sorted(set(weeks))
        places = [np.array([at for at, week in enumerate(weeks) if week == name], dtype=np.intp) for name in names]
    else:
        places = [part for part in np.array_split(np.arange(found.n), _BLOCKS) if part.size]
        names = [f"questions {part[0] + 1} to {part[-1] + 1}" for part in places]
    return tuple(_block(found, name, rows) for name, rows in zip(names, places, strict=True))


def _block(found: Sampled, name: str, rows: NDArray[np.intp]) -> Block:
    kept = found.kept[rows]
    losses, sure = found.loss[rows][kept], found.confidence[rows]
    judged = sure[~np.isnan(sure)]
    low, high = _interval(losses)
    return Block(
        name=name,
        n=rows.size,
        kept=losses.size,
        error=float(losses.mean()) if losses.size else None,
        low=low,
        high=high,
        confidence=float(judged.mean()) if judged.size else None,
    )


def _interval(losses: NDArray[np.float64]) -> tuple[float, float]:
    n, loss = losses.size, float(losses.sum())
    if np.isin(losses, (0.0, 1.0)).all():
        errors = round(loss)
        return 1.0 - clopper_pearson_upper(n - errors, n, delta=0.025), clopper_pearson_upper(errors, n, delta=0.025)
    return 1.0 - hoeffding_bentkus_upper(n - loss, n, delta=0.025), hoeffding_bentkus_upper(loss, n, delta=0.025)


def _week(time: str) -> str:
    try:
        year, week, _ = datetime.fromisoformat(time).isocalendar()
    except ValueError:
        return ""
    return f"{year}-W{week:02}"
