"""The examples in docstrings run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import automix_graph.retrieval
import automix_graph.testing.embeddings

MODULES = [
    automix_graph.testing.embeddings.__name__,
    *(module.name for module in pkgutil.walk_packages(automix_graph.retrieval.__path__, "automix_graph.retrieval.")),
]
WITH_EXAMPLES = {
    "filters",
    "fusion",
    "indexing",
    "ingestion",
    "loaders",
    "lock",
    "retriever",
    "store",
    "terms",
    "embeddings",
}


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0
    assert bool(result.attempted) is (name.rpartition(".")[2] in WITH_EXAMPLES)


def test_every_public_name_can_be_had() -> None:
    assert set(automix_graph.retrieval.__all__) == set(automix_graph.retrieval._HOMES)
    for name in automix_graph.retrieval.__all__:
        assert getattr(automix_graph.retrieval, name).__doc__


def test_importing_the_package_loads_no_faiss() -> None:
    code = "import sys, automix_graph.retrieval; sys.exit('faiss' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
