"""Eight readers and a writer at once: every answer must be right at some moment of the search."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from pathlib import Path

import pytest

from automix_graph.retrieval import FaissStore
from automix_graph.retrieval.plan import IndexChoice
from automix_graph.testing.embeddings import HashEmbeddings

pytestmark = pytest.mark.integration

GROUPS = 6
SIZE = 5
SECONDS = 1.5


def group_texts(group: int, version: int) -> tuple[list[str], list[dict[str, int]], list[str]]:
    """All passages of a group change together, so that a reader can tell a torn write."""
    texts = [f"group{group} item{item} version{version}" for item in range(SIZE)]
    return texts, [{"group": group, "version": version}] * SIZE, [f"{group}-{item}" for item in range(SIZE)]


def check(store: FaissStore, rng: random.Random) -> None:
    if rng.random() < 0.5:
        check_all(store, rng)
        return
    group = rng.randrange(GROUPS)
    kind = rng.choice(["hybrid", "similarity", "bm25", "mmr"])
    found = store.search(f"group{group}", kind, k=SIZE, filter={"group": group})
    assert len(found) in (0, SIZE), kind
    assert len({document.metadata["version"] for document in found}) <= 1, kind
    for document in found:
        version = document.metadata["version"]
        assert document.page_content == f"group{group} item{str(document.id)[-1]} version{version}"


def check_all(store: FaissStore, rng: random.Random) -> None:
    """Search among all passages, which an approximate index does and not a comparison with each."""
    found = store.search(f"group{rng.randrange(GROUPS)} item3", "similarity", k=2 * SIZE)
    assert len({document.id for document in found}) == len(found)
    versions: dict[int, int] = {}
    for document in found:
        group, version = document.metadata["group"], document.metadata.get("version")
        if group >= 0:
            assert document.page_content == f"group{group} item{str(document.id)[-1]} version{version}"
            assert versions.setdefault(group, version) == version
    query = store.embeddings.embed_query("other 7")
    numbers = store.search_numbers([query], k=2 * SIZE).numbers[0].tolist()
    assert len(set(numbers)) == len(numbers)
    assert min(numbers, default=1) > 0


def opened(folder: Path, kind: IndexChoice) -> FaissStore:
    """Return a store that was saved with an index of this type, beside which the writer will put its passages."""
    with FaissStore(HashEmbeddings(16), index_type=kind) as store:
        for group in range(GROUPS):
            texts, metadatas, ids = group_texts(group, 0)
            store.add_texts(texts, metadatas, ids=ids)
        store.add_texts([f"other {n}" for n in range(200)], [{"group": -1}] * 200)
        store.save(folder)
    return FaissStore.open(folder, HashEmbeddings(16))


def together(store: FaissStore, seconds: float, *, save: bool) -> None:
    """Let eight threads search while one writes, and saves now and then; raise what any of them raised."""
    begin = threading.Barrier(9)
    failures: list[BaseException] = []
    counts = [0] * 9

    def write(rng: random.Random, version: int) -> None:
        if rng.random() < 0.3:
            store.delete(group_texts(rng.randrange(GROUPS), 0)[2])
        elif save and rng.random() < 0.03:
            store.save()
        else:
            texts, metadatas, ids = group_texts(rng.randrange(GROUPS), version)
            store.add_texts(texts, metadatas, ids=ids)

    def guarded(worker: int) -> None:
        rng = random.Random(worker)
        begin.wait(60)  # on a busy machine the last thread starts seconds after the first
        deadline = time.monotonic() + seconds
        try:
            while time.monotonic() < deadline and not failures:
                counts[worker] += 1
                if worker < 8:
                    check(store, rng)
                else:
                    write(rng, counts[worker])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(worker,)) for worker in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 60)
    with store:
        if failures:
            raise failures[0]
        assert min(counts) > 2, f"somebody starved: {counts}"
        assert len(store.similarity_search("group", k=999)) == len(store)


def test_readers_and_a_writer() -> None:
    store = FaissStore(HashEmbeddings(16))
    for group in range(GROUPS):
        texts, metadatas, ids = group_texts(group, 0)
        store.add_texts(texts, metadatas, ids=ids)
    together(store, SECONDS, save=False)


@pytest.mark.parametrize("kind", ["flat", "hnsw", "ivf_sq8"])
def test_readers_and_a_writer_on_a_saved_store(tmp_path: Path, kind: IndexChoice) -> None:
    together(opened(tmp_path, kind), SECONDS, save=True)


@pytest.mark.parametrize("kind", ["hnsw", "ivf", "ivf_sq8"])
def test_threads_search_an_index_with_removed_passages(tmp_path: Path, kind: IndexChoice) -> None:
    """FAISS writes to the parameters of such a search, so that threads that shared them ended the process."""
    with FaissStore(HashEmbeddings(32), index_type=kind) as store:
        ids = [str(number) for number in range(3000)]
        store.add_texts([f"word{number} of{number % 37} {number % 11}" for number in range(3000)], ids=ids)
        store.save(tmp_path)
    store = FaissStore.open(tmp_path, HashEmbeddings(32))
    removed = set(range(1, 3001, 7))
    store.delete([ids[number - 1] for number in removed])
    queries = [[store.embeddings.embed_query(f"word{number}")] for number in range(20)]
    wrong: list[list[int]] = []

    def search() -> None:
        for turn in range(2000):
            found = store.search_numbers(queries[turn % 20], k=10).numbers[0].tolist()
            if removed & set(found) or len(set(found)) != 10:
                wrong.append(found)

    threads = [threading.Thread(target=search) for _ in range(8)]
    with store:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
    assert not wrong


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["flat", "hnsw", "ivf", "ivf_sq8"])
def test_readers_and_a_writer_for_a_minute(tmp_path: Path, kind: IndexChoice) -> None:
    together(opened(tmp_path, kind), 60.0, save=True)


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
            while not stop.wait(0.002):  # without a pause, all that was ever written is copied with each save
                version += 1
                texts, metadatas, ids = group_texts(0, version)
                store.add_texts(texts, metadatas, ids=ids)

        thread = threading.Thread(target=write)
        thread.start()
        try:
            for _ in range(5):
                store.save(tmp_path / "s")
                with FaissStore.open(tmp_path / "s", HashEmbeddings(16)) as saved:
                    assert len(saved) in (0, SIZE)
                    check(saved, random.Random(0))
        finally:
            stop.set()
            thread.join()
