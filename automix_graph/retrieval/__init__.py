"""Retrieval: a FAISS vector store that LangChain understands, and the reading of files into it.

Importing this package loads nothing but the names below, each when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from automix_graph.lazy import lazy_names

if TYPE_CHECKING:
    from automix_graph.retrieval.filters import Filter
    from automix_graph.retrieval.indexing import index_paths
    from automix_graph.retrieval.ingestion import ingest
    from automix_graph.retrieval.loaders import Problem, Section, load_file
    from automix_graph.retrieval.opening import check_store
    from automix_graph.retrieval.plan import INDEX_CHOICES, IndexPlan
    from automix_graph.retrieval.progress import IngestReport, Progress
    from automix_graph.retrieval.retriever import StoreRetriever
    from automix_graph.retrieval.searching import SEARCH_TYPES
    from automix_graph.retrieval.store import FaissStore

__all__ = [
    "INDEX_CHOICES",
    "SEARCH_TYPES",
    "FaissStore",
    "Filter",
    "IndexPlan",
    "IngestReport",
    "Problem",
    "Progress",
    "Section",
    "StoreRetriever",
    "check_store",
    "index_paths",
    "ingest",
    "load_file",
]

_HOMES = {
    "INDEX_CHOICES": "plan",
    "SEARCH_TYPES": "searching",
    "FaissStore": "store",
    "Filter": "filters",
    "IndexPlan": "plan",
    "IngestReport": "progress",
    "Problem": "loaders",
    "Progress": "progress",
    "Section": "loaders",
    "StoreRetriever": "retriever",
    "check_store": "opening",
    "index_paths": "indexing",
    "ingest": "ingestion",
    "load_file": "loaders",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
