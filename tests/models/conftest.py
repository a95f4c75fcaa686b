from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from draw_server import Server
from fake_index import PIECES, FakeIndex, make_model
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from local_model import SMALL
from openai_api import answering, openai_model

from automix_graph.config import ENV_CACHE_DIR
from automix_graph.models import pull, resolve_chat_model
from automix_graph.models.catalog import EmbeddedModel
from automix_graph.models.runtime import Endpoint, serve


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(ENV_CACHE_DIR, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def model() -> EmbeddedModel:
    return make_model()


@pytest.fixture
def index() -> FakeIndex:
    return FakeIndex(pieces={f"tiny-part{n}": piece for n, piece in enumerate(PIECES, start=1)})


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def served(server: Server) -> Iterator[ChatOpenAI]:
    """A model of the server."""
    with answering(server.answer) as url:
        yield openai_model(url)


@pytest.fixture(scope="module")
def local_weights() -> Path:
    return pull("smollm2-135m-instruct")


@pytest.fixture(scope="module")
def local_chat(local_weights: Path) -> BaseChatModel:
    return resolve_chat_model(SMALL)


@pytest.fixture(scope="module")
def local_endpoint(local_chat: BaseChatModel, local_weights: Path) -> Endpoint:
    return serve(local_weights, label=SMALL)
