"""The embedded embedding model for real, in ONNX Runtime."""

from __future__ import annotations

import asyncio
import math
import pickle
import threading
from pathlib import Path

import numpy as np
import pytest
from langchain_core.embeddings import Embeddings

from automix_graph.errors import ModelFileError
from automix_graph.models import load_embeddings, pull

pytestmark = pytest.mark.local


@pytest.fixture(scope="module")
def embeddings() -> Embeddings:
    pull("all-minilm-l6-v2")
    return load_embeddings()


def test_near_meanings_have_near_vectors(embeddings: Embeddings) -> None:
    query, *texts = np.array(
        [
            embeddings.embed_query("How do I cook rice?"),
            *embeddings.embed_documents(
                ["Boil rice in twice as much water.", "Simmer vegetables in a pot.", "The moon orbits the earth."]
            ),
        ]
    )
    near, middle, far = (float(query @ text) for text in texts)
    assert near > middle > far and near > 0.6 and far < 0.2
    assert np.allclose(np.linalg.norm([query, *texts], axis=1), 1.0, atol=1e-5)


def test_a_vector_does_not_depend_on_its_neighbours_or_the_thread(embeddings: Embeddings) -> None:
    texts = ["short", "a somewhat longer text about nothing at all " * 5, "文字", "x " * 400] * 4
    alone = [embeddings.embed_query(text) for text in texts]
    results: list[list[list[float]]] = []
    threads = [threading.Thread(target=lambda: results.append(embeddings.embed_documents(texts))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [alone] * 3


async def test_embeddings_do_not_block_the_event_loop(embeddings: Embeddings) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.005)
            ticks += 1

    ticking = asyncio.create_task(tick())
    vectors = await embeddings.aembed_documents(["some words to embed " * 40] * 10)
    ticking.cancel()
    assert len(vectors) == 10 and ticks >= 5


@pytest.mark.parametrize("text", ["", " ", "\ud83d half an emoji", "\x00", "word " * 1_000_000, "x" * 1_000_000])
def test_any_text_has_a_vector(embeddings: Embeddings, text: str) -> None:
    vector = embeddings.embed_query(text)
    assert len(vector) == 384 and all(map(math.isfinite, vector)) and type(vector[0]) is float


def test_text_beyond_the_limit_is_cut(embeddings: Embeddings) -> None:
    assert embeddings.embed_query("word " * 300) == embeddings.embed_query("word " * 300 + "entirely different")
    assert embeddings.embed_documents([]) == []


def test_embeddings_cross_process_borders(embeddings: Embeddings) -> None:
    copy = pickle.loads(pickle.dumps(embeddings))
    assert copy.embed_query("a") == embeddings.embed_query("a") and copy.model_name == "local:all-minilm-l6-v2"


def test_damaged_weights_of_an_embedding_are_one_line(
    embeddings: Embeddings, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from automix_graph.models.onnx import OnnxEmbeddings

    cache.mkdir()
    for name in ("tokenizer.json", "model.onnx"):
        with pytest.raises(ModelFileError, match=f"cannot load .*{name}.*automix models pull") as caught:
            OnnxEmbeddings(cache, model_name="local:broken")
        assert "\n" not in str(caught.value)
        (cache / name).write_bytes((embeddings._folder / name).read_bytes())  # type: ignore[attr-defined]
    (cache / "model.onnx").write_bytes(b"garbage")
    with pytest.raises(ModelFileError, match="cannot load"):
        OnnxEmbeddings(cache, model_name="local:broken")
