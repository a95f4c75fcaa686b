"""Embedding models whose vectors, failures and work a test knows."""

from __future__ import annotations

from langchain_core.embeddings import Embeddings

from automix_graph.testing.embeddings import HashEmbeddings


class Table(Embeddings):
    """Embeds texts by a table, so that a test knows the vectors."""

    def __init__(self, **vectors: list[float]) -> None:
        self.vectors = vectors

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.vectors[text] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self.vectors[text]


class Fragile(HashEmbeddings):
    """Fails on the text "bad"."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        if "bad" in texts:
            raise ConnectionError("the provider is down")
        return super().embed_documents(texts)


class Counting(HashEmbeddings):
    """Counts texts, and stops after some of them as Ctrl-C would."""

    def __init__(self, stop_after: int | None = None) -> None:
        super().__init__()
        self.texts = 0
        self.stop_after = stop_after

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        if self.stop_after is not None and self.texts + len(texts) > self.stop_after:
            raise KeyboardInterrupt
        self.texts += len(texts)
        return super().embed_documents(texts)
