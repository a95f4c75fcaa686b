"""Batches, records and indexes on a Ray cluster of two nodes on this machine, beside the same ones in this process."""

import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray", reason="needs the ray extra: pip install 'automix-graph[ray]'")

from click.testing import CliRunner
from clusters import HERE, two_nodes
from endpoint import EMBEDDING, NAMES, PRICES, models
from ray_parts import Parts, actors_of, asked

from automix_graph.batch import BatchOptions, run_batch
from automix_graph.cli.main import automix
from automix_graph.engines import EngineError, RayEngine
from automix_graph.errors import ConfigurationError
from automix_graph.recording import record_dataset
from automix_graph.retrieval import FaissStore, index_paths
from automix_graph.testing import HashEmbeddings

pytestmark = [
    pytest.mark.integration,
    # Ray leaves log files and pipes of the processes that it starts to the garbage collector, at any moment afterwards.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
ENGINE = RayEngine(actors=2)
RAY = ("--engine", "ray", "--ray-actors")


@pytest.fixture(scope="module")
def requests() -> Iterator[list[tuple[str, int]]]:
    """One cluster for all tests of this file: it takes seconds to start. Its models note what they are asked."""
    with models() as (environment, made), two_nodes(**environment), pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(HERE / "doubles")
        yield made
        patch.delitem(sys.modules, "langchain_ollama", raising=False)


@pytest.fixture(autouse=True)
def cluster(requests: list[tuple[str, int]]) -> None:
    requests.clear()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    rows = [{"id": n, "question": f"When was event {n}?", "answers": [f"large {n}"]} for n in range(40)]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows) + "{\n", encoding="utf-8")
    return path


@pytest.fixture
def index(data: Path) -> Path:
    path = data.with_name("index")
    with FaissStore.from_texts(["Events happen."], HashEmbeddings(name="words")) as store:
        store.save(path)
    return path


def run(*arguments: str | Path) -> Any:
    """Run a command that prints JSON, and return what it printed but for times and names."""
    result = CliRunner().invoke(automix, [*map(str, arguments), "--json"])
    assert result.exit_code in {0, 1}, result.output  # 1: a row of the data cannot be used
    printed = json.loads(result.stdout)
    return {name: value for name, value in printed.items() if name not in {"seconds", "out", "journal", "rejects"}}


def test_batches_of_the_command_line_are_those_of_the_default_engine_byte_for_byte(
    data: Path, index: Path, requests: list[tuple[str, int]]
) -> None:
    here, there = data.with_name("here.jsonl"), data.with_name("there.jsonl")
    options: tuple[str | Path, ...] = ("--index", index, *NAMES, *PRICES, *EMBEDDING)
    expected = run("batch", data, here, *options)
    asked_here = sorted(requests)
    requests.clear()
    found = run("batch", data, there, *options, *RAY, "2")
    for name in [name for name in expected if name.startswith(("cost", "charged"))]:  # sums of floats, in another order
        assert found.pop(name) == pytest.approx(expected.pop(name))
    assert found == expected
    assert sorted(requests) == asked_here
    assert len(asked_here) == 40 * 2 + 14
    assert there.read_bytes() == here.read_bytes()
    assert _lines(Path(f"{there}.journal")) == _lines(Path(f"{here}.journal"))
    assert run("batch", data, there, *options, *RAY, "2")["asked"] == 0


def test_records_of_the_command_line_are_those_of_the_default_engine(
    data: Path, index: Path, requests: list[tuple[str, int]]
) -> None:
    here, there = data.with_name("here.jsonl"), data.with_name("there.jsonl")
    data.write_bytes(b"".join(data.read_bytes().splitlines(keepends=True)[:-1]))
    options: tuple[str | Path, ...] = ("--index", index, *NAMES, *PRICES, *EMBEDDING, "--score", "exact-match")
    expected = run("record", data, "--out", here, *options)
    requests.clear()
    assert run("record", data, "--out", there, *options, *RAY, "1") == expected
    assert len(requests) == 40 * 3
    assert _without_times(there) == _without_times(here)


