from __future__ import annotations

import itertools
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automix_graph.errors import ConfigurationError, StoreError
from automix_graph.retrieval import FaissStore, check_store
from automix_graph.retrieval.fingerprint import Fingerprint
from automix_graph.retrieval.manifest import Manifest
from automix_graph.testing.embeddings import HashEmbeddings

EMBEDDING = HashEmbeddings()
METADATA = {"source": "a.md", "n": [1, None, {"键": 0.1}], "big": 2**70}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "a folder with 空格 and %20"
    with FaissStore.from_texts(["otter", "owl", "熊猫"], EMBEDDING, [METADATA, {}, {}], ids=["a", "b", "c"]) as store:
        store.save(path)
    return path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".lock"}


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in names(folder)}


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
        with store.collection._reading() as passages:
            assert passages.numbers_where({}).tolist() == [4]


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


# Crashes

CRASHING_SAVE = """
import os, sys
from pathlib import Path
from automix_graph.retrieval import FaissStore
from automix_graph.testing.embeddings import HashEmbeddings

folder, steps = sys.argv[1], 0

def crash_at(step):
    def wrap(module, name):
        original = getattr(module, name)
        def counted(*arguments, **named):
            global steps
            steps += 1
            if steps == step:
                os._exit(42)
            return original(*arguments, **named)
        setattr(module, name, counted)
    for module, name in ((os, "fsync"), (os, "replace"), (os, "unlink"), (Path, "unlink"), (Path, "write_text")):
        wrap(module, name)

for step in range(1, 100):
    child = os.fork()
    if child == 0:
        store = FaissStore.open(folder, HashEmbeddings())
        store.add_texts(["text"], ids=[str(step)])
        crash_at(step)
        store.save()
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with FaissStore.open(folder, HashEmbeddings()) as store:
        print(step, code, len(store), flush=True)
    if code == 0:
        break
"""


def test_a_crash_at_any_step_leaves_the_old_store_or_the_new_one(folder: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", CRASHING_SAVE, str(folder)], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    steps = [tuple(map(int, line.split())) for line in run.stdout.splitlines()]
    assert len(steps) > 8, "fsync of files and folder, the manifest, its rename and the removals"
    assert [code for _, code, _ in steps] == [42] * (len(steps) - 1) + [0]
    sizes = [3, *(size for _, _, size in steps)]
    grown = [after - before for before, after in itertools.pairwise(sizes)]
    assert set(grown) == {0, 1}
    assert grown[0] == 0, "a crash before the manifest leaves the old store"
    assert grown[-2] == 1, "a crash after the manifest leaves the new one"
    assert len(names(folder)) == 3, "the next save removes what crashes left"


def test_a_crash_in_the_first_save_does_not_block_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vectors-000001.faiss").write_bytes(b"half")
    (tmp_path / "passages-000001.sqlite").write_bytes(b"half")
    (tmp_path / "passages-000001.sqlite-journal").write_bytes(b"half")
    (tmp_path / "manifest.json.new").write_bytes(b"half")
    with FaissStore.from_texts(["x"], EMBEDDING) as store:
        store.save(tmp_path)
    assert names(tmp_path) == {"manifest.json", "vectors-000001.faiss", "passages-000001.sqlite"}
    FaissStore.open(tmp_path, EMBEDDING).close()


def test_a_failed_save_leaves_no_half_written_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(folder)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with FaissStore.open(folder, EMBEDDING) as store:
        store.add_texts(["lynx"])
        with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
            patch.setattr(os, "fsync", full)
            store.save()
        assert contents(folder) == before
        store.save()
    with FaissStore.open(folder, EMBEDDING) as store:
        assert len(store) == 4


# Damage


def flip(path: Path, position: int = -1) -> None:
    content = bytearray(path.read_bytes())
    content[position if position >= 0 else len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def extend(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def edit(**fields: Any) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | fields), encoding="utf-8")

    return apply


@pytest.mark.parametrize("name", ["manifest.json", "vectors-000001.faiss", "passages-000001.sqlite"])
@pytest.mark.parametrize("damage", [Path.unlink, flip, truncate, extend, empty])
def test_says_what_is_damaged(folder: Path, name: str, damage: Callable[[Path], None]) -> None:
    damage(folder / name)
    with pytest.raises(StoreError) as caught:
        FaissStore.open(folder, EMBEDDING)
    assert str(folder) in str(caught.value)
    assert name in str(caught.value)
    assert caught.value.path == str(folder)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_text("{"), "is not JSON"),
        (lambda path: path.write_bytes(b"\xff\xfe\xfd"), "is not UTF-8"),
        (lambda path: path.write_text("[]"), "format"),
        (edit(schema_version=3), "schema_version 3.*upgrade"),
        (edit(schema_version=1), "schema_version 1.*remove this one first"),
        (edit(schema_version=None), "schema_version None"),
        (edit(count=4), "checksum"),
        (edit(metric="l2"), "checksum"),
        (edit(format="other"), "format"),
    ],
)
def test_says_what_is_wrong_with_the_manifest(folder: Path, damage: Callable[[Path], None], message: str) -> None:
    damage(folder / "manifest.json")
    with pytest.raises(StoreError, match=message):
        FaissStore.open(folder, EMBEDDING)


def restate(folder: Path, **fields: Any) -> None:
    """Write a manifest that is consistent in itself, but wrong."""
    body = json.loads((folder / "manifest.json").read_text(encoding="utf-8")) | fields
    kept = Manifest._from_body(body, folder)
    (folder / "manifest.json").write_text(kept.to_json(), encoding="utf-8")


def describe(path: Path) -> dict[str, Any]:
    from automix_graph.retrieval.manifest import sha256_of

    return {"name": path.name, "size": path.stat().st_size, "sha256": sha256_of(path)}


