"""Damaged files of a store are named, and nothing damaged is ever returned."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from saved_store import EMBEDDING

from automix_graph.errors import StoreError
from automix_graph.retrieval import FaissStore, check_store
from automix_graph.retrieval.manifest import Manifest


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
