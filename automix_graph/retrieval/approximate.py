"""An index that finds the nearest vectors without comparing with all: built, tuned, written and searched.

It answers with numbers of passages and with scores, of which the vectors themselves have the last word. It is never
changed once it is built: `vectors` adds what came later.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Self, assert_never

import numpy as np

from automix_graph.errors import StoreError
from automix_graph.retrieval.comparing import best_of, nearest, rescored
from automix_graph.retrieval.faiss_library import faiss, reason_of
from automix_graph.retrieval.metrics import Matrix, Metric, Numbers, prepared
from automix_graph.retrieval.plan import ApproximateType, Tuned
from automix_graph.retrieval.rows import PublishedRows, blocks, excluding, including, read_index

HNSW_LINKS: Final = 32
HNSW_CONSTRUCTION: Final = 80
"""Neighbours of each vector in the graph, and candidates looked at when it is put there."""

CELLS_PER_ROOT: Final = 4
"""Cells of an IVF index for each square root of n: finding the cells then costs about as much as searching them."""

TRAINING_PER_CELL: Final = 40
"""Vectors that k-means sees for each cell; FAISS warns below 39."""

TUNING_QUERIES: Final = 200
TUNING_K: Final = 10
LIKENESS: Final = 0.5
"""Cosine of a passage's vector and of one that asks for it in tuning, both seen from the middle of all vectors.

