"""The options of ``automix index`` that speak of the index itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from automix_graph.cli.index import index
from automix_graph.retrieval import IndexPlan
from automix_graph.retrieval.manifest import Manifest
from automix_graph.testing.embeddings import HashEmbeddings


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr("automix_graph.models.load_embeddings", lambda spec: HashEmbeddings())
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"text": f"word {n}"}) + "\n" for n in range(30)), encoding="utf-8")
    yield path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(index, [str(argument) for argument in arguments])


def test_takes_the_type_and_keeps_it(rows: Path, tmp_path: Path) -> None:
    out = tmp_path / "index"
    for options, plan in (
        (["--index-type", "hnsw"], IndexPlan(index_type="hnsw")),
        ([], IndexPlan(index_type="hnsw")),
        (["--recall-target", "0.5", "--embed-workers", "1"], IndexPlan(index_type="hnsw", recall_target=0.5)),
        (["--index-type", "flat"], IndexPlan(index_type="flat", recall_target=0.5)),
    ):
        assert run(rows, "--out", out, *options).exit_code == 0
        assert Manifest.read(out).plan == plan
    assert Manifest.read(out).index is None


def test_the_status_tells_of_files_that_cannot_be_read(rows: Path, tmp_path: Path) -> None:
    out = tmp_path / "index"
    assert run(rows, "--out", out).exit_code == run(rows, "--out", out).exit_code == 0
    (tmp_path / "no.bin").write_bytes(b"\x00")
    mixed = run(rows, tmp_path / "no.bin", "--out", out)
    assert (mixed.exit_code, "could not be read: " in mixed.output) == (1, True)
    assert Manifest.read(out).count == 30
    assert run(tmp_path / "no.bin", "--out", tmp_path / "other", "--json").exit_code == 1


def test_says_that_there_is_nothing_to_index(rows: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    nothing = run(tmp_path / "empty", "--out", tmp_path / "index")
    assert "Nothing was found to index." in nothing.output
    assert "ask it" not in nothing.output
    assert "ask it: automix ask 'YOUR QUESTION' --index" in run(rows, "--out", tmp_path / "index").output


def test_checks_an_index(rows: Path, tmp_path: Path) -> None:
    out = tmp_path / "index"
    run(rows, "--out", out, "--index-type", "ivf_sq8")
    assert "is whole: 30 passages, index type ivf_sq8" in run("--check", "--out", out).output
    assert json.loads(run("--check", "--out", out, "--json").output) == {
        "index": str(out),
        "passages": 30,
        "index_type": "ivf_sq8",
        "recall_at_10": Manifest.read(out).index.tuned.recall,  # type: ignore[union-attr]
        "ok": True,
    }
    (out / "index-000001.faiss").write_bytes(b"x" * (out / "index-000001.faiss").stat().st_size)
    damaged = run("--check", "--out", out)
    assert damaged.exit_code != 0
    assert "SHA-256" in str(damaged.exception)


def test_needs_paths_or_check(tmp_path: Path) -> None:
    missing = run("--out", tmp_path)
    assert missing.exit_code == 2
    assert "Missing argument 'PATHS...'" in missing.output
