"""Files that are read into a store: what is read, kept, removed, passed over and reported."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from docs_to_ingest import ALL, ids, write_rows
from scripted_embeddings import Counting

from automix_graph.retrieval import FaissStore, IngestReport, Progress, ingest
from automix_graph.testing.embeddings import HashEmbeddings


def test_reads_a_folder(store: FaissStore, docs: Path) -> None:
    report = ingest([docs], store)
    assert report == IngestReport(
        read=("docs/otter.md", "docs/owl.txt", "docs/sub/rows.jsonl"), passages_added=4, passages_removed=0
    )
    assert ids(store) == ALL
    found = {str(document.id): document.metadata for document in store.get_by_ids(sorted(ALL))}
    assert found["docs/otter.md#part=0"] == {"source": "docs/otter.md", "start_index": 0, "heading": "Otters"}
    assert found["docs/sub/rows.jsonl#line=1,part=0"] == {
        "id": "r1",
        "line": 1,
        "source": "docs/sub/rows.jsonl",
        "row_source": "https://example.org",
        "start_index": 0,
    }


def test_a_second_run_reads_only_what_changed(docs: Path) -> None:
    embedding = Counting()
    with FaissStore(embedding) as store:
        ingest([docs], store)
        assert embedding.texts == 4
        assert ingest([docs], store) == IngestReport(unchanged=("docs/otter.md", "docs/owl.txt", "docs/sub/rows.jsonl"))
        assert embedding.texts == 4
        (docs / "owl.txt").write_text("Owls fly silently.", encoding="utf-8")
        report = ingest([docs], store)
        assert (report.read, report.passages_added, report.passages_removed) == (("docs/owl.txt",), 1, 1)
        assert embedding.texts == 5
        assert ids(store) == ALL
        assert store.search("night", "bm25") == []
        assert [document.id for document in store.search("silently", "bm25")] == ["docs/owl.txt#part=0"]


def test_a_shorter_file_leaves_no_old_passages(store: FaissStore, docs: Path) -> None:
    (docs / "owl.txt").write_text("Owls. " * 100, encoding="utf-8")
    ingest([docs], store, chunk_size=50, chunk_overlap=0)
    many = len(ids(store))
    (docs / "owl.txt").write_text("Owls.", encoding="utf-8")
    report = ingest([docs], store, chunk_size=50, chunk_overlap=0)
    assert ids(store) == ALL
    assert report.passages_removed == many - 3


def test_other_settings_read_again(store: FaissStore, docs: Path) -> None:
    ingest([docs], store)
    report = ingest([docs], store, chunk_size=10, chunk_overlap=0)
    assert len(report.read) == 3
    assert all(len(document.page_content) <= 20 for document in store.similarity_search("x", k=99))


def test_files_that_are_gone_lose_their_passages(store: FaissStore, docs: Path) -> None:
    ingest([docs], store)
    store.add_texts(["by hand"], [{"source": "docs/hand.txt"}], ids=["hand"])
    (docs / "owl.txt").unlink()
    shutil.rmtree(docs / "sub")
    report = ingest([docs], store)
    assert report.removed == ("docs/owl.txt", "docs/sub/rows.jsonl")
    assert report.passages_removed == 3
    assert ids(store) == {"docs/otter.md#part=0", "hand"}


def test_files_outside_of_the_folder_stay(store: FaissStore, docs: Path) -> None:
    ingest([docs], store)
    assert ingest([docs / "sub"], store).removed == ()
    assert ingest([docs / "otter.md"], store).removed == ()
    other = Path("docs2")
    other.mkdir()
    assert ingest([other], store).removed == ()
    assert ids(store) == ALL


def test_a_folder_that_cannot_be_listed_loses_nothing(
    store: FaissStore, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest([docs], store)
    scandir = os.scandir

    def forbidden(path: Any) -> Any:
        if str(path).endswith("sub"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", forbidden)
    report = ingest([docs], store)
    assert report.removed == ()
    assert [(problem.path, problem.reason) for problem in report.unreadable] == [("docs/sub", "Permission denied")]
    assert ids(store) == ALL


def test_goes_on_after_files_that_cannot_be_read(store: FaissStore, docs: Path) -> None:
    (docs / "bad.pdf").write_bytes(b"no pdf")
    (docs / "binary.txt").write_bytes(bytes(range(256)))
    with (docs / "sub" / "rows.jsonl").open("a", encoding="utf-8") as file:
        file.write('{broken\n{"text": "ok", "id": "r4"}\n{"text": "x\\ud800"}\n')
    report = ingest([docs, Path("missing"), Path(__file__).parent / "data" / "community" / "index.pkl"], store)
    assert ids(store) == ALL | {"docs/sub/rows.jsonl#line=4,part=0"}
    reasons = {problem.path: problem.reason for problem in report.unreadable}
    assert reasons["missing"] == "does not exist"
    assert "unknown suffix '.pkl'" in next(reason for path, reason in reasons.items() if path.endswith("index.pkl"))
    assert reasons["docs/bad.pdf"].startswith("cannot be parsed")
    assert "convert it" in reasons["docs/binary.txt"]
    lines = [problem.reason for problem in report.unreadable if problem.path.endswith("rows.jsonl")]
    assert lines[0].startswith("line 3 is not JSON")
    assert "surrogate" in lines[1]


def test_a_file_of_bad_lines_gives_a_short_list(store: FaissStore, docs: Path) -> None:
    (docs / "sub" / "rows.jsonl").write_text("{\n" * 1_000, encoding="utf-8")
    problems = ingest([docs / "sub"], store).unreadable
    assert len(problems) == 21
    assert problems[-1].reason == "has 980 more parts that cannot be read"


def test_what_could_not_be_read_is_named_by_every_run(store: FaissStore, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"text": "good"}\n{broken\n{"text": "good too"}\n', encoding="utf-8")
    first, second = (ingest([path], store) for _ in range(2))
    assert first.unreadable == second.unreadable
    assert len(first.unreadable) == 1
    assert (first.passages_added, second.passages_added) == (2, 0)
    assert (first.read, second.read) == ((path.as_posix(),), ())
    assert second.unchanged == (path.as_posix(),)
    assert not second.changed


def test_a_file_that_became_unreadable_keeps_its_passages(store: FaissStore, docs: Path) -> None:
    ingest([docs], store)
    (docs / "owl.txt").write_bytes(bytes(range(256)))
    report = ingest([docs], store)
    assert [problem.path for problem in report.unreadable] == ["docs/owl.txt"]
    assert ids(store) == ALL
    assert [problem.path for problem in ingest([docs], store).unreadable] == ["docs/owl.txt"]


def test_a_reader_that_is_not_installed_stops_one_file_only(store: FaissStore, docs: Path) -> None:
    (docs / "a.pdf").write_bytes(b"%PDF-1.4")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "pypdf", None)
        report = ingest([docs], store)
    assert report.passages_added == 4
    assert ["automix-graph[documents]" in problem.reason for problem in report.unreadable] == [True]


def test_what_is_passed_over_is_listed(store: FaissStore, docs: Path, tmp_path: Path) -> None:
    (docs / ".git").mkdir()
    (docs / ".git" / "x.txt").write_text("hidden")
    (docs / ".hidden.txt").write_text("hidden")
    (docs / "picture.png").write_bytes(b"png")
    (docs / "sub" / "loop").symlink_to(docs.absolute())
    (docs / "twin.txt").symlink_to((docs / "owl.txt").absolute())
    (docs / "broken.txt").symlink_to("nowhere")
    (docs / "circle.txt").symlink_to("circle.txt")
    os.mkfifo(docs / "pipe.txt")
    with FaissStore.from_texts(["x"], HashEmbeddings()) as other:
        other.save(docs / "index")
    report = ingest([docs, docs], store)
    assert ids(store) == ALL
    assert {(problem.path, problem.reason) for problem in report.ignored} == {
        ("docs/.git", "is hidden"),
        ("docs/.hidden.txt", "is hidden"),
        ("docs/picture.png", "has the unknown suffix '.png'"),
        ("docs/sub/loop", "was walked already"),
        ("docs", "was walked already"),
        ("docs/twin.txt", "was found already under another name"),
        ("docs/index", "is a store"),
    }
    assert {(problem.path, problem.reason) for problem in report.unreadable} == {
        ("docs/broken.txt", "is a link to nothing"),
        ("docs/circle.txt", "is a link to nothing"),
        ("docs/pipe.txt", "is no regular file"),
    }


def test_a_long_row_gives_passages_that_know_their_start(store: FaissStore, tmp_path: Path) -> None:
    text = " ".join(f"word{n}" for n in range(100))
    (tmp_path / "x.jsonl").write_text(json.dumps({"id": "r", "text": text}), encoding="utf-8")
    ingest([tmp_path / "x.jsonl"], store, chunk_size=100, chunk_overlap=20)
    found = store.similarity_search("x", k=99)
    assert len(found) > 5
    for document in found:
        start = document.metadata["start_index"]
        assert text[start : start + len(document.page_content)] == document.page_content
        assert document.metadata["id"] == "r"


def test_progress_reaches_the_end(store: FaissStore, docs: Path) -> None:
    rows = "\n".join(json.dumps({"text": f"row number {n} " * 5}) for n in range(300))
    (docs / "many.jsonl").write_text(rows, encoding="utf-8")
    seen: list[Progress] = []
    ingest([docs], store, progress=seen.append)
    assert [state.bytes_done for state in seen] == sorted(state.bytes_done for state in seen)
    assert len({state.bytes_done for state in seen if state.source == "docs/many.jsonl"}) >= 4
    assert (seen[-1].files_done, seen[-1].bytes_done) == (seen[-1].files_total, seen[-1].bytes_total)


def test_a_large_file_is_stored_in_batches(store: FaissStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_rows(tmp_path / "x.jsonl", 1_000)
    largest = 0
    apply = store.collection.apply

    def watch(change: Any, vectors: Any) -> Any:
        nonlocal largest
        largest = max(largest, len(change.put))
        return apply(change, vectors)

    monkeypatch.setattr(store.collection, "apply", watch)
    ingest([tmp_path], store)
    assert len(store) == 1_000
    assert 0 < largest <= 64
