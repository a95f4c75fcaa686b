"""Links in folders that are indexed lead to what was named, and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from docs_to_ingest import ALL, ids

from automix_graph.retrieval import FaissStore, IngestReport, ingest

OUTSIDE = "is a link to a place outside of what was named to index"


@pytest.fixture
def private(docs: Path) -> Path:
    """A folder beside the documents, with links from them to it and to a file in it."""
    folder = Path("private")
    folder.mkdir()
    (folder / "secret.txt").write_text("a secret", encoding="utf-8")
    (docs / "linked").symlink_to("../private")
    (docs / "sub" / "linked.txt").symlink_to(Path("private/secret.txt").absolute())
    return folder


def ignored(report: IngestReport) -> set[tuple[str, str]]:
    return {(problem.path, problem.reason) for problem in report.ignored}


@pytest.mark.usefixtures("private")
def test_links_out_of_the_folder_are_skipped(store: FaissStore, docs: Path) -> None:
    report = ingest([docs], store)
    assert ids(store) == ALL
    assert ignored(report) == {("docs/linked", OUTSIDE), ("docs/sub/linked.txt", OUTSIDE)}
    assert report.unreadable == ()


@pytest.mark.usefixtures("private")
def test_links_inside_are_followed(store: FaissStore, docs: Path) -> None:
    (docs / "sub" / "up.txt").symlink_to("../owl.txt")
    (docs / "a").symlink_to("sub")
    (docs / "owl.txt").rename(docs / "owl.bak")
    (docs / "sub" / "up.txt").unlink()
    (docs / "sub" / "up.txt").symlink_to("../owl.bak")
    report = ingest([docs], store)
    assert report.read == ("docs/otter.md", "docs/a/rows.jsonl", "docs/a/up.txt")
    assert ("docs/sub", "was walked already") in ignored(report)


def test_links_between_what_was_named_are_followed(store: FaissStore, docs: Path, private: Path) -> None:
    assert ingest([docs / "sub", private / "secret.txt"], store).read == ("docs/sub/linked.txt", "docs/sub/rows.jsonl")
    assert ingest([private, docs / "linked"], store).read == ("private/secret.txt",)


def test_a_link_that_was_named_itself_is_followed(store: FaissStore, docs: Path, private: Path) -> None:
    assert ingest([docs / "linked"], store).read == ("docs/linked/secret.txt",)
    assert ingest([docs / "sub" / "linked.txt"], store).read == ("docs/sub/linked.txt",)


def test_a_folder_whose_name_begins_alike_is_outside(store: FaissStore, docs: Path) -> None:
    Path("docs-private").mkdir()
    Path("docs-private/secret.txt").write_text("a secret", encoding="utf-8")
    (docs / "linked").symlink_to("../docs-private")
    assert ignored(ingest([docs], store)) == {("docs/linked", OUTSIDE)}


def test_what_was_indexed_through_such_a_link_is_removed(store: FaissStore, docs: Path) -> None:
    (docs / "kept").mkdir()
    (docs / "kept" / "x.txt").write_text("a secret", encoding="utf-8")
    ingest([docs], store)
    os.rename(docs / "kept", "moved")
    (docs / "kept").symlink_to("../moved")
    assert ingest([docs], store).removed == ("docs/kept/x.txt",)
    assert ids(store) == ALL
