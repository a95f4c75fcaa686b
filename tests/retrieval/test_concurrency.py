"""Eight readers and a writer at once: every answer must be right at some moment of the search."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from pathlib import Path

import pytest

from automix_graph.retrieval import FaissStore
from automix_graph.testing.embeddings import HashEmbeddings

GROUPS = 6
SIZE = 5
SECONDS = 1.5


def group_texts(group: int, version: int) -> tuple[list[str], list[dict[str, int]], list[str]]:
    """All passages of a group change together, so that a reader can tell a torn write."""
    texts = [f"group{group} item{item} version{version}" for item in range(SIZE)]
    return texts, [{"group": group, "version": version}] * SIZE, [f"{group}-{item}" for item in range(SIZE)]


def check(store: FaissStore, rng: random.Random) -> None:
    group = rng.randrange(GROUPS)
    kind = rng.choice(["hybrid", "similarity", "bm25", "mmr"])
    found = store.search(f"group{group}", kind, k=SIZE, filter={"group": group})
    assert len(found) in (0, SIZE), kind
    assert len({document.metadata["version"] for document in found}) <= 1, kind
    for document in found:
        version = document.metadata["version"]
        assert document.page_content == f"group{group} item{str(document.id)[-1]} version{version}"


@pytest.mark.parametrize("saved", [False, True])
def test_readers_and_a_writer(tmp_path: Path, saved: bool) -> None:
    store = FaissStore(HashEmbeddings(16))
    for group in range(GROUPS):
        store.add_texts(*group_texts(group, 0)[:2], ids=group_texts(group, 0)[2])
    if saved:
        store.save(tmp_path / "s")
        store.close()
        store = FaissStore.open(tmp_path / "s", HashEmbeddings(16))
    deadline = time.monotonic() + SECONDS
    failures: list[BaseException] = []
    counts = [0] * 9

    def guarded(worker: int) -> None:
        rng = random.Random(worker)
        try:
            while time.monotonic() < deadline and not failures:
                counts[worker] += 1
                if worker < 8:
                    check(store, rng)
                elif rng.random() < 0.3:
                    store.delete(group_texts(rng.randrange(GROUPS), 0)[2])
                else:
                    texts, metadatas, ids = group_texts(rng.randrange(GROUPS), counts[worker])
                    store.add_texts(texts, metadatas, ids=ids)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(worker,)) for worker in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with store:
        if failures:
            raise failures[0]
        assert min(counts) > 5, f"somebody starved: {counts}"
        assert len(store.similarity_search("group", k=99)) == len(store)


async def test_async_readers_and_a_writer() -> None:
    with FaissStore(HashEmbeddings(16)) as store:

        async def write(version: int) -> None:
            texts, metadatas, ids = group_texts(version % GROUPS, version)
            await store.aadd_texts(texts, metadatas, ids=ids)

        async def read(n: int) -> None:
            group = n % GROUPS
            found = await store.asearch(f"group{group}", "hybrid", k=SIZE, filter={"group": group})
            assert len(found) in (0, SIZE)
            assert len({document.metadata["version"] for document in found}) <= 1

        await asyncio.gather(*(write(n // 4) if n % 4 == 0 else read(n) for n in range(200)))
        assert len(store) == GROUPS * SIZE


def test_saving_while_writing_saves_one_moment(tmp_path: Path) -> None:
    with FaissStore(HashEmbeddings(16)) as store:
        stop = threading.Event()

        def write() -> None:
            version = 0
            while not stop.is_set():
                version += 1
                texts, metadatas, ids = group_texts(0, version)
                store.add_texts(texts, metadatas, ids=ids)

        thread = threading.Thread(target=write)
        thread.start()
        try:
            for _ in range(5):
                store.save(tmp_path / "s")
                with FaissStore.open(tmp_path / "s", HashEmbeddings(16)) as opened:
                    assert len(opened) in (0, SIZE)
                    check(opened, random.Random(0))
        finally:
            stop.set()
            thread.join()
