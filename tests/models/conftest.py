from __future__ import annotations

from pathlib import Path

import pytest
from fake_index import PIECES, FakeIndex, make_model

from automix_graph.config import ENV_CACHE_DIR
from automix_graph.models.catalog import EmbeddedModel


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
