"""A store opens with the embedding model that it was made with, and with no other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automix_graph.errors import StoreError
from automix_graph.retrieval import FaissStore
from automix_graph.retrieval.fingerprint import Fingerprint
from automix_graph.testing.embeddings import HashEmbeddings


def test_another_model_is_refused_by_name(folder: Path) -> None:
    with pytest.raises(StoreError, match=r"'hash-embeddings'.*'other'.*cosine") as caught:
        FaissStore.open(folder, HashEmbeddings(name="other"))
    assert caught.value.path == str(folder)
    with pytest.raises(StoreError, match="64 and 32 components"):
        FaissStore.open(folder, HashEmbeddings(32))


class Noisy(HashEmbeddings):
    """The same model under another name, on a machine that computes a little differently."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        noise = np.random.default_rng(0).normal(scale=0.01, size=self.dimension)
        return [list(np.array(vector) + noise) for vector in super().embed_documents(texts)]


def test_the_same_model_elsewhere_is_accepted(folder: Path) -> None:
    model = Noisy()
    model.name = "hash-embeddings"
    other_name = Noisy()
    other_name.__dict__["model_name"] = "another-name"
    for embedding in (model, other_name):
        with FaissStore.open(folder, embedding) as store:
            assert len(store) == 3
    assert Fingerprint.of(other_name).name == "another-name"
