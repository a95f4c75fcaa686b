"""Vectors by number: a thin layer over a FAISS index, and the only file that imports faiss.

It knows no text and no lock: FAISS must not add while it searches, and the caller sees to that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal, Self, assert_never, get_args

import faiss as _faiss
import numpy as np
from numpy.typing import NDArray

from automix_graph.errors import ConfigurationError, StoreError

Metric = Literal["cosine", "inner_product", "l2"]
"""How two vectors are compared: cosine similarity, inner product, or Euclidean distance."""

METRICS: Final[tuple[Metric, ...]] = get_args(Metric)

faiss: Any = _faiss
"""Untyped, because the stubs that faiss-cpu ships lack what its Python layer adds to its classes."""

Matrix = NDArray[np.float32]
Numbers = NDArray[np.int64]


def as_matrix(vectors: Sequence[Sequence[float]]) -> Matrix:
    """Return vectors as a float32 matrix of shape (n, dimension).

    Raises:
        StoreError: they differ in length, are empty, or hold something else than finite numbers.
    """
    try:
        matrix = np.asarray(vectors, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise StoreError(
            "the embedding model gave vectors that are not one matrix of numbers; "
            f"each text needs a vector of the same length: {error}"
        ) from error
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise StoreError(f"the embedding model gave an array of shape {matrix.shape!r}; it must be (texts, dimension)")
    finite = np.isfinite(matrix).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise StoreError(
            f"the embedding model gave NaN or infinity in vector {row} of {len(matrix)}; every component must be finite"
        )
    return matrix


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


class VectorIndex:
    """A FAISS index whose vectors carry the numbers of their passages.

    The FAISS index is an ``IndexIDMap2`` over any index that can remove and reconstruct; `create` makes a flat, exact
    one. Everything else here works on the wrapper alone.
    """

    def __init__(self, index: Any, metric: Metric) -> None:
        self._index = index
        self.metric = metric

    @classmethod
    def create(cls, dimension: int, metric: Metric) -> Self:
        """Make an empty exact index."""
        flat = faiss.IndexFlatL2(dimension) if metric == "l2" else faiss.IndexFlatIP(dimension)
        return cls(faiss.IndexIDMap2(flat), metric)

    @classmethod
    def read(cls, path: Path, metric: Metric) -> Self:
        """Read an index that `write` wrote.

        Raises:
            StoreError: the file holds no such index.
        """
        try:
            with path.open("rb") as file:
                index = faiss.read_index(faiss.PyCallbackIOReader(file.read))
        except (RuntimeError, MemoryError) as error:
            raise StoreError(
                f"{str(path)!r} is no readable FAISS index ({_first_line(error)}): build the store again"
            ) from error
        expected = faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT
        if not isinstance(index, faiss.IndexIDMap2) or index.metric_type != expected:
            raise StoreError(f"{str(path)!r} holds another kind of FAISS index than {metric!r} needs: build it again")
        return cls(index, metric)

    @classmethod
    def read_foreign(cls, path: Path) -> tuple[Matrix, Metric]:
        """Return all vectors of any FAISS index, in its own order, and its metric.

        Raises:
            StoreError: the file is no FAISS index, or one that does not keep its vectors.
        """
        try:
            with path.open("rb") as file:
                index = faiss.read_index(faiss.PyCallbackIOReader(file.read))
            vectors = index.reconstruct_n(0, index.ntotal) if index.ntotal else np.empty((0, index.d), np.float32)
        except (RuntimeError, MemoryError) as error:
            raise StoreError(
                f"{str(path)!r} is no FAISS index that gives its vectors back ({_first_line(error)}): "
                "build the store from the documents instead"
            ) from error
        known: dict[int, Metric] = {faiss.METRIC_L2: "l2", faiss.METRIC_INNER_PRODUCT: "inner_product"}
        if index.metric_type not in known:
            raise StoreError(f"{str(path)!r} has FAISS metric {index.metric_type!r}; L2 and inner product can be read")
        return vectors, known[index.metric_type]

    def write(self, path: Path) -> None:
        """Write the index to a file."""
        with path.open("wb") as file:
            writer = faiss.PyCallbackIOWriter(file.write)
            faiss.write_index(self._index, writer)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        """Components of each vector."""
        return int(self._index.d)

    def require_dimension(self, dimension: int) -> None:
        """Raise a StoreError unless vectors of this dimension fit."""
        if dimension != self.dimension:
            raise StoreError(
                f"vectors of dimension {dimension!r} do not fit a store of dimension {self.dimension!r}: "
                "use the embedding model that the store was built with, or build a new store"
            )

    def add(self, numbers: Numbers, vectors: Matrix) -> None:
        """Add vectors of shape (n, dimension) under new numbers."""
        if len(numbers):
            self._index.add_with_ids(self._prepared(vectors), numbers)

    def remove(self, numbers: Numbers) -> None:
        """Remove the vectors with these numbers; unknown ones are ignored."""
        if len(numbers):
            self._index.remove_ids(numbers)

    def search(self, vector: Matrix, k: int, allowed: Numbers | None) -> list[tuple[int, float]]:
        """Return the k best (number, score), best first, among the allowed numbers (None: all)."""
        k = min(k, len(self) if allowed is None else len(allowed))
        if k == 0:
            return []
        parameters = None if allowed is None else faiss.SearchParameters(sel=_selector(allowed))
        scores, numbers = self._index.search(self._prepared(vector.reshape(1, -1)), k, params=parameters)
        found = [(int(n), self._score(float(s))) for n, s in zip(numbers[0], scores[0], strict=True) if n >= 0]
        sign = 1 if self.metric == "l2" else -1
        return sorted(found, key=lambda hit: (sign * hit[1], hit[0]))

    def vectors(self, numbers: Sequence[int]) -> Matrix:
        """Return the stored vectors, shape (n, dimension); cosine stores hold them normalised."""
        rows = [self._index.reconstruct(number) for number in numbers]
        return np.asarray(rows, dtype=np.float32).reshape(len(rows), self.dimension)

    def _prepared(self, vectors: Matrix) -> Matrix:
        return normalised(vectors) if self.metric == "cosine" else np.ascontiguousarray(vectors)

    def _score(self, raw: float) -> float:
        match self.metric:
            case "cosine":
                return min(max(raw, -1.0), 1.0)  # rounding may leave the range by an ulp
            case "inner_product":
                return raw
            case "l2":
                return math.sqrt(max(raw, 0.0))  # FAISS gives the square
            case _:
                assert_never(self.metric)


def normalised(vectors: Matrix) -> Matrix:
    """Return the rows scaled to length 1; a zero row has no direction and stays zero."""
    # In float64, because the square of a large float32 overflows.
    wide = vectors.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    return np.ascontiguousarray(wide / np.where(lengths == 0.0, 1.0, lengths), dtype=np.float32)


def require_metric(metric: str) -> Metric:
    """Return the metric, or raise a ConfigurationError that lists the known ones."""
    for known in METRICS:
        if metric == known:
            return known
    raise ConfigurationError(f"unknown metric {metric!r}; known are {', '.join(METRICS)}")


def _selector(allowed: Numbers) -> Any:
    """Return a bitmap selector: one bit a number, so its cost does not grow with the number of matches."""
    bits = np.zeros(int(allowed.max()) + 1, dtype=bool)
    bits[allowed] = True
    return faiss.IDSelectorBitmap(np.packbits(bits, bitorder="little"))


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
