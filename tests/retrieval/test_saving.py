"""Stores that are saved and opened again, by one process or many."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from saved_store import EMBEDDING, METADATA, contents, names

from automix_graph.errors import ConfigurationError, StoreError
from automix_graph.retrieval import FaissStore
from automix_graph.retrieval.manifest import Manifest

# Saving and opening


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("metric", ["cosine", "inner_product", "l2"])
def test_an_opened_store_answers_like_the_saved_one(tmp_path: Path, metric: Any, verify: bool) -> None:
    with FaissStore.from_texts(["otter", "owl", "owl owl 熊猫"], EMBEDDING, [METADATA, {}, {}], metric=metric) as saved:
        saved.save(tmp_path / "s")
        with FaissStore.open(tmp_path / "s", EMBEDDING, verify=verify) as opened:
            for kind in ("hybrid", "similarity", "bm25"):
                for query in ("owl", "熊猫 otter"):
                    assert opened.search_with_score(query, kind) == saved.search_with_score(query, kind)
            assert opened.search("otter", "bm25")[0].metadata == METADATA
            assert opened.collection.metric == metric


def test_opening_and_searching_changes_no_file(folder: Path) -> None:
    before = contents(folder)
    with FaissStore.open(folder, EMBEDDING) as store:
        store.search("owl", "hybrid", filter={"source": "a.md"})
    assert contents(folder) == before
    os.chmod(folder, 0o500)
    try:
        FaissStore.open(folder, EMBEDDING).close()
    finally:
        os.chmod(folder, 0o700)


def test_writing_to_an_opened_store_leaves_the_files_alone_until_saved(folder: Path) -> None:
    before = contents(folder)
    with FaissStore.open(folder, EMBEDDING) as store:
        store.add_texts(["lynx"], ids=["d"])
        store.delete(["a"])
        assert [document.id for document in store.search("lynx", "bm25")] == ["d"]
        assert contents(folder) == before
        store.save()
        store.add_texts(["wolf"], ids=["e"])  # not saved
    assert names(folder) == {"manifest.json", "vectors-000002.faiss", "passages-000002.sqlite"}
    with FaissStore.open(folder, EMBEDDING) as store:
        assert {document.id for document in store.similarity_search("x", k=9)} == {"b", "c", "d"}


def test_who_has_the_old_generation_open_keeps_it(folder: Path) -> None:
    with FaissStore.open(folder, EMBEDDING) as reader, FaissStore.open(folder, EMBEDDING) as writer:
        writer.delete()
        writer.save()
        assert len(reader) == 3
        assert reader.search("otter", "bm25")[0].id == "a"
        reader.add_texts(["lynx"])  # makes its private copy from files that are gone
        assert len(reader) == 4


def test_deleted_text_is_not_in_the_saved_files(folder: Path) -> None:
    with FaissStore.open(folder, EMBEDDING) as store:
        store.add_texts(["the password is xyzzy"], ids=["secret"])
        store.delete(["secret"])
        store.save()
    assert not any(b"password is" in content for content in contents(folder).values())


def test_an_empty_store_can_be_saved_and_filled_later(tmp_path: Path) -> None:
    with FaissStore(EMBEDDING) as store:
        store.save(tmp_path)
    with FaissStore.open(tmp_path, EMBEDDING) as store:
        assert store.search("x", "hybrid") == []
        store.add_texts(["x"])
        assert len(store.search("x", "hybrid")) == 1


async def test_async_saving_and_opening(tmp_path: Path) -> None:
    with FaissStore.from_texts(["x"], EMBEDDING) as store:
        await store.asave(tmp_path / "s")
        assert store.path == tmp_path / "s"
    with await FaissStore.aopen(tmp_path / "s", EMBEDDING) as store:
        assert len(store) == 1


def test_numbers_are_never_used_again(folder: Path) -> None:
    with FaissStore.open(folder, EMBEDDING) as store:
        store.delete()
        store.save()
    with FaissStore.open(folder, EMBEDDING) as store:
        store.add_texts(["new"])
        assert store.collection.bm25("new", k=1, wanted=None)
        assert [document.page_content for document in store.get_by_numbers(range(1, 10))] == ["new"]
        assert store.get_by_numbers([4])


def test_no_folder_and_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no folder"):
        FaissStore.open(tmp_path / "nothing", EMBEDDING)
    with pytest.raises(StoreError, match="is no store"):
        FaissStore.open(tmp_path, EMBEDDING)


# Where a store may be saved


def test_a_folder_that_was_removed_is_made_again(folder: Path) -> None:
    with FaissStore.open(folder, EMBEDDING) as store:
        shutil.rmtree(folder)
        store.save()
    with FaissStore.open(folder, EMBEDDING) as store:
        assert len(store) == 3


def test_refuses_a_folder_that_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("years of work")
    with FaissStore(EMBEDDING) as store:
        with pytest.raises(StoreError, match=r"thesis\.docx"):
            store.save(tmp_path)
        with pytest.raises(StoreError, match="is a file"):
            store.save(tmp_path / "thesis.docx")
        with pytest.raises(ConfigurationError, match="needs the path"):
            store.save()
    assert names(tmp_path) == {"thesis.docx"}


def test_refuses_a_folder_with_the_manifest_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"name": "a web app"}')
    with FaissStore(EMBEDDING) as store, pytest.raises(StoreError, match="format"):
        store.save(tmp_path)
    assert (tmp_path / "manifest.json").read_text() == '{"name": "a web app"}'


def test_leaves_other_files_of_a_store_folder_alone(folder: Path) -> None:
    (folder / "README.txt").write_text("mine")
    with FaissStore.open(folder, EMBEDDING) as store:
        store.save()
    assert (folder / "README.txt").read_text() == "mine"


async def test_a_store_of_something_else_is_replaced_unless_told_not_to(folder: Path) -> None:
    with FaissStore.from_texts(["lynx"], EMBEDDING) as store:
        for _ in range(2):
            with pytest.raises(StoreError, match="generation 1, but was not there") as caught:
                await store.asave(folder, replace=False)
        assert caught.value.code == "store-busy"
        with pytest.raises(StoreError, match="was not there"):
            store.save(folder, replace=False)
        store.save(folder)
        store.add_texts(["wolf"])
        store.save(folder, replace=False)  # its own by now
        store.save(folder.with_name("new"), replace=False)
    assert Manifest.read(folder).generation == 3
    with FaissStore.open(folder, EMBEDDING) as store:
        assert len(store) == 2


# Several at once


def test_refuses_to_drop_what_another_process_saved(folder: Path) -> None:
    with FaissStore.open(folder, EMBEDDING) as first, FaissStore.open(folder, EMBEDDING) as second:
        first.add_texts(["lynx"])
        first.save()
        second.add_texts(["wolf"])
        with pytest.raises(StoreError, match="generation 2, but was opened at 1"):
            second.save()
    with FaissStore.open(folder, EMBEDDING) as store:
        assert store.search("lynx", "bm25")


def test_processes_that_save_together_leave_one_whole_store(tmp_path: Path) -> None:
    script = (
        "import sys; from automix_graph.retrieval import FaissStore\n"
        "from automix_graph.testing.embeddings import HashEmbeddings\n"
        "for n in range(2):\n"
        "    with FaissStore.from_texts([f'{sys.argv[2]} {i}' for i in range(20)], HashEmbeddings()) as store:\n"
        "        store.save(sys.argv[1])\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "s"), name]) for name in ("a", "b")]
    assert [process.wait(60) for process in processes] == [0, 0]
    with FaissStore.open(tmp_path / "s", EMBEDDING) as store:
        texts = {document.page_content[0] for document in store.similarity_search("a b", k=99)}
        assert len(texts) == 1
        assert len(store) == 20
    assert Manifest.read(tmp_path / "s").generation == 4
    assert len(names(tmp_path / "s")) == 3


def test_a_reader_that_meets_a_save_opens_the_old_or_the_new(folder: Path) -> None:
    done = threading.Event()

    def save_again_and_again() -> None:
        try:
            for n in range(15):
                with FaissStore.from_texts(["x"] * (n + 4), EMBEDDING) as store:
                    store.save(folder)
                time.sleep(0.005)
        finally:
            done.set()

    thread = threading.Thread(target=save_again_and_again)
    thread.start()
    sizes = []
    while not done.is_set():
        with FaissStore.open(folder, EMBEDDING) as opened:
            sizes.append(len(opened))
    thread.join()
    assert sizes == sorted(sizes)
    assert len(set(sizes)) > 2
