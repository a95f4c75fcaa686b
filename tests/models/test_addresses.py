"""Models of OpenAI-compatible servers of one's own, by names that hold the address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from openai_api import answering, completion

from automix_graph.cli.main import automix
from automix_graph.errors import ConfigurationError
from automix_graph.models import load_embeddings, model_label, resolve_chat_model
from automix_graph.models.named import named
from automix_graph.retrieval import FaissStore
from automix_graph.testing import HashEmbeddings

NAME = "openai:small@http://127.0.0.1:8001/v1"


def test_the_address_is_the_server_s_and_no_part_of_the_label(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/elsewhere")
    found = named(NAME)
    assert isinstance(found.model, ChatOpenAI)
    assert (found.label, found.model.model_name) == ("openai:small", "small")
    assert str(found.model.root_client.base_url) == "http://127.0.0.1:8001/v1/"
    assert found.model.root_client.api_key == "none"  # a server of one's own often has no key
    assert found.model.stream_usage is True


def test_the_key_is_the_provider_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-key")
    model = resolve_chat_model(NAME)
    assert isinstance(model, ChatOpenAI)
    assert model.root_client.api_key == "a-key"


@pytest.mark.parametrize("name", ["openai:gpt-5-mini", "google_vertexai:claude-x@20251001", "local:a@b.gguf"])
def test_other_names_stay_as_they_are(name: str) -> None:
    assert model_label(name) == name


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mistralai:small@http://127.0.0.1:1/v1", r"'mistralai:small' is given an address; only models of 'openai'"),
        ("openai:small@http://", r"the address of 'openai:small' cannot be used; write http"),
        ("openai:small@http://[::1/v1", "the address of 'openai:small' cannot be used"),
        ("openai:small@http://127.0.0.1:99999/v1", "the address of 'openai:small' cannot be used"),
        ("openai:small@https://me:word@127.0.0.1/v1", "without a password, a query or a fragment"),
        ("openai:small@https://127.0.0.1/v1?key=word", "without a password, a query or a fragment"),
        ("openai:small@https://127.0.0.1/v1#word", "without a password, a query or a fragment"),
        ("openai:@http://127.0.0.1:1/v1", "'openai:' does not name a model"),
    ],
)
def test_what_is_no_address_is_told_and_not_repeated(name: str, said: str) -> None:
    for load in (resolve_chat_model, load_embeddings):
        with pytest.raises(ConfigurationError, match=said) as refused:
            load(name)
        assert refused.value.code == "unknown-model"
        assert "word@" not in str(refused.value)
        assert "=word" not in str(refused.value)


def test_texts_to_embed_go_to_the_address_as_texts() -> None:
    asked: list[Any] = []

    def answer(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        asked.append((body["model"], body["input"]))
        vectors = [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}]
        return 200, {"object": "list", "model": "e", "data": vectors, "usage": {"prompt_tokens": 1, "total_tokens": 1}}

    with answering(answer) as url:
        embeddings = load_embeddings(f"openai:words@{url}")
        assert isinstance(embeddings, OpenAIEmbeddings)
        assert embeddings.embed_query("otter") == [0.5, 0.25]
    assert asked == [("words", ["otter"])]


def test_each_model_of_a_command_has_a_server_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr("automix_graph.models.load_embeddings", lambda name: HashEmbeddings())
    asked: list[tuple[str, str]] = []

    def says(server: str, *texts: str) -> Any:
        said = iter(texts)

        def answer(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
            asked.append((server, body["model"]))
            return 200, completion(body, next(said))

        return answer

    with FaissStore.from_texts(["Watt patented it in 1769."], HashEmbeddings()) as store:
        store.save(tmp_path / "index")
    with answering(says("first", "In 1796.")) as first, answering(says("second", "Incorrect", "In 1769.")) as second:
        models = ["--small", f"openai:s@{first}", "--large", f"openai:l@{second}", "--price", "openai:s=1/1"]
        words = ["ask", "When was it patented?", "--index", str(tmp_path / "index"), *models]
        done = CliRunner().invoke(automix, words, catch_exceptions=False)
    assert asked == [("first", "s"), ("second", "l"), ("second", "l")]
    assert "In 1769." in done.output
    assert "127.0.0.1" not in done.output
