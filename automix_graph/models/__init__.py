"""Chat and embedding models by name, embedded ones among them.

Importing this package loads nothing but the names below, each when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from automix_graph.lazy import lazy_names

if TYPE_CHECKING:
    from automix_graph.models.cache import cache_dir, is_present, model_path
    from automix_graph.models.catalog import CATALOG, DEFAULT_NAMES, EmbeddedModel, find_model
    from automix_graph.models.chat import model_label, resolve_chat_model
    from automix_graph.models.embeddings import load_embeddings
    from automix_graph.models.fetch import Progress, pull
    from automix_graph.models.named import NamedModel
    from automix_graph.models.retrying import Retries
    from automix_graph.models.runtime import ServerSettings

__all__ = [
    "CATALOG",
    "DEFAULT_NAMES",
    "EmbeddedModel",
    "NamedModel",
    "Progress",
    "Retries",
    "ServerSettings",
    "cache_dir",
    "find_model",
    "is_present",
    "load_embeddings",
    "model_label",
    "model_path",
    "pull",
    "resolve_chat_model",
]

_HOMES = {
    "CATALOG": "catalog",
    "DEFAULT_NAMES": "catalog",
    "EmbeddedModel": "catalog",
    "NamedModel": "named",
    "Progress": "fetch",
    "Retries": "retrying",
    "ServerSettings": "runtime",
    "cache_dir": "cache",
    "find_model": "catalog",
    "is_present": "cache",
    "load_embeddings": "embeddings",
    "model_label": "chat",
    "model_path": "cache",
    "pull": "fetch",
    "resolve_chat_model": "chat",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
