"""The Ray job without a cluster: its graph, its arguments, and the command of its page."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from loaded import EXAMPLES, program

from automix_graph.engines import LocalEngine, RayEngine
from automix_graph.models import named
from automix_graph.retrieval import FaissStore
from automix_graph.testing import FunctionChatModel, HashEmbeddings


def model_of(spec: Any, **settings: Any) -> Any:
    said = {"test:small": "In 1769.", "test:large": "Correct"}
    return FunctionChatModel(lambda prompt: said[spec], label=spec) if isinstance(spec, str) else spec


def test_the_job_answers_what_its_arguments_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with FaissStore.from_texts(["It was patented in 1769."], HashEmbeddings(name="words")) as store:
        store.save(tmp_path / "index")
    (tmp_path / "in.jsonl").write_text('{"id": 7, "question": "When was it patented?"}\n', encoding="utf-8")
    monkeypatch.setattr(named, "resolve_chat_model", model_of)
    monkeypatch.chdir(tmp_path)
    engines: list[int | None] = []

    def here(*, actors: int | None) -> LocalEngine:
        engines.append(actors)
        return LocalEngine()

    with program("ray/job.py") as job:
        monkeypatch.setattr(job, "RayEngine", here)
        monkeypatch.setattr(job, "load_embeddings", lambda name: HashEmbeddings(name=name))
        models = ["--embedding", "words", "--small", "test:small", "--large", "test:large"]
        job.main(["in.jsonl", "out.jsonl", "index", *models, "--actors", "3"])
    assert engines == [3]
    assert capsys.readouterr().out == "1 of 1 rows answered, 0 failed, 0 left\n"
    row = json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8"))
    assert (row["id"], row["answer"], row["route"]) == (7, "In 1769.", "small")


def test_the_page_submits_the_program_with_arguments_that_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (EXAMPLES / "ray" / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"-- python (job\.py .*)", page)
    name, *arguments = shlex.split(command)
    told: dict[str, Any] = {}

    def run_batch(questions: Path, answers: Path, make: Any, **more: Any) -> Any:
        told.update(more, questions=questions, index=make.args[0])
        raise KeyboardInterrupt

    with program(f"ray/{name}") as job, pytest.raises(KeyboardInterrupt):
        monkeypatch.setattr(job, "run_batch", run_batch)
        job.main(arguments)
    assert (told["questions"], told["index"]) == (Path("/shared/questions.jsonl"), "/shared/index")
    assert told["engine"] == RayEngine(actors=8)
