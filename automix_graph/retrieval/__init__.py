"""Retrieval: a FAISS vector store that LangChain understands, and the reading of files into it.

Importing this package loads nothing but the names below, each when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from automix_graph.lazy import lazy_names

if TYPE_CHECKING:
    from automix_graph.retrieval.filters import Filter
    from automix_graph.retrieval.indexing import index_paths
    from automix_graph.retrieval.ingestion import IngestReport, Progress, ingest
    from automix_graph.retrieval.loaders import Problem, Section, load_file
    from automix_graph.retrieval.retriever import StoreRetriever
    from automix_graph.retrieval.searching import SEARCH_TYPES
    from automix_graph.retrieval.store import FaissStore

__all__ = [
    "SEARCH_TYPES",
    "FaissStore",
    "Filter",
    "IngestReport",
    "Problem",
    "Progress",
    "Section",
    "StoreRetriever",
    "index_paths",
    "ingest",
    "load_file",
]

_HOMES = {
    "SEARCH_TYPES": "searching",
    "FaissStore": "store",
    "Filter": "filters",
    "IngestReport": "ingestion",
    "Problem": "loaders",
    "Progress": "ingestion",
    "Section": "loaders",
    "StoreRetriever": "retriever",
    "index_paths": "indexing",
    "ingest": "ingestion",
    "load_file": "loaders",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
