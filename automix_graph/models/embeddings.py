"""Embedding models by name: the embedded one, and everything LangChain knows.

This module imports no provider until one is asked for.
"""

from __future__ import annotations

from typing import Final

from langchain_core.embeddings import Embeddings

from automix_graph.config import DEFAULT_EMBEDDING, ENV_EMBEDDING, setting
from automix_graph.errors import ConfigurationError, MissingExtraError
from automix_graph.models.cache import require_model
from automix_graph.models.catalog import LOCAL_PREFIX, find_model
from automix_graph.models.providers import at_address, provider_errors, split_spec, without_address

_ALLOWED: Final = (
    "give 'provider:model' (such as 'openai:text-embedding-3-small'), 'openai:MODEL@ADDRESS' for a server of your own, "
    "'local:NAME' (see: automix models list), or a LangChain embedding model"
)


def load_embeddings(spec: str | Embeddings | None = None) -> Embeddings:
    """Return the embedding model that a name stands for; an embedding model is returned as it is.

    Args:
        spec: ``local:NAME``, ``provider:model``, ``openai:MODEL@ADDRESS`` for an OpenAI-compatible server of your own,
            or an embedding model; None takes ``AUTOMIX_EMBEDDING``, else the embedded default.

    Raises:
        ConfigurationError: the name stands for no embedding model, or its provider is not set up.
        MissingExtraError: local models are not installed.
        ModelFileError: the weights are missing or damaged.
    """
    if isinstance(spec, Embeddings):
        return spec
    if not isinstance(spec, str | None):
        raise ConfigurationError(
            f"an object of type {type(spec).__name__} is not an embedding model; {_ALLOWED}", code="unknown-model"
        )
    name = setting(spec, env=ENV_EMBEDDING, default=DEFAULT_EMBEDDING)
    return _local(name) if name.startswith(LOCAL_PREFIX) else _remote(name)


def _local(spec: str) -> Embeddings:
    model = find_model(spec.removeprefix(LOCAL_PREFIX), kind="embedding")
    folder = require_model(model)
    try:
        from automix_graph.models.onnx import OnnxEmbeddings
    except ImportError as error:
        raise MissingExtraError(f"running the local model {spec!r}", extra="local") from error
    return OnnxEmbeddings(folder, model_name=spec, languages=model.languages)


def _remote(spec: str) -> Embeddings:
    from langchain.embeddings import init_embeddings

    name = without_address(spec)
    split_spec(name, allowed=_ALLOWED)
    options = at_address(spec)
    if options:
        options["check_embedding_ctx_length"] = False  # else texts go as the numbers of OpenAI's tokens
    with provider_errors(name):
        return init_embeddings(name, **options)
