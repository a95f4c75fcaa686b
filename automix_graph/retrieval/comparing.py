"""Comparing queries with rows one by one: all of a store, those at some positions, or the candidates of an index.

Every score comes from the row itself. Knows rows, no passages and no index.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from automix_graph.retrieval.faiss_library import faiss
from automix_graph.retrieval.metrics import Matrix, Metric, Numbers
from automix_graph.retrieval.rows import NOTHING, Rows, places

COMPARED_AT_ONCE: Final = 2048
"""Rows at given positions that are read and compared at once: 3 MB of 384 dimensions."""


def nearest(rows: Rows, queries: Matrix, k: int, metric: Metric, *, start: int = 0) -> tuple[Matrix, Numbers]:
    """Return raw scores and numbers of the k nearest rows, each of shape (queries, k), best first.

    Args:
        rows: to look among.
        queries: shape (queries, dimension).
        k: how many; `NOTHING` fills up where there are fewer.
        metric: how vectors are compared.
        start: the first position that counts.
    """
    matrix = rows.file.mapped[start:]
    if len(matrix) == 0:
        return Best(len(queries), k, metric).found()
    return _compared(queries, matrix, rows.numbers[start:], k, metric, _remaining(rows, start))


def nearest_of(rows: Rows, queries: Matrix, positions: Numbers, k: int, metric: Metric) -> tuple[Matrix, Numbers]:
    """Return the k nearest among the rows at some positions, each of shape (queries, k), best first.

    Args:
        rows: to look among.
        queries: shape (queries, dimension).
        positions: shape (candidates,).
        k: how many.
        metric: how vectors are compared.
    """
    best = Best(len(queries), k, metric)
    for start in range(0, len(positions), COMPARED_AT_ONCE):
        some = positions[start : start + COMPARED_AT_ONCE]
        best.add(*_compared(queries, rows.file.at(some), rows.numbers[some], k, metric, None))
    return best.found()


def rescored(rows: Rows, queries: Matrix, candidates: Numbers, metric: Metric) -> tuple[Matrix, Numbers]:
    """Return the raw score of each candidate of each query, and its number, both in the shape of the candidates.

    Args:
        rows: to look among.
        queries: shape (queries, dimension).
        candidates: numbers of rows, shape (queries, candidates); `NOTHING` stays, with the worst score.
        metric: how vectors are compared.

    Raises:
        StoreError: a number lies beyond those of the rows, as in a damaged index.
    """
    if len(queries) == 1:
        positions = _positions(rows, candidates)[0]
        if min(positions.tolist()) >= 0:  # else fewer were found than were wanted
            return _scores(queries, rows.file.at(positions), metric), candidates
    parts = [
        _rescored(rows, queries[start : start + _QUERIES], candidates[start : start + _QUERIES], metric)
        for start in range(0, len(queries), _QUERIES)
    ]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


_QUERIES: Final = 64
"""Queries whose candidates are in memory at the same time: 1.4 MB for 14 of 384 dimensions each."""


def _rescored(rows: Rows, queries: Matrix, candidates: Numbers, metric: Metric) -> tuple[Matrix, Numbers]:
    positions = _positions(rows, candidates)
    exist = positions >= 0
    # Questions that are asked together often find the same passages.
    wanted, where = np.unique(positions[exist], return_inverse=True)
    ids = np.full(candidates.shape, NOTHING, dtype=np.int64)
    ids[exist] = where
    matrix = rows.file.at(wanted)
    scores = np.full(candidates.shape, _worst(metric), dtype=np.float32)
    compare = faiss.fvec_L2sqr_by_idx if metric == "l2" else faiss.fvec_inner_products_by_idx
    arrays = map(faiss.swig_ptr, (scores, queries, matrix, ids))
    compare(*arrays, queries.shape[1], *candidates.shape)
    return scores, np.where(exist, candidates, NOTHING)


def _positions(rows: Rows, candidates: Numbers) -> Numbers:
    """Return the position of each candidate; a negative one for `NOTHING`."""
    return places(rows, candidates) if rows.first is None else candidates - rows.first


def _scores(query: Matrix, matrix: Matrix, metric: Metric) -> Matrix:
    """Return the raw score of each row for a query of shape (1, dimension), shape (1, n)."""
    scores = np.empty((1, len(matrix)), dtype=np.float32)
    compare = faiss.fvec_L2sqr_ny if metric == "l2" else faiss.fvec_inner_products_ny
    compare(faiss.swig_ptr(scores), faiss.swig_ptr(query), faiss.swig_ptr(matrix), matrix.shape[1], len(matrix))
    return scores


def _worst(metric: Metric) -> np.float32:
    return np.float32(np.inf if metric == "l2" else -np.inf)


def best_of(scores: Matrix, numbers: Numbers, k: int, metric: Metric) -> tuple[Matrix, Numbers]:
    """Return the k best of raw scores and their numbers, each of shape (queries, k), best first."""
    order = np.argsort(scores if metric == "l2" else -scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(numbers, order, axis=1)


class Best:
    """The best of what several searches have found.

    Args:
        queries: how many there are.
        k: how many hits to keep for each.
        metric: whether large scores are good, or small ones.
    """

    def __init__(self, queries: int, k: int, metric: Metric) -> None:
        self._k = k
        self._metric = metric
        self._queries = queries
        self._parts: list[tuple[Matrix, Numbers]] = []

    def add(self, scores: Matrix, numbers: Numbers) -> None:
        """Take raw scores and numbers, in one shape of a row for each query, in any order."""
        self._parts.append((scores, numbers))
        if len(self._parts) == _PARTS:
            self._parts = [self.found()]

    def found(self) -> tuple[Matrix, Numbers]:
        """Return raw scores and numbers: the k best of several findings, best first, or the one as it came."""
        if not self._parts:
            empty = (self._queries, self._k)
            return np.full(empty, _worst(self._metric)), np.full(empty, NOTHING, dtype=np.int64)
        if len(self._parts) == 1:
            return self._parts[0]
        scores = np.concatenate([part[0] for part in self._parts], axis=1)
        numbers = np.concatenate([part[1] for part in self._parts], axis=1)
        return best_of(scores, numbers, self._k, self._metric)


_PARTS: Final = 32
"""Findings that are kept before the best of them are chosen, which takes longer than to keep them."""


def _compared(
    queries: Matrix, matrix: Matrix, numbers: Numbers, k: int, metric: Metric, selector: Any
) -> tuple[Matrix, Numbers]:
    """Return raw scores and numbers of the k nearest rows of a matrix."""
    scores = np.empty((len(queries), k), dtype=np.float32)
    found = np.empty((len(queries), k), dtype=np.int64)
    arguments = [faiss.swig_ptr(queries), faiss.swig_ptr(matrix), matrix.shape[1], len(queries), len(matrix), k]
    arguments += [faiss.swig_ptr(scores), faiss.swig_ptr(found)]
    if metric == "l2":
        faiss.knn_L2sqr(*arguments, None, selector)
    else:
        faiss.knn_inner_product(*arguments, selector)
    return scores, np.where(found >= 0, numbers[found], NOTHING)


def _remaining(rows: Rows, start: int) -> Any:
    """Return a FAISS selector of the rows that were not removed, counted from a start; None for all."""
    if len(rows.removed) == 0:
        return None
    bits = np.ones(len(rows.numbers), dtype=bool)
    bits[rows.removed] = False
    return faiss.IDSelectorBitmap(np.packbits(bits[start:], bitorder="little"))