def test_counts_must_agree(folder: Path) -> None:
    restate(folder, count=4)
    with pytest.raises(StoreError, match="3 vectors of dimension 64, but its manifest states 4"):
        FaissStore.open(folder, EMBEDDING)


def test_files_of_two_stores_do_not_mix(folder: Path, tmp_path: Path) -> None:
    with FaissStore.from_texts(["x"], EMBEDDING) as store:
        store.save(tmp_path / "other")
    vectors = folder / "vectors-000001.faiss"
    shutil.copy(tmp_path / "other" / vectors.name, vectors)
    restate(folder, vectors=describe(vectors))
    with pytest.raises(StoreError, match="1 vectors of dimension 64, but its manifest states 3"):
        FaissStore.open(folder, EMBEDDING)


@pytest.mark.parametrize("name", ["vectors", "passages"])
def test_without_verification_garbage_is_still_no_store(folder: Path, name: str) -> None:
    path = next(folder.glob(f"{name}-*"))
    path.write_bytes(b"\x17" * path.stat().st_size)
    with pytest.raises(StoreError, match="no readable"):
        FaissStore.open(folder, EMBEDDING, verify=False)


def test_another_kind_of_index_is_refused(folder: Path) -> None:
    restate(folder, metric="l2")
    with pytest.raises(StoreError, match="another kind of FAISS index"):
        FaissStore.open(folder, EMBEDDING)


def test_another_sqlite_file_is_refused(folder: Path) -> None:
    path = folder / "passages-000001.sqlite"
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE cats (name)")
    connection.close()
    restate(folder, passages=describe(path))
    with pytest.raises(StoreError, match="no readable SQLite"):
        FaissStore.open(folder, EMBEDDING)


def test_no_folder_and_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no folder"):
        FaissStore.open(tmp_path / "nothing", EMBEDDING)
    with pytest.raises(StoreError, match="is no store"):
        FaissStore.open(tmp_path, EMBEDDING)


# The embedding model


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


# Damage that opening a large store does not look for


def replace(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert content.count(old) == 1
    path.write_bytes(content.replace(old, new))


@pytest.mark.parametrize("search_type", ["hybrid", "similarity", "bm25", "mmr"])
def test_a_damaged_passage_is_never_returned(folder: Path, search_type: str) -> None:
    replace(folder / "passages-000001.sqlite", b"aotter", b"aOtter")  # its id and its text
    with FaissStore.open(folder, EMBEDDING, verify=False) as store:
        with pytest.raises(StoreError, match=r"passage 'a' \(number 1\) or its vector is damaged"):
            store.search("otter", search_type, k=1)
        with pytest.raises(StoreError, match="damaged"):
            store.get_by_ids(["a"])
        assert store.get_by_ids(["b"])
    with pytest.raises(StoreError, match=r"passages-000001\.sqlite.*SHA-256"):
        check_store(folder)


@pytest.mark.parametrize("search_type", ["hybrid", "similarity", "bm25", "mmr"])
def test_a_damaged_vector_is_never_used(folder: Path, search_type: str) -> None:
    flip(folder / "vectors-000001.faiss", 82)  # in the first vector, after the head of 81 bytes
    with FaissStore.open(folder, EMBEDDING, verify=False) as store, pytest.raises(StoreError, match=r"'a'.*is damaged"):
        store.search("otter", search_type, k=3)
    with pytest.raises(StoreError, match=r"vectors-000001\.faiss.*SHA-256"):
        check_store(folder)


def test_numbers_of_vectors_must_ascend(folder: Path) -> None:
    path = folder / "vectors-000001.faiss"
    flip(path, path.stat().st_size - 8)  # the last number
    with pytest.raises(StoreError, match="numbered 1 to 252, but passages numbered 1 to 3"):
        FaissStore.open(folder, EMBEDDING, verify=False)
    flip(path, path.stat().st_size - 16)
    flip(path, path.stat().st_size - 8)
    with pytest.raises(StoreError, match="do not ascend"):
        FaissStore.open(folder, EMBEDDING, verify=False)


@pytest.mark.parametrize("kind", ["hnsw", "ivf", "ivf_sq8"])
def test_a_damaged_index_gives_an_error_or_right_passages(tmp_path: Path, kind: Any) -> None:
    texts = [f"word{n % 17} word{n % 23} word{n % 31}" for n in range(400)]
    with FaissStore.from_texts(texts, EMBEDDING, ids=[str(n) for n in range(400)], index_type=kind) as store:
        store.save(tmp_path)
    path = tmp_path / "index-000001.faiss"
    sound, errors = path.read_bytes(), 0
    for position in np.random.default_rng(0).integers(0, len(sound), size=40):
        path.write_bytes(sound)
        flip(path, int(position))
        try:
            with FaissStore.open(tmp_path, EMBEDDING, verify=False) as store:
                for text in texts[:20]:
                    for document, score in store.similarity_search_with_score(text, k=5):
                        assert document.page_content == texts[int(document.id or -1)]
                        right = np.dot(EMBEDDING.embed_query(text), EMBEDDING.embed_query(document.page_content))
                        assert score == pytest.approx(right, abs=1e-5)
        except StoreError:
            errors += 1
        with pytest.raises(StoreError):
            check_store(tmp_path)
    assert errors < 40


def test_a_small_store_is_read_whole_at_every_opening(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flip(folder / "vectors-000001.faiss", 82)
    with pytest.raises(StoreError, match="SHA-256"):
        FaissStore.open(folder, EMBEDDING)
    monkeypatch.setattr("automix_graph.retrieval.opening.VERIFY_UP_TO", 10)
    FaissStore.open(folder, EMBEDDING).close()


def test_checking_needs_no_model(folder: Path) -> None:
    assert check_store(folder).count == 3