The nearest of the glosses of WordNet lie at .57 from questions of SQuAD. Vectors drawn so find about as much as these
questions do; the vectors of passages themselves find more, and an index tuned with them would miss too much
(docs/store.md).
"""

RESERVE: Final = 0.5
"""Share of the misses that a recall target allows which tuning keeps back, for questions that find less than it did."""

BLURRED: Final[frozenset[ApproximateType]] = frozenset({"ivf_sq8"})
"""Types that keep less of a vector than the vector is: a byte a component."""

SPARE: Final = 2
SPARE_SHARE: Final = 0.25
"""Candidates beyond the hits wanted, where the type blurs their order; the vectors themselves decide."""

_LOG = logging.getLogger(__name__)


class ApproximateIndex:
    """A built index and its tuning.

    Args:
        index: of FAISS, answering with numbers of passages.
        tuned: how to search it.
    """

    def __init__(self, index: Any, tuned: Tuned) -> None:
        self._index = index
        self.tuned = tuned
        self._removed: Numbers = np.empty(0, dtype=np.int64)
        self._remaining: Any = None
        self._usual = self._parameters(tuned.effort, None)

    @classmethod
    def build(cls, rows: PublishedRows, kind: ApproximateType, *, metric: Metric, recall_target: float) -> Self:
        """Build an index of all rows and tune it.

        Raises:
            StoreError: there are no rows.
        """
        if len(rows.numbers) == 0:
            raise StoreError("an approximate index needs at least one vector; use the type 'flat'")
        index = _empty(kind, rows, metric)
        for numbers, matrix in blocks(rows):
            index.add_with_ids(matrix, numbers)
        last, count = int(rows.numbers[-1]), len(rows.numbers)
        start = Tuned(type=kind, last=last, count=count, effort=1, recall=0.0, recall_target=recall_target)
        return cls(index, _tuned(index, start, rows, metric))

    @classmethod
    def read(cls, path: Path, tuned: Tuned) -> Self:
        """Map a file that `write` wrote.

        Raises:
            StoreError: the file holds something else.
        """
        index = read_index(path)
        if _type_of(index) != tuned.type or int(index.ntotal) != tuned.count:
            raise StoreError(
                f"{str(path)!r} holds another index than {tuned.type!r} of {tuned.count} vectors: build the store again"
            )
        return cls(index, tuned)

    def write(self, path: Path) -> None:
        """Write the index to a file.

        Raises:
            OSError: it cannot be written.
        """
        try:
            faiss.write_index(self._index, str(path))
        except RuntimeError as error:
            raise OSError(reason_of(error)) from error

    def leave_out_all_but(self, numbers: Numbers) -> None:
        """Leave out what is not among these numbers, ascending: passages that were removed since it was built."""
        if int(np.searchsorted(numbers, self.tuned.last, side="right")) < self.tuned.count:
            self.remove(np.setdiff1d(self._labels(), numbers, assume_unique=True))

    def _labels(self) -> Numbers:
        if self.tuned.type == "hnsw":
            return np.sort(faiss.vector_to_array(self._index.id_map))
        lists = self._index.invlists
        ids = [
            faiss.rev_swig_ptr(lists.get_ids(cell), lists.list_size(cell))
            for cell in range(lists.nlist)
            if lists.list_size(cell)
        ]
        return np.sort(np.concatenate(ids))

    def remove(self, numbers: Numbers) -> None:
        """Leave these numbers out from now on."""
        gone = numbers[numbers <= self.tuned.last]
        if len(gone):
            self._removed = np.union1d(self._removed, gone)
            self._remaining = excluding(self._removed)
            self._usual = self._parameters(self.tuned.effort, self._remaining)

    @property
    def blurred(self) -> bool:
        """Whether it keeps less of a vector than the vector is, so that its scores are not those of the vectors."""
        return self.tuned.type in BLURRED

    def search(self, queries: Matrix, k: int, allowed: Numbers | None = None) -> tuple[Matrix, Numbers]:
        """Return raw scores and numbers of the nearest that are found, each of shape (queries, at least k), best first.

        `NOTHING` fills up where fewer are found. Where it is `blurred`, there are more than k, and the k nearest are
        most likely among them.

        Args:
            queries: shape (queries, dimension).
            k: how many.
            allowed: numbers to choose among; None: all that were not removed. Of few, fewer than k may be found.
        """
        wanted = candidates_for(self.tuned.type, k)
        if allowed is not None:
            # A filter leaves fewer vectors in each place, so more places are looked at.
            share = min(max(len(allowed), 1) / self.tuned.count, 1.0)
            effort = min(round(self.tuned.effort / share), self.tuned.count)
            parameters = self._parameters(effort, including(allowed), candidates=wanted)
        elif self.tuned.type == "hnsw" and (wanted > self.tuned.effort or self._remaining is not None):
            # Of its own: IndexIDMap puts another selector into the parameters for as long as it searches.
            parameters = self._parameters(self.tuned.effort, self._remaining, candidates=wanted)
        else:
            parameters = self._usual  # making them takes longer than finding a cell
        return _search(self._index, self.tuned.type, queries, wanted, parameters)

    def _parameters(self, effort: int, selector: Any, *, candidates: int = 1) -> Any:
        return _parameters(self._index, self.tuned.type, effort, candidates, selector)


def _empty(kind: ApproximateType, rows: PublishedRows, metric: Metric) -> Any:
    """Return a trained index without vectors."""
    n, dimension = len(rows.numbers), rows.dimension
    measure = faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT
    if kind == "hnsw":
        graph = faiss.IndexHNSWFlat(dimension, HNSW_LINKS, measure)
        graph.hnsw.efConstruction = HNSW_CONSTRUCTION
        return faiss.IndexIDMap(graph)
    cells = max(1, min(round(CELLS_PER_ROOT * n**0.5), n // TRAINING_PER_CELL))
    coarse = faiss.IndexFlatL2(dimension) if metric == "l2" else faiss.IndexFlatIP(dimension)
    if kind == "ivf":
        index = faiss.IndexIVFFlat(coarse, dimension, cells, measure)
    elif kind == "ivf_sq8":
        index = faiss.IndexIVFScalarQuantizer(coarse, dimension, cells, faiss.ScalarQuantizer.QT_8bit, measure)
    else:
        assert_never(kind)
    sample = np.random.default_rng(0).choice(n, size=min(n, cells * TRAINING_PER_CELL), replace=False)
    index.cp.min_points_per_centroid = 1  # a small store gets few cells, and no warning on stderr
    index.train(rows.file.at(np.sort(sample)))
    return index


def _type_of(index: Any) -> ApproximateType | None:
    if isinstance(index, faiss.IndexIDMap) and isinstance(faiss.downcast_index(index.index), faiss.IndexHNSWFlat):
        return "hnsw"
    if isinstance(index, faiss.IndexIVFScalarQuantizer):
        return "ivf_sq8"
    return "ivf" if isinstance(index, faiss.IndexIVFFlat) else None


def candidates_for(kind: ApproximateType, k: int) -> int:
    """Return how many candidates an index is asked for, so that the k best are most likely among them."""
    return k + SPARE + round(k * SPARE_SHARE) if kind in BLURRED else k


def _search(index: Any, kind: ApproximateType, queries: Matrix, k: int, parameters: Any) -> tuple[Matrix, Numbers]:
    if kind != "hnsw" or len(queries) > 1:
        found: tuple[Matrix, Numbers] = index.search(queries, k, params=parameters)
        return found
    # IndexIDMap would have several threads translate the numbers of one query, and wait for them where the machine is
    # busy. Applies to this Python thread only.
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        found = index.search(queries, k, params=parameters)
    finally:
        faiss.omp_set_num_threads(threads)
    return found


def _parameters(index: Any, kind: ApproximateType, effort: int, candidates: int, selector: Any) -> Any:
    if kind == "hnsw":
        return faiss.SearchParametersHNSW(efSearch=max(effort, candidates), sel=selector)
    return faiss.SearchParametersIVF(nprobe=min(effort, int(index.nlist)), sel=selector)


# Tuning


def _tuned(index: Any, start: Tuned, rows: PublishedRows, metric: Metric) -> Tuned:
    """Return the least effort, of those that double, that reaches the recall target with some reserve."""
    n = len(rows.numbers)
    sample = np.sort(np.random.default_rng(1).choice(n, size=min(n, TUNING_QUERIES), replace=False))
    most = n if start.type == "hnsw" else int(index.nlist)
    effort = min(16 if start.type == "hnsw" else 1, most)
    queries = asking(rows.file.at(sample), metric)
    exact, _ = nearest(rows, queries, min(TUNING_K, n), metric)
    aim = start.recall_target + RESERVE * (1.0 - start.recall_target)
    while True:
        recall = _recall(exact, _found(index, start.type, rows, queries, effort, metric), metric)
        if recall >= aim or effort >= most:
            break
        effort = min(effort * 2, most)
    _LOG.info("index %s of %d vectors: effort %d gives recall@10 of %.3f", start.type, n, effort, recall)
    return replace(start, effort=effort, recall=round(recall, 4))


def asking(vectors: Matrix, metric: Metric) -> Matrix:
    """Return vectors as far from these as questions are from the passages that they ask for, in random directions."""
    middle = vectors.mean(axis=0, dtype=np.float64)
    away = vectors - middle
    noise = np.random.default_rng(2).normal(size=away.shape)
    noise *= np.linalg.norm(away, axis=1, keepdims=True) / np.linalg.norm(noise, axis=1, keepdims=True)
    asking = middle + LIKENESS * away + (1.0 - LIKENESS**2) ** 0.5 * noise
    return prepared(asking.astype(np.float32), metric)


def _found(
    index: Any, kind: ApproximateType, rows: PublishedRows, queries: Matrix, effort: int, metric: Metric
) -> Matrix:
    k = min(TUNING_K, len(rows.numbers))
    wanted = candidates_for(kind, k)
    scores, numbers = _search(index, kind, queries, wanted, _parameters(index, kind, effort, wanted, None))
    if kind in BLURRED:
        scores, numbers = rescored(rows, queries, numbers, metric)
    return best_of(scores, numbers, k, metric)[0]


def _recall(exact: Matrix, found: Matrix, metric: Metric) -> float:
    """Return the share of hits that are as near as the last exact one, so that ties count."""
    last = exact[:, -1:]
    slack = 1e-5 * np.abs(last)
    return float(np.mean(found <= last + slack if metric == "l2" else found >= last - slack))
