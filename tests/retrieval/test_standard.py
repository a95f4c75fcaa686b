"""LangChain's own tests for vector stores and retrievers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from langchain_core.vectorstores import VectorStore
from langchain_tests.integration_tests import RetrieversIntegrationTests, VectorStoreIntegrationTests

from automix_graph.retrieval import FaissStore, StoreRetriever
from automix_graph.retrieval.metrics import METRICS
from automix_graph.retrieval.ranking import SEARCH_MODES


class TestNewStore(VectorStoreIntegrationTests):
    @pytest.fixture(params=METRICS)
    def vectorstore(self, request: pytest.FixtureRequest) -> Iterator[VectorStore]:
        with FaissStore(self.get_embeddings(), metric=request.param) as store:
            yield store


class TestOpenedStore(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, tmp_path: Path) -> Iterator[VectorStore]:
        embedding: Embeddings = self.get_embeddings()
        with FaissStore(embedding) as store:
            store.save(tmp_path / "store")
        with FaissStore.open(tmp_path / "store", embedding) as opened:
            yield opened


class RetrieverTests(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def _store(self, tmp_path: Path) -> Iterator[None]:
        embedding = VectorStoreIntegrationTests.get_embeddings()
        with FaissStore.from_texts([f"passage {n}" for n in range(5)], embedding) as store:
            store.save(tmp_path / "store")
            with FaissStore.open(tmp_path / "store", embedding) as opened:
                self.stores = {"new": store, "opened": opened}
                yield

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return StoreRetriever

    @property
    def retriever_query_example(self) -> str:
        return "passage"


class TestRetrieverOfNewStore(RetrieverTests):
    @pytest.fixture(autouse=True, params=SEARCH_MODES)
    def _search_type(self, request: pytest.FixtureRequest) -> None:
        self.search_type = request.param

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"vectorstore": self.stores["new"], "search_type": self.search_type}


class TestRetrieverOfOpenedStore(RetrieverTests):
    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"vectorstore": self.stores["opened"]}
