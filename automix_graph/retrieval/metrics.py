"""How vectors are compared, and the checks that make numbers from a model a matrix.

Knows arithmetic, no index.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal, assert_never, get_args

import numpy as np
from numpy.typing import NDArray

from automix_graph.errors import ConfigurationError, StoreError

Metric = Literal["cosine", "inner_product", "l2"]
"""How two vectors are compared: cosine similarity, inner product, or Euclidean distance."""

METRICS: Final[tuple[Metric, ...]] = get_args(Metric)

Matrix = NDArray[np.float32]
Numbers = NDArray[np.int64]


def require_metric(metric: str) -> Metric:
    """Return the metric, or raise a ConfigurationError that lists the known ones."""
    for known in METRICS:
        if metric == known:
            return known
    raise ConfigurationError(f"unknown metric {metric!r}; known are {', '.join(METRICS)}")


def as_matrix(vectors: Sequence[Sequence[float]] | Matrix) -> Matrix:
    """Return vectors as a float32 matrix of shape (n, dimension).

    Raises:
        StoreError: they differ in length, are empty, or hold something else than finite numbers.
    """
    try:
        matrix = np.asarray(vectors, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise StoreError(
            "the embedding model gave vectors that are not one matrix of numbers; "
            f"each text needs a vector of the same length: {error}",
            code="bad-vectors",
        ) from error
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise StoreError(
            f"the embedding model gave an array of shape {matrix.shape!r}; it must be (texts, dimension)",
            code="bad-vectors",
        )
    if not math.isfinite(np.vdot(matrix, matrix)):  # one pass; of large components, the square may overflow too
        _require_finite(matrix)
    return matrix


def _require_finite(matrix: Matrix) -> None:
    finite = np.isfinite(matrix)
    if not finite.all():
        row = int(np.argmin(finite.all(axis=1)))
        raise StoreError(
            f"the embedding model gave NaN or infinity in vector {row} of {len(matrix)}; every component must be "
            "finite",
            code="bad-vectors",
        )


def normalised(vectors: Matrix) -> Matrix:
    """Return the rows scaled to length 1; a zero row has no direction and stays zero."""
    # In float64, because the square of a large float32 overflows.
    wide = vectors.astype(np.float64)
    if len(wide) == 1:  # most queries come alone; this takes half the steps
        wide /= math.sqrt(np.vdot(wide, wide)) or 1.0
        return wide.astype(np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", wide, wide))
    lengths[lengths == 0.0] = 1.0
    wide /= lengths[:, None]
    return wide.astype(np.float32)


def prepared(vectors: Matrix, metric: Metric) -> Matrix:
    """Return vectors as an index of this metric holds and asks them: contiguous, of length 1 for the cosine."""
    return normalised(vectors) if metric == "cosine" else np.ascontiguousarray(vectors)


def scores_of(raw: Matrix, metric: Metric) -> Matrix:
    """Return the scores of what FAISS computed: for ``"l2"`` the distances, of which FAISS gives the squares."""
    match metric:
        case "cosine":
            return np.minimum(np.maximum(raw, -1.0), 1.0)  # rounding may leave the range
        case "inner_product":
            return raw.copy()
        case "l2":
            return np.sqrt(np.maximum(raw, np.float32(0.0)))
        case _:
            assert_never(metric)


def relevance(score: float, metric: Metric) -> float:
    """Map a score to [0, 1], 1 for the most relevant.

    Cosine: the cosine itself, negative ones as 0. Inner product: the logistic function of it. Euclidean distance d:
    1 / (1 + d).
    """
    match metric:
        case "cosine":
            return min(max(score, 0.0), 1.0)
        case "inner_product":
            # Two branches, so that exp never overflows.
            return 1.0 / (1.0 + math.exp(-score)) if score >= 0 else math.exp(score) / (1.0 + math.exp(score))
        case "l2":
            return 1.0 / (1.0 + score)
        case _:
            assert_never(metric)