def test_indexes_of_the_command_line_are_those_of_the_default_engine(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    expected = run("index", _files(tmp_path), "--out", here, *EMBEDDING)
    assert {**run("index", tmp_path / "files", "--out", there, *EMBEDDING, *RAY, "2"), "index": ""} == {
        **expected,
        "index": "",
    }
    assert expected["passages_added"] > 64
    assert _stored(there, "words") == _stored(here, "words")


def test_an_actor_that_dies_costs_no_row_that_was_done(tmp_path: Path, data: Path) -> None:
    expected, out, log = tmp_path / "expected.jsonl", tmp_path / "out.jsonl", tmp_path / "log"
    run_batch(data, expected, Parts().graph)
    seen: list[int] = []
    report = run_batch(
        data,
        out,
        Parts(log, deadly=13).graph,
        options=BatchOptions(concurrency=1),
        engine=RayEngine(actors=1),
        progress=lambda now: seen.append(now.done),
    )
    assert (tmp_path / "died").exists()
    assert (report.asked, report.answered, report.rejected) == (40, 40, 1)
    assert out.read_bytes() == expected.read_bytes()
    assert _lines(Path(f"{out}.journal")) == _lines(Path(f"{expected}.journal"))
    assert seen == list(range(41))
    assert asked(log) == {**dict.fromkeys(range(40), 1), 13: 2}


@pytest.mark.slow
def test_actors_that_die_again_and_again_end_the_job_and_the_next_run_goes_on(tmp_path: Path, data: Path) -> None:
    out, log = tmp_path / "out.jsonl", tmp_path / "log"
    deadly, options = Parts(log, deadly=13, once=False), BatchOptions(concurrency=1)
    with pytest.raises(EngineError, match="actors died 3 times before they had done any of 1 rows") as raised:
        run_batch(data, out, deadly.graph, options=options, engine=ENGINE)
    assert raised.value.code == "ray-cluster"
    assert all(asked(log)[number] == 1 for number in range(40) if number != 13)
    assert len(_lines(Path(f"{out}.journal"))) == 40
    assert run_batch(data, out, Parts(log).graph, engine=ENGINE).asked == 1


@pytest.mark.slow
def test_failures_in_a_row_end_the_job(tmp_path: Path, data: Path) -> None:
    down = BatchOptions(concurrency=2, stop_after_failures=5)
    report = run_batch(data, tmp_path / "out.jsonl", Parts(failing=True).graph, options=down, engine=ENGINE)
    assert report.stop == "failures"
    assert 5 <= report.failed == report.asked <= 5 + 2 * 2


@pytest.mark.slow
def test_the_ceiling_holds_over_all_actors_and_the_next_run_goes_on(tmp_path: Path, data: Path) -> None:
    out, log = tmp_path / "out.jsonl", tmp_path / "log"
    ceiling = 10 * 330e-6  # ten of the dearest: three calls, 110 tokens each
    dear = BatchOptions(max_cost=ceiling, concurrency=2)
    report = run_batch(data, out, Parts(log, pause=0.1).graph, options=dear, engine=ENGINE)
    assert (report.stop, report.failed) == ("budget", 0)
    assert 10 <= report.answered < 16
    assert ceiling - 330e-6 < report.spent.at_least <= ceiling * (1 + 1e-9)
    assert run_batch(data, out, Parts(log).graph, engine=ENGINE).answered == 40
    assert asked(log).total() == 40


@pytest.mark.slow
def test_both_nodes_have_actors(tmp_path: Path, data: Path) -> None:
    log = tmp_path / "log"
    run_batch(
        data, tmp_path / "out.jsonl", Parts(log, pause=0.5).graph, options=BatchOptions(concurrency=2), engine=ENGINE
    )
    assert len(actors_of(log)) == 2


@pytest.mark.parametrize(("engine", "room"), [(RayEngine(actors=3), 2), (RayEngine(cpus=2), 0), (RayEngine(gpus=1), 0)])
def test_actors_that_the_cluster_has_no_room_for_are_refused(
    tmp_path: Path, data: Path, engine: RayEngine, room: int
) -> None:
    with pytest.raises(ConfigurationError, match=f"the Ray cluster has room for {room}; ") as raised:
        run_batch(data, tmp_path / "out.jsonl", Parts().graph, engine=engine)
    assert raised.value.code == "ray-cluster"
    with (
        pytest.raises(ConfigurationError, match=f"room for {room}; "),
        engine.pool(lambda: len, threads=1),
    ):
        pass


def _no_index() -> Any:
    raise ConfigurationError("no index here")


class _Broken:
    async def ainvoke(self, question: Any, config: Any = None) -> Any:
        raise NameError("typo")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "error"), [(_no_index, ConfigurationError), (_Broken, NameError)], ids=["making", "asking"]
)
def test_errors_in_actors_are_those_of_the_default_engine(
    tmp_path: Path, data: Path, make: Any, error: type[Exception]
) -> None:
    from ray import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])  # type: ignore[no-untyped-call]  # of Ray
    with pytest.raises(error, match=r"no index here|typo"):
        run_batch(data, tmp_path / "out.jsonl", make, engine=RayEngine(actors=1))


