"""Batches that are embedded at the same time."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from docs_to_ingest import write_rows

from automix_graph.errors import ConfigurationError
from automix_graph.retrieval import FaissStore, ingest
from automix_graph.retrieval.writing import EMBED_BATCH
from automix_graph.testing.embeddings import HashEmbeddings


class Slow(HashEmbeddings):
    """Knows how many batches were embedded at the same time, and takes longer for the first ones."""

    def __init__(self) -> None:
        super().__init__()
        self.running = self.most = self.calls = 0
        self._lock = threading.Lock()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        with self._lock:
            self.running += 1
            self.calls += 1
            self.most = max(self.most, self.running)
            wait = 0.05 if self.calls < 3 else 0.01
        time.sleep(wait)
        with self._lock:
            self.running -= 1
        return super().embed_documents(texts)


@pytest.mark.parametrize("workers", [1, 3])
def test_batches_are_embedded_together_and_stored_in_order(tmp_path: Path, workers: int) -> None:
    write_rows(tmp_path / "rows.jsonl", EMBED_BATCH * 8)
    embedding = Slow()
    seen: list[int] = []
    with FaissStore(embedding) as store:
        ingest([tmp_path], store, embed_workers=workers, progress=lambda state: seen.append(state.passages_added))
        assert embedding.most == workers
        assert seen == sorted(seen)
        assert seen[-1] == len(store) == EMBED_BATCH * 8
        stored = store.get_by_numbers(range(1, EMBED_BATCH * 8 + 1))
        assert [document.page_content for document in stored] == [f"row {n}" for n in range(EMBED_BATCH * 8)]


def test_refuses_no_worker(store: FaissStore) -> None:
    with pytest.raises(ConfigurationError, match="embed_workers is 0"):
        ingest([], store, embed_workers=0)
