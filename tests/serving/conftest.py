"""Servers whose large model keeps them waiting."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from served import PatientModel, Running, make_graph, served

from automix_graph.serving import ServingSettings, create_app


@pytest.fixture
def patient() -> PatientModel:
    return PatientModel(pieces=("never",), pause=30)


@pytest.fixture
def slow(patient: PatientModel) -> Iterator[Running]:
    settings = ServingSettings(max_concurrent=2, retry_after_seconds=7)
    with served(create_app(make_graph(large=patient), settings=settings), grace=1) as running:
        yield running


@pytest.fixture
async def asking(slow: Running) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=slow.url, trust_env=False, timeout=20) as client:
        yield client
