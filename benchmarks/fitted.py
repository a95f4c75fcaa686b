"""Confidences that are fitted to answers known to be right or wrong, each by a fit that has not seen its answer.

What a fitted scale or combination is worth must not be measured on the answers that it was fitted to. So the answers
are dealt into folds, the answers to one question together, and each fold gets its confidence from a fit to the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from journal import Row

from automix_graph.verification import fit_logistic
from automix_graph.verification.combined import clipped_log_odds
from automix_graph.verification.scales import measured_scale

FOLDS: Final = 5
LEAST: Final = 40
"""Cases; with fewer, a fold's fit says nothing."""

Feature = tuple[str, Callable[[Row], float]]
"""A method, and what is taken from its result."""

LIKELIHOOD: Final[dict[str, Feature]] = {
    name: ("likelihood", lambda row, name=name: row["signals"][name])  # type: ignore[misc]
    for name in ("content_mean", "content_first")
}
JUDGE: Final[dict[str, Feature]] = {
    "judge": ("token-probability", lambda row: clipped_log_odds(row["confidence"])),
}
OWN: Final[dict[str, Feature]] = {
    name: ("answer-confidence", lambda row, name=name: row["signals"][name])  # type: ignore[misc]
    for name in ("mean", "min", "q10", "q50")
}
FITTED: Final[dict[str, dict[str, Feature]]] = {
    "likelihood, fitted": LIKELIHOOD,
    "answer-confidence, fitted": OWN,
    "likelihood + token-probability": LIKELIHOOD | JUDGE,
    "answer-confidence + token-probability": {**{f"own_{name}": value for name, value in OWN.items()}, **JUDGE},
}
"""Fitted methods with their features."""


def fitted_methods(methods: Mapping[str, Sequence[Row]], *, seed: int) -> Iterator[tuple[str, list[Row]]]:
    """Yield the fitted methods whose parts judged enough cases, with a row for each case that all parts judged."""
    judged = {
        name: {row["case"]: row for row in rows if row["signals"] and row["confidence"] is not None}
        for name, rows in methods.items()
    }
    for name, features in FITTED.items():
        parts = {method for method, _ in features.values()}
        if parts <= set(methods):
            cases = [case for case in judged[min(parts)] if all(case in judged[part] for part in parts)]
            rows = [{part: judged[part][case] for part in parts} for case in cases]
            if len(rows) >= LEAST:
                yield name, list(_fitted(name, features, rows, seed))


def on_measured_scale(rows: Sequence[Row], judge: str) -> list[Row]:
    """Return the likelihood's rows on the scale that comes with the judge; none where it has none.

    Where the rows are those that the scale was fitted to, they flatter it.
    """
    scale = measured_scale(judge)
    if scale is None:
        return []
    return [
        row | {"confidence": scale.probability({name: row["signals"][name] for name in scale.weights})}
        for row in rows
        if row["signals"]
    ]


def _fitted(name: str, features: Mapping[str, Feature], rows: Sequence[dict[str, Row]], seed: int) -> Iterator[Row]:
    columns = {feature: np.array([take(row[part]) for row in rows]) for feature, (part, take) in features.items()}
    first = [next(iter(row.values())) for row in rows]
    correct = np.array([row["correct"] for row in first])
    groups = np.array([row["group"] for row in first])
    known = np.random.default_rng(seed).permutation(np.unique(groups))
    for fold in range(FOLDS):
        held_out = np.isin(groups, known[fold::FOLDS])
        scale = fit_logistic({feature: column[~held_out] for feature, column in columns.items()}, correct[~held_out])
        for index in np.flatnonzero(held_out):
            confidence = scale.probability({feature: float(column[index]) for feature, column in columns.items()})
            calls = [row for row in rows[index].values()]
            yield first[index] | {
                "method": name,
                "confidence": confidence,
                "usage": [call for row in calls for call in row["usage"]],
                "seconds": sum(row["seconds"] for row in calls),
            }
