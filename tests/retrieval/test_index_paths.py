"""An index that is made of files, brought up to date, or interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs_to_ingest import ALL, ids, write_rows
from scripted_embeddings import Counting

from automix_graph.errors import StoreError
from automix_graph.retrieval import FaissStore, Progress, index_paths, indexing
from automix_graph.testing.embeddings import HashEmbeddings


def test_indexes_opens_and_updates(docs: Path) -> None:
    report = index_paths([docs], "out", HashEmbeddings())
    assert report.passages_added == 4
    manifest = Path("out/manifest.json").read_bytes()
    assert index_paths([docs], "out", HashEmbeddings()).unchanged == report.read
    assert Path("out/manifest.json").read_bytes() == manifest, "nothing changed, so nothing is published"
    (docs / "owl.txt").unlink()
    assert index_paths([docs], "out", HashEmbeddings()).removed == (f"{Path.cwd().as_posix()}/docs/owl.txt",)
    with FaissStore.open("out", HashEmbeddings()) as store:
        assert ids(store) == {f"{Path.cwd().as_posix()}/{id_}" for id_ in ALL - {"docs/owl.txt#part=0"}}


@pytest.mark.parametrize("n", [1_000])
def test_an_interrupted_run_goes_on_inside_the_file(docs: Path, n: int) -> None:
    write_rows(docs / "sub" / "rows.jsonl", n)
    with pytest.raises(KeyboardInterrupt):
        index_paths([docs], "out", Counting(stop_after=500))
    with FaissStore.open("out", HashEmbeddings()) as store:
        kept = len(store)
        assert 400 < kept < 500
        assert store.search("otters", "bm25")
    embedding = Counting()
    report = index_paths([docs], "out", embedding)
    assert report.passages_added == n + 2 - kept
    assert report.passages_removed == 0
    assert embedding.texts == n + 2 - kept + 1  # and the probe
    with FaissStore.open("out", HashEmbeddings()) as store:
        assert len(store) == n + 2
        rows = {
            document.metadata["id"] for document in store.similarity_search("row", k=9_999, filter={"line": {"$gt": 0}})
        }
        assert rows == set(range(n))
    assert index_paths([docs], "out", HashEmbeddings()).read == ()


def test_a_changed_file_after_an_interrupt_is_read_anew(docs: Path) -> None:
    path = docs / "sub" / "rows.jsonl"
    write_rows(path, 300)
    with pytest.raises(KeyboardInterrupt):
        index_paths([path], "out", Counting(stop_after=200))
    write_rows(path, 10)
    index_paths([path], "out", HashEmbeddings())
    with FaissStore.open("out", HashEmbeddings()) as store:
        assert len(store) == 10


def test_an_interrupt_before_anything_is_stored_publishes_nothing(docs: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        index_paths([docs], "out", Counting(stop_after=0))
    assert not any(Path("out").iterdir())


def test_a_long_run_is_published_now_and_then(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "CHECKPOINT_SECONDS", 0.0)
    write_rows(docs / "sub" / "rows.jsonl", 300)
    sizes: list[int] = []

    def look(state: Progress) -> None:
        if Path("out/manifest.json").exists():
            with FaissStore.open("out", HashEmbeddings()) as store:
                sizes.append(len(store))

    index_paths([docs], "out", HashEmbeddings(), progress=look)
    assert sizes[0] < 300
    assert sizes == sorted(sizes)


def test_two_first_runs_into_one_folder_do_not_undo_each_other(docs: Path) -> None:
    def overtake(state: Progress) -> None:
        if not Path("out/manifest.json").exists():
            index_paths([docs / "owl.txt"], "out", HashEmbeddings())

    with pytest.raises(StoreError, match="is at generation 1, but was not there") as caught:
        index_paths([docs / "otter.md"], "out", HashEmbeddings(), progress=overtake)
    assert caught.value.code == "store-busy"
    with FaissStore.open("out", HashEmbeddings()) as store:
        assert ids(store) == {f"{Path.cwd().as_posix()}/docs/owl.txt#part=0"}
    assert index_paths([docs / "otter.md"], "out", HashEmbeddings()).passages_added == 1


def test_an_interrupted_first_run_does_not_undo_another(docs: Path) -> None:
    def overtake(state: Progress) -> None:
        if state.passages_added:
            index_paths([docs / "owl.txt"], "out", HashEmbeddings())
            raise KeyboardInterrupt

    with pytest.raises(StoreError, match="was not there"):
        index_paths([docs / "otter.md"], "out", HashEmbeddings(), progress=overtake)
    with FaissStore.open("out", HashEmbeddings()) as store:
        assert ids(store) == {f"{Path.cwd().as_posix()}/docs/owl.txt#part=0"}


def test_refuses_before_any_work(docs: Path) -> None:
    embedding = Counting(stop_after=0)
    with pytest.raises(StoreError, match="is no store"):
        index_paths([docs], docs, embedding)
    index_paths([docs / "owl.txt"], "out", HashEmbeddings())
    with pytest.raises(StoreError, match="'other'"):
        index_paths([docs], "out", HashEmbeddings(name="other"))


def test_a_folder_that_cannot_be_made_is_refused_before_any_work(docs: Path) -> None:
    with pytest.raises(StoreError, match="cannot be made"):
        index_paths([docs], docs / "owl.txt" / "out", Counting(stop_after=0))


def test_a_file_is_one_source_from_wherever_it_is_indexed(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = index_paths([docs], "out", HashEmbeddings())
    out = Path("out").absolute()
    monkeypatch.chdir(docs)
    second = index_paths([Path("../docs")], out, HashEmbeddings())
    assert set(second.unchanged) == set(first.read)
    assert second.passages_added == second.passages_removed == 0


def test_the_same_name_elsewhere_is_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder / "docs").mkdir(parents=True)
        (tmp_path / folder / "docs" / f"{folder}.txt").write_text(f"text of {folder}", encoding="utf-8")
        monkeypatch.chdir(tmp_path / folder)
        report = index_paths(["docs"], tmp_path / "out", HashEmbeddings())
    assert report.removed == ()
    with FaissStore.open(tmp_path / "out", HashEmbeddings()) as store:
        assert len(store) == 2
