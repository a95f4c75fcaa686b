import asyncio
import atexit
import contextlib
import importlib
import inspect
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import automix_graph.models
import automix_graph.models.named
from automix_graph import Always, FaissStore, save_policy
from automix_graph.errors import ConfigurationError, StoreError
from automix_graph.evaluation import read_records
from automix_graph.langgraph_server import GraphSettings, factory, make_graph, open_graph
from automix_graph.records import is_redacted
from automix_graph.testing import FunctionChatModel, HashEmbeddings

ROOT = Path(__file__).parents[2]
QUESTION: Any = {"question": "When?"}
ANSWERS = {"test:small": "1769", "test:middle": "1775", "test:large": "1781", "test:judge": "Correct"}


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the models that were loaded, in order."""
    names: list[str] = []

    def resolve(model: Any, **_: Any) -> Any:
        if not isinstance(model, str):
            return model
        names.append(model)
        return FunctionChatModel(lambda _: ANSWERS[model], label=model)

    monkeypatch.setattr(automix_graph.models.named, "resolve_chat_model", resolve)
    monkeypatch.setattr(automix_graph.models, "load_embeddings", lambda _: HashEmbeddings(), raising=False)
    return names


@pytest.fixture
def index(tmp_path: Path) -> Path:
    with FaissStore.from_texts(["In 1769.", "In 1781."], HashEmbeddings()) as store:
        store.save(tmp_path / "index")
    return tmp_path / "index"


@pytest.fixture
def at_exit(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Callable[[], object]]]:
    """Give the test a process of its own, as far as the factory can tell, and return what is done when it ends."""
    done: list[Callable[[], object]] = []
    monkeypatch.setattr(factory, "_ONCE", factory._Once())
    monkeypatch.setattr(atexit, "register", done.append)
    yield done
    for close in done:
        close()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, index: Path) -> None:
    for name, value in {"SMALL": "test:small", "LARGE": "test:large", "VERIFIER": "test:judge"}.items():
        monkeypatch.setenv(f"AUTOMIX_{name}", value)
    monkeypatch.setenv("AUTOMIX_INDEX", str(index))


@pytest.mark.usefixtures("environment")
async def test_the_graph_is_made_once_and_its_index_stays_open(loaded: list[str], at_exit: list[Any]) -> None:
    first, second = await asyncio.gather(make_graph(), make_graph())
    assert first is second is await make_graph()
    assert loaded == ["test:small", "test:large", "test:judge"]
    for _ in range(2):
        result = await first.ainvoke(QUESTION)
        assert (result["answer"], result["route"], len(result["documents"])) == ("1769", "small", 2)
    (close,) = at_exit
    close()
    with pytest.raises(StoreError, match="closed"):
        await first.ainvoke(QUESTION)


@pytest.mark.usefixtures("environment")
async def test_after_a_failure_the_next_call_tries_again(
    monkeypatch: pytest.MonkeyPatch, index: Path, loaded: list[str], at_exit: list[Any]
) -> None:
    monkeypatch.setenv("AUTOMIX_INDEX", str(index.parent / "none"))
    with pytest.raises(StoreError, match="there is no folder"):
        await make_graph()
    assert (loaded, at_exit) == ([], [])
    monkeypatch.setenv("AUTOMIX_INDEX", str(index))
    assert (await (await make_graph()).ainvoke(QUESTION))["answer"] == "1769"


@pytest.mark.usefixtures("environment")
async def test_an_index_is_closed_where_the_graph_cannot_be_made(
    monkeypatch: pytest.MonkeyPatch, loaded: list[str], at_exit: list[Any]
) -> None:
    stores: list[FaissStore] = []
    opened = FaissStore.open
    monkeypatch.setattr(FaissStore, "open", lambda *given: stores.append(opened(*given)) or stores[-1])
    monkeypatch.setenv("AUTOMIX_REVIEW", "everything")
    with pytest.raises(ConfigurationError, match="everything"):
        await make_graph()
    (store,) = stores
    with pytest.raises(StoreError, match="closed"):
        store.similarity_search("When?")
    assert at_exit == []


def test_settings_reach_the_graph(index: Path, loaded: list[str]) -> None:
    policy = index.parent / "policy.json"
    save_policy(Always("large"), policy)
    settings = GraphSettings(
        index=index,
        models=("test:small", "test:middle", "test:large"),
        verifier="test:judge",
        policy=policy,
        k=1,
        condense=True,
        review=("abstain",),
    )
    with contextlib.ExitStack() as parts:
        graph = open_graph(settings, until=parts)
        assert {"condense", "middle_answer", "review", "review_middle"} <= set(graph.nodes)
        result = graph.invoke(QUESTION)
        assert (result["answer"], result["route"], len(result["documents"])) == ("1781", "large", 1)


@pytest.mark.parametrize(("mode", "answer"), [("shadow", "1781"), ("cascade", "1769")])
def test_questions_are_sampled_into_the_file(index: Path, loaded: list[str], mode: str, answer: str) -> None:
    records = index.parent / "records.jsonl"
    rate = {"shadow_rate": 1.0} if mode == "shadow" else {"audit_rate": 1.0}
    settings = GraphSettings(
        index=index, models=("test:small", "test:large"), verifier="test:judge", mode=mode, audit_records=records,
        audit_redact=True, **rate,
    )  # fmt: skip
    with contextlib.ExitStack() as parts:
        assert open_graph(settings, until=parts).invoke(QUESTION)["answer"] == answer
    ends = time.monotonic() + 30
    while not records.exists() or not (rows := read_records(records).rows):
        assert time.monotonic() < ends
    (row,) = rows
    assert (row.origin, row.rate) == ("shadow" if mode == "shadow" else "audit", 1.0)
    assert row.record is not None and is_redacted(row.record.question)


@pytest.mark.parametrize("wrong", [{"language": "xx"}, {"search": "guess"}, {"policy": Path("no-policy.json")}])
def test_what_cannot_be_used_is_refused(index: Path, loaded: list[str], wrong: Any) -> None:
    settings = GraphSettings(index=index, models=("test:small", "test:large"), **wrong)
    with contextlib.ExitStack() as parts, pytest.raises(ConfigurationError, match=r"xx|guess|no-policy"):
        open_graph(settings, until=parts)


def test_langgraph_json_names_the_factory() -> None:
    config = json.loads((ROOT / "langgraph.json").read_text(encoding="utf-8"))
    module, _, name = config["graphs"]["automix"]["path"].partition(":")
    # As the server does it: in the module's own dict, and told from a graph by being callable without arguments.
    found = vars(importlib.import_module(module))[name]
    assert found is make_graph
    assert not inspect.signature(found).parameters


def test_langgraph_json_is_one() -> None:
    config = pytest.importorskip("langgraph_cli.config", reason="needs langgraph-cli")
    read = config.validate_config_file(ROOT / "langgraph.json")
    assert list(read["graphs"]) == ["automix"]
