from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.language_models import FakeListChatModel, FakeListLLM
from langchain_openai import ChatOpenAI

from automix_graph.errors import ConfigurationError, MissingExtraError, ModelFileError
from automix_graph.models import load_embeddings, model_label, resolve_chat_model


@pytest.fixture(autouse=True)
def no_settings(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_BASE_URL", "AUTOMIX_EMBEDDING"):
        monkeypatch.delenv(name, raising=False)


def test_a_model_object_passes_through() -> None:
    model = FakeListChatModel(responses=["x"])
    assert resolve_chat_model(model) is model


@pytest.mark.parametrize("spec", ["", "gpt-5", ":", "openai:", "openai: ", ":gpt-5", " "])
def test_a_name_without_provider_or_model_is_refused(spec: str) -> None:
    with pytest.raises(ConfigurationError, match=r"does not name a model; give 'provider:model'.*local:NAME"):
        resolve_chat_model(spec)


@pytest.mark.parametrize("spec", [None, 3, {"model": "secret-sk-1"}, FakeListLLM(responses=["x"]), b"openai:gpt"])
def test_other_types_are_refused_without_showing_them(spec: Any) -> None:
    with pytest.raises(ConfigurationError, match="is not a chat model; give 'provider:model'") as caught:
        resolve_chat_model(spec)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("openai:gpt-5", "OPENAI_API_KEY"),
        ("nosuch:gpt-5", "Supported model providers are: anthropic"),
        ("anthropic:claude", "pip install langchain-anthropic"),
        ("local:smollm2", "did you mean 'smollm2-135m-instruct'"),
        ("local:all-minilm-l6-v2", "is a model for embedding, not for chat"),
    ],
)
def test_what_is_not_set_up_is_one_line(spec: str, reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve_chat_model(spec)
    assert reason in str(caught.value) and "\n" not in str(caught.value)


def test_a_remote_model_reports_its_tokens_while_streaming(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    model = resolve_chat_model("openai:gpt-5")
    assert isinstance(model, ChatOpenAI) and model.stream_usage is True


def test_weights_that_are_missing_say_what_to_run() -> None:
    with pytest.raises(ModelFileError, match="run: automix models pull smollm2-135m-instruct"):
        resolve_chat_model("local:smollm2-135m-instruct")


@pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF\x03\x00\x00\x00" + b"\xff" * 40, b"<html>" * 100])
def test_a_file_that_is_no_gguf_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="is no complete GGUF file"):
        resolve_chat_model(f"local:{path}")


@pytest.mark.parametrize("path", ["/no/such/file.gguf", "relative/file", "~/no-such-file.gguf"])
def test_a_file_that_is_not_there_is_refused(path: str) -> None:
    with pytest.raises(ModelFileError, match="there is no file"):
        resolve_chat_model(f"local:{path}")


def test_a_missing_extra_says_the_install_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "automix_graph.models.local_chat", None)
    path = tmp_path / "any.gguf"
    path.write_bytes(b"GGUF")
    with pytest.raises(MissingExtraError, match=r"pip install 'automix-graph\[local\]'"):
        resolve_chat_model(f"local:{path}")


def test_labels() -> None:
    assert model_label("openai:gpt-5") == "openai:gpt-5"
    assert model_label("local:/some/file.gguf") == "local:/some/file.gguf"
    assert model_label(FakeListChatModel(responses=["x"])) == "FakeListChatModel"
    model = ChatOpenAI(model="gpt-5-mini", api_key="sk-secret", base_url="https://user:pw@proxy.example/v1")  # type: ignore[arg-type]
    assert model_label(model) == "openai:gpt-5-mini"


def test_a_label_of_ones_own_class_is_that_of_its_provider() -> None:
    class Ours(ChatOpenAI):
        pass

    assert model_label(Ours(model="gpt-5-mini", api_key="sk-secret")) == "openai:gpt-5-mini"  # type: ignore[arg-type]


def test_embeddings_by_name() -> None:
    own = DeterministicFakeEmbedding(size=4)
    assert load_embeddings(own) is own
    with pytest.raises(ModelFileError, match="run: automix models pull all-minilm-l6-v2"):
        load_embeddings()
    with pytest.raises(ConfigurationError, match="is a model for chat, not for embedding"):
        load_embeddings("local:smollm2-135m-instruct")
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
        load_embeddings("openai:text-embedding-3-small")
    with pytest.raises(ConfigurationError, match="does not name a model"):
        load_embeddings("")
    with pytest.raises(ConfigurationError, match="type int is not an embedding model"):
        load_embeddings(3)  # type: ignore[arg-type]


def test_the_environment_names_the_embedding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOMIX_EMBEDDING", "nosuch:x")
    with pytest.raises(ConfigurationError, match="'nosuch:x' cannot be set up"):
        load_embeddings()


def test_a_provider_that_nobody_knows_is_no_setting_that_is_missing() -> None:
    with pytest.raises(ConfigurationError, match="'nosuch:x' cannot be set up: Unsupported provider") as refused:
        resolve_chat_model("nosuch:x")
    assert refused.value.code == "unknown-model"
