"""Vectors in rows on disk, each with the number of its passage, searched one by one.

Two kinds: what a saved store has, mapped from its file and never changed, and what was added since, in a growing file
of its own. Both give exact answers. Neither knows a text or a lock: the caller sees to it that nobody searches while it
writes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol, Self

import numpy as np

from automix_graph.errors import StoreError
from automix_graph.retrieval.faiss_library import faiss, reason_of
from automix_graph.retrieval.metrics import Matrix, Metric, Numbers

BLOCK: Final = 4096
"""Rows copied at once: 6 MB of 384 dimensions."""

NOTHING: Final = -1
"""Number in the place of a hit that does not exist."""


class Rows(Protocol):
    """Vectors with ascending numbers, of which some may have been removed."""

    @property
    def numbers(self) -> Numbers:
        """Of all rows, removed ones included, ascending."""

    @property
    def matrix(self) -> Matrix:
        """All rows, shape (n, dimension), on disk."""

    @property
    def removed(self) -> Numbers:
        """Positions of removed rows, ascending."""


class PublishedRows:
    """The vectors of a saved store: an ``IndexIDMap`` over a flat index in FAISS's own format, mapped into memory.

    Only the pages that a search touches are read, and the operating system may drop them again.
    """

    def __init__(self, index: Any) -> None:
        self._index = index  # owns the memory that both arrays look at
        flat = faiss.downcast_index(index.index)
        n, dimension = int(index.ntotal), int(index.d)
        self.matrix: Matrix = faiss.rev_swig_ptr(flat.get_xb(), n * dimension).reshape(n, dimension)
        self.numbers: Numbers = faiss.rev_swig_ptr(index.id_map.data(), n)
        self.matrix.flags.writeable = self.numbers.flags.writeable = False  # the mapping is read-only
        self.removed: Numbers = np.empty(0, dtype=np.int64)

    @classmethod
    def read(cls, path: Path, metric: Metric) -> Self:
        """Map a file that `write_rows` wrote.

        Raises:
            StoreError: the file holds something else.
        """
        index = read_index(path)
        expected = faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT
        if type(index) is not faiss.IndexIDMap or index.metric_type != expected:
            raise StoreError(f"{str(path)!r} holds another kind of FAISS index than {metric!r} needs: build it again")
        if not isinstance(faiss.downcast_index(index.index), faiss.IndexFlat):
            raise StoreError(f"{str(path)!r} holds a FAISS index that does not keep its vectors: build it again")
        rows = cls(index)
        if not (np.diff(rows.numbers) > 0).all():
            raise StoreError(f"{str(path)!r} is damaged (the numbers of its vectors do not ascend): build it again")
        return rows

    def remove(self, positions: Numbers) -> None:
        """Leave these rows out from now on; the file stays as it is."""
        self.removed = np.union1d(self.removed, positions)


class GrowingRows:
    """Vectors that are appended to a file of raw float32 numbers and mapped back from it.

    Args:
        path: of a new file, which belongs to this object.
        dimension: components of each vector.
    """

    def __init__(self, path: Path, dimension: int) -> None:
        self._path = path
        self._dimension = dimension
        self._file: BinaryIO = path.open("wb")
        self._numbers: Numbers = np.empty(BLOCK, dtype=np.int64)
        self._clear()

    def _clear(self) -> None:
        self._count = 0
        self.matrix: Matrix = np.empty((0, self._dimension), dtype=np.float32)
        self.removed: Numbers = np.empty(0, dtype=np.int64)

    @property
    def numbers(self) -> Numbers:
        """Of all rows, removed ones included, ascending."""
        return self._numbers[: self._count]

    def append(self, numbers: Numbers, vectors: Matrix) -> None:
        """Add rows whose numbers are larger than all before."""
        if len(numbers) == 0:
            return
        # Where a write fails halfway, the next one must not start in the middle of a row.
        self._file.seek(self._count * self._dimension * vectors.itemsize)
        self._file.write(np.ascontiguousarray(vectors).data)
        self._file.flush()
        count = self._count + len(numbers)
        while len(self._numbers) < count:
            self._numbers = np.concatenate([self._numbers, np.empty_like(self._numbers)])
        self._numbers[self._count : count] = numbers
        self.matrix = np.memmap(self._path, np.float32, "r", shape=(count, self._dimension))
        self._count = count

    def remove(self, positions: Numbers) -> None:
        """Leave these rows out from now on; when none is left, the file starts again."""
        self.removed = np.union1d(self.removed, positions)
        if self._count and len(self.removed) == self._count:
            self._clear()
            self._file.truncate(0)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def alive(rows: Rows) -> int:
    """Return the number of rows that were not removed."""
    return len(rows.numbers) - len(rows.removed)


def places(rows: Rows, numbers: Numbers) -> Numbers:
    """Return the position of each number, in the same shape; `NOTHING` where there is no such row."""
    if len(rows.numbers) == 0:
        return np.full(numbers.shape, NOTHING, dtype=np.int64)
    found = np.searchsorted(rows.numbers, numbers)
    found[found == len(rows.numbers)] = 0
    return np.where(rows.numbers[found] == numbers, found, NOTHING)


def nearest(rows: Rows, queries: Matrix, k: int, metric: Metric, *, start: int = 0) -> tuple[Matrix, Numbers]:
    """Return raw scores and numbers of the k nearest rows, each of shape (queries, k), best first.

    Args:
        rows: to look among.
        queries: shape (queries, dimension).
        k: how many; `NOTHING` fills up where there are fewer.
        metric: how vectors are compared.
        start: the first position that counts.
    """
    matrix = rows.matrix[start:]
    scores, found = _outcome(len(queries), k, metric)
    if len(matrix) == 0:
        return scores, found
    selector = _remaining(rows, start)
    arguments = [faiss.swig_ptr(queries), faiss.swig_ptr(matrix), matrix.shape[1], len(queries), len(matrix), k]
    arguments += [faiss.swig_ptr(scores), faiss.swig_ptr(found)]
    if metric == "l2":
        faiss.knn_L2sqr(*arguments, None, selector)
    else:
        faiss.knn_inner_product(*arguments, selector)
    return scores, _numbers_at(rows, found, start)


def nearest_of(rows: Rows, queries: Matrix, positions: Numbers, k: int, metric: Metric) -> tuple[Matrix, Numbers]:
    """Return the k nearest among the rows at some positions, each of shape (queries, k), best first.

    Args:
        rows: to look among.
        queries: shape (queries, dimension).
        positions: shape (queries, candidates), or (candidates,) for all queries alike; `NOTHING` is no candidate.
        k: how many.
        metric: how vectors are compared.
    """
    scores, found = _outcome(len(queries), k, metric)
    if positions.size == 0 or len(rows.numbers) == 0:
        return scores, found
    compare = faiss.knn_L2sqr_by_idx if metric == "l2" else faiss.knn_inner_products_by_idx
    n, dimension = rows.matrix.shape
    # FAISS stops at the first position below zero.
    where = np.ascontiguousarray(np.sort(positions, axis=-1)[..., ::-1])
    candidates = where.shape[-1]
    stride = candidates if where.ndim == 2 else 0  # never left to FAISS, whose default reads beyond the array
    compare(
        *(faiss.swig_ptr(queries), faiss.swig_ptr(rows.matrix), faiss.swig_ptr(where)),
        *(dimension, len(queries), n, candidates, k, faiss.swig_ptr(scores), faiss.swig_ptr(found), stride),
    )
    return scores, _numbers_at(rows, found, 0)


def blocks(rows: Rows) -> Iterator[tuple[Numbers, Matrix]]:
    """Give all rows that were not removed, some at a time."""
    for start in range(0, len(rows.numbers), BLOCK):
        numbers, matrix = rows.numbers[start : start + BLOCK], rows.matrix[start : start + BLOCK]
        gone = rows.removed[(rows.removed >= start) & (rows.removed < start + BLOCK)] - start
        yield np.delete(numbers, gone), np.delete(matrix, gone, axis=0)


def write_rows(path: Path, parts: Sequence[Rows], *, dimension: int, metric: Metric) -> None:
    """Write rows that were not removed, in constant memory, as ``faiss.write_index`` writes an ``IndexIDMap`` of them.

    Args:
        path: of the new file.
        parts: numbers ascend from each part to the next.
        dimension: components of each vector.
        metric: how vectors are compared.
    """
    n = sum(alive(part) for part in parts)
    kind, flat = (faiss.METRIC_L2, b"IxF2") if metric == "l2" else (faiss.METRIC_INNER_PRODUCT, b"IxFI")
    # d, ntotal, two unused fields, is_trained, metric: the head of every FAISS index.
    head = struct.pack("=iqqqbi", dimension, n, 1 << 20, 1 << 20, 1, kind)
    with path.open("wb") as file:
        file.write(b"IxMp" + head + flat + head + struct.pack("=Q", n * dimension))
        for part in parts:
            for _, matrix in blocks(part):
                file.write(np.ascontiguousarray(matrix, dtype=np.float32).data)
        file.write(struct.pack("=Q", n))
        for part in parts:
            file.write(np.delete(part.numbers, part.removed).data)


def read_index(path: Path) -> Any:
    """Map any FAISS index into memory, as far as its type allows.

    Raises:
        StoreError: the file holds none.
    """
    if not path.is_file():
        raise FileNotFoundError(path)
    try:
        return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    except (RuntimeError, MemoryError) as error:
        raise StoreError(
            f"{str(path)!r} is no readable FAISS index ({reason_of(error)}): build the store again"
        ) from error


def excluding(positions: Numbers) -> Any:
    """Return a FAISS selector of everything but some ids; None where there are none to leave out."""
    return faiss.IDSelectorNot(faiss.IDSelectorBatch(positions)) if len(positions) else None


def including(numbers: Numbers) -> Any:
    """Return a FAISS selector of some ids: one bit a number, so its cost does not grow with how many there are."""
    bits = np.zeros(int(numbers.max()) + 1, dtype=bool)
    bits[numbers] = True
    return faiss.IDSelectorBitmap(np.packbits(bits, bitorder="little"))


def _remaining(rows: Rows, start: int) -> Any:
    if len(rows.removed) == 0:
        return None
    bits = np.ones(len(rows.numbers), dtype=bool)
    bits[rows.removed] = False
    return faiss.IDSelectorBitmap(np.packbits(bits[start:], bitorder="little"))


def _outcome(queries: int, k: int, metric: Metric) -> tuple[Matrix, Numbers]:
    worst = np.inf if metric == "l2" else -np.inf
    return np.full((queries, k), worst, dtype=np.float32), np.full((queries, k), NOTHING, dtype=np.int64)


def _numbers_at(rows: Rows, positions: Numbers, start: int) -> Numbers:
    return np.where(positions >= 0, rows.numbers[positions + start], NOTHING)