def test_a_graph_that_is_made_already_is_refused(tmp_path: Path, data: Path) -> None:
    with pytest.raises(ConfigurationError, match="give a function without arguments that makes it"):
        run_batch(data, tmp_path / "out.jsonl", Parts().graph(), engine=ENGINE)


@pytest.mark.slow
def test_what_tasks_and_pools_raise_is_raised_here() -> None:
    def reading(item: int) -> Iterator[int]:
        yield 1 // item

    with pytest.raises(ZeroDivisionError):
        list(ENGINE.stream(reading, [1, 1, 0, 1]))
    with ENGINE.pool(lambda: partial(divmod, 1), threads=1) as pool:
        found = [pool.submit(item) for item in (1, 0)]
        assert found[0].result() == (1, 0)
        with pytest.raises(ZeroDivisionError):
            found[1].result()


@pytest.mark.slow
def test_records_are_those_of_the_default_engine(tmp_path: Path, data: Path) -> None:
    expected, out = tmp_path / "expected.jsonl", tmp_path / "records.jsonl"
    record_dataset(data, expected, Parts().tiers(), scorer="exact-match")
    report = record_dataset(data, out, Parts().tiers, scorer="exact-match", engine=ENGINE)
    assert (report.recorded, report.scores) == (40, {"small": 0.0, "large": 1.0})
    assert _without_times(out) == _without_times(expected)
    assert record_dataset(data, out, Parts().tiers, scorer="exact-match", engine=ENGINE).added == 0


@pytest.mark.slow
def test_indexes_follow_their_files_as_those_of_the_default_engine(tmp_path: Path) -> None:
    folder, here, there = _files(tmp_path), tmp_path / "here", tmp_path / "there"
    for engine, out, model in ((None, here, HashEmbeddings()), (ENGINE, there, HashEmbeddings)):
        index_paths([folder], out, model, engine=engine)
    (folder / "03.txt").write_text("Changed.", encoding="utf-8")
    (folder / "04.txt").unlink()
    expected = index_paths([folder], here, HashEmbeddings())
    assert index_paths([folder], there, HashEmbeddings, engine=ENGINE) == expected
    assert len(expected.read) == len(expected.removed) == 1
    assert _stored(there) == _stored(here)


def _files(folder: Path) -> Path:
    folder = folder / "files"
    folder.mkdir()
    for number in range(30):
        text = "\n\n".join(f"Paragraph {part} of file {number}. " * 9 for part in range(number))
        (folder / f"{number:02}.txt").write_text(text or "Short.", encoding="utf-8")
    (folder / "rows.jsonl").write_text('{"text": "Row one."}\nbroken\n', encoding="utf-8")
    return folder


def _lines(path: Path) -> list[bytes]:
    return sorted(path.read_bytes().splitlines())


def _without_times(path: Path) -> list[dict[str, Any]]:
    records = [_timeless(json.loads(line)) for line in path.read_bytes().splitlines()]
    return [records[0], *sorted(records[1:], key=lambda record: record["id"])]


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(one) for name, one in value.items() if name not in {"time", "seconds", "began"}}
    return [_timeless(one) for one in value] if isinstance(value, list) else value


def _stored(folder: Path, name: str = "hash-embeddings") -> tuple[list[tuple[str, str, dict[str, Any]]], str]:
    with FaissStore.open(folder, HashEmbeddings(name=name)) as store:
        found = store.get_by_ids(sorted(_ids(folder)))
        vectors: str = json.loads((folder / "manifest.json").read_text())["vectors"]["sha256"]
        return [(document.id or "", document.page_content, document.metadata) for document in found], vectors


def _ids(folder: Path) -> list[str]:
    import sqlite3

    (file,) = folder.glob("passages-*.sqlite")
    with sqlite3.connect(file) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM passages")]
