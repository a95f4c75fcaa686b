"""Which embedding model made the vectors of a store.

Two models are taken for the same when they embed a probe text alike, whatever their names: a digest of rounded numbers
would break between machines, whose last bits differ.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from langchain_core.embeddings import Embeddings

from automix_graph.errors import StoreError
from automix_graph.retrieval.metrics import as_matrix, normalised

PROBE_TEXT: Final = "The quick brown fox jumps over the lazy dog. 敏捷的棕色狐狸跳过了懒狗。"

MIN_AGREEMENT: Final = 0.95
"""Least cosine between two embeddings of the probe by one model.

Other hardware or another precision moves it by about 0.01; the probes of two unrelated models are about orthogonal.
"""


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """An embedding model's name, dimension and embedding of the probe text.

    Attributes:
        name: for messages only.
        dimension: components of each vector.
        probe: the probe's embedding, scaled to length 1, as base64 of little-endian float16.
    """

    name: str
    dimension: int
    probe: str

    @classmethod
    def of(cls, embedding: Embeddings) -> Self:
        """Embed the probe text; one call of the model."""
        unit = normalised(as_matrix(embedding.embed_documents([PROBE_TEXT])))[0]
        probe = base64.b64encode(unit.astype("<f2").tobytes()).decode("ascii")
        return cls(name=embedding_name(embedding), dimension=len(unit), probe=probe)

    def require_same(self, other: Fingerprint, *, path: str) -> None:
        """Raise a StoreError where the other model is not the one that this store was built with."""
        if self.dimension == other.dimension:
            agreement = self._agreement(other)
            if agreement >= MIN_AGREEMENT:
                return
            difference = f"their embeddings of the same text have cosine {agreement:.2f}"
        else:
            difference = f"their vectors have {self.dimension} and {other.dimension} components"
        raise StoreError(
            f"the store at {path!r} was built with the embedding model {self.name!r} and cannot be searched with "
            f"{other.name!r} ({difference}): open it with {self.name!r}, or build it again with {other.name!r}",
            path=path,
            code="other-embedding-model",
        )

    def _agreement(self, other: Fingerprint) -> float:
        mine, theirs = self._vector(), other._vector()
        if not mine.any() and not theirs.any():
            return 1.0  # a model that has no words for the probe gives zeros
        return float(mine @ theirs)

    def _vector(self) -> Any:
        return np.frombuffer(base64.b64decode(self.probe), dtype="<f2").astype(np.float64)


def embedding_name(embedding: Embeddings) -> str:
    """Return the name by which people know an embedding model: its own, else that of its class."""
    for attribute in ("model_name", "model", "name"):
        value = getattr(embedding, attribute, None)
        if isinstance(value, str) and value:
            return value
    return type(embedding).__name__
