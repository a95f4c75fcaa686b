"""Vectors in rows on disk, each with the number of its passage, searched one by one.

Two kinds: what a saved store has, which never changes, and what was added since, in a growing file of its own. Both
give exact answers. Neither knows a text or a lock: the caller sees to it that nobody searches while it writes.
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
from automix_graph.retrieval.vector_file import VectorFile

SOME: Final = 4096
"""Numbers by which the list of a growing file grows."""

NOTHING: Final = -1
"""Number in the place of a hit that does not exist."""


class Rows(Protocol):
    """Vectors with ascending numbers, of which some may have been removed."""

    @property
    def numbers(self) -> Numbers:
        """Of all rows, removed ones included, ascending."""

    @property
    def file(self) -> VectorFile:
        """The rows themselves."""

    @property
    def removed(self) -> Numbers:
        """Positions of removed rows, ascending."""

    @property
    def first(self) -> int | None:
        """The first number where each next one is one more; None where some are missing between them."""


class PublishedRows:
    """The vectors of a saved store: an ``IndexIDMap`` over a flat index in FAISS's own format.

    Args:
        index: the file as FAISS maps it.
        path: of the file.
    """

    def __init__(self, index: Any, path: Path) -> None:
        self._index = index  # owns the memory that the numbers are in
        n, self.dimension = int(index.ntotal), int(index.d)
        self.numbers: Numbers = faiss.rev_swig_ptr(index.id_map.data(), n)
        self.numbers.flags.writeable = False  # the mapping is read-only
        self.first = _first(self.numbers)
        self.removed: Numbers = np.empty(0, dtype=np.int64)
        self.file = VectorFile(path, offset=_HEAD_BYTES, dimension=self.dimension, count=n)

    @classmethod
    def read(cls, path: Path, metric: Metric) -> Self:
        """Open a file that `write_rows` wrote.

        Raises:
            StoreError: the file holds something else.
        """
        index = read_index(path)
        expected = faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT
        if type(index) is not faiss.IndexIDMap or index.metric_type != expected:
            raise StoreError(f"{str(path)!r} holds another kind of FAISS index than {metric!r} needs: build it again")
        if not isinstance(faiss.downcast_index(index.index), faiss.IndexFlat):
            raise StoreError(f"{str(path)!r} holds a FAISS index that does not keep its vectors: build it again")
        rows = cls(index, path)
        if not (np.diff(rows.numbers) > 0).all():
            rows.close()
            raise StoreError(f"{str(path)!r} is damaged (the numbers of its vectors do not ascend): build it again")
        return rows

    def remove(self, positions: Numbers) -> None:
        """Leave these rows out from now on; the file stays as it is."""
        self.removed = np.union1d(self.removed, positions)

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class GrowingRows:
    """Vectors that are appended to a file of raw float32 numbers and read back from it.

    Args:
        path: of a new file, which belongs to this object.
        dimension: components of each vector.
    """

    def __init__(self, path: Path, dimension: int) -> None:
        self._dimension = dimension
        self._written: BinaryIO = path.open("wb")
        self._numbers: Numbers = np.empty(SOME, dtype=np.int64)
        self.file = VectorFile(path, offset=0, dimension=dimension, count=0)
        self._clear()

    def _clear(self) -> None:
        self._count = 0
        self.first: int | None = None
        self.file.resize(0)
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
        self._written.seek(self._count * self._dimension * vectors.itemsize)
        self._written.write(np.ascontiguousarray(vectors).data)
        self._written.flush()
        count = self._count + len(numbers)
        while len(self._numbers) < count:
            self._numbers = np.concatenate([self._numbers, np.empty_like(self._numbers)])
        self._numbers[self._count : count] = numbers
        self.file.resize(count)
        self._count = count
        self.first = _first(self.numbers)

    def remove(self, positions: Numbers) -> None:
        """Leave these rows out from now on; when none is left, the file starts again."""
        self.removed = np.union1d(self.removed, positions)
        if self._count and len(self.removed) == self._count:
            self._clear()
            self._written.truncate(0)

    def close(self) -> None:
        """Close the file."""
        self._written.close()
        self.file.close()


def alive(rows: Rows) -> int:
    """Return the number of rows that were not removed."""
    return len(rows.numbers) - len(rows.removed)


def _first(numbers: Numbers) -> int | None:
    return int(numbers[0]) if len(numbers) and numbers[-1] - numbers[0] == len(numbers) - 1 else None


def places(rows: Rows, numbers: Numbers) -> Numbers:
    """Return the position of each number, in the same shape; `NOTHING` where there is no such row."""
    own = rows.numbers
    if len(own) == 0 or numbers.size == 0:
        return np.full(numbers.shape, NOTHING, dtype=np.int64)
    if rows.first is not None:
        found: Numbers = numbers - rows.first
        if np.minimum.reduce(found, axis=None) < 0 or np.maximum.reduce(found, axis=None) >= len(own):
            found[(found < 0) | (found >= len(own))] = NOTHING
        return found
    found = np.searchsorted(own, numbers)
    found[found == len(own)] = 0
    return np.where(own[found] == numbers, found, NOTHING)


def blocks(rows: Rows) -> Iterator[tuple[Numbers, Matrix]]:
    """Give all rows that were not removed, some at a time; they are valid until the next ones are asked for."""
    for start, matrix in rows.file.blocks():
        stop = start + len(matrix)
        gone = rows.removed[(rows.removed >= start) & (rows.removed < stop)] - start
        numbers = rows.numbers[start:stop]
        yield (np.delete(numbers, gone), np.delete(matrix, gone, axis=0)) if len(gone) else (numbers, matrix)


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
    head = struct.pack(_INDEX_HEAD, dimension, n, 1 << 20, 1 << 20, 1, kind)
    with path.open("wb") as file:
        file.write(b"IxMp" + head + flat + head + struct.pack("=Q", n * dimension))
        for part in parts:
            for _, matrix in blocks(part):
                file.write(np.ascontiguousarray(matrix, dtype=np.float32).data)
        file.write(struct.pack("=Q", n))
        for part in parts:
            file.write(np.delete(part.numbers, part.removed).data)


_INDEX_HEAD: Final = "=iqqqbi"
_HEAD_BYTES: Final = 2 * (4 + struct.calcsize(_INDEX_HEAD)) + 8
"""Bytes before the first vector: two heads with their names, and how many components follow."""


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
