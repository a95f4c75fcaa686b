"""Stores of numbers, each embedded as a random vector of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings

from automix_graph.retrieval import FaissStore
from automix_graph.retrieval.plan import ApproximateType, IndexChoice

TYPES: Sequence[ApproximateType] = ("hnsw", "ivf", "ivf_sq8")
DIMENSION = 16


def vector(seed: int) -> list[float]:
    return [float(x) for x in np.random.default_rng(seed).normal(size=DIMENSION)]


class Seeded(Embeddings):
    """Embeds a number as a random vector of its own."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return vector(int(text) if text.isdigit() else 0)


def filled(kind: IndexChoice, n: int, **options: Any) -> FaissStore:
    numbers = [str(number) for number in range(n)]
    metadatas = [{"even": number % 2 == 0, "number": number} for number in range(n)]
    store = FaissStore(Seeded(), index_type=kind, **options)
    store.add_texts(numbers, metadatas, ids=numbers)
    return store
