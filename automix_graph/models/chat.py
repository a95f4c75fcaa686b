"""Chat models by name: embedded ones, the user's own GGUF files, and everything LangChain knows.

This module imports no provider until one is asked for, and does not know how a local model is run.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from langchain_core.language_models import BaseChatModel

from automix_graph.errors import ConfigurationError, MissingExtraError, ModelFileError
from automix_graph.models.cache import require_model
from automix_graph.models.catalog import LOCAL_PREFIX, find_model
from automix_graph.models.gguf import control_tokens
from automix_graph.models.providers import provider_errors, split_spec
from automix_graph.models.runtime import ServerSettings, serve

_ALLOWED: Final = (
    "give 'provider:model' (such as 'openai:gpt-5-mini'), 'local:NAME' (see: automix models list), "
    "'local:/path/to/model.gguf', or a LangChain chat model"
)
_MAX_TOKENS: Final = 512
_LANGCHAIN_NAMESPACE: Final = ["langchain", "chat_models"]


def resolve_chat_model(spec: str | BaseChatModel, *, server: ServerSettings | None = None) -> BaseChatModel:
    """Return the chat model that a name stands for; a chat model is returned as it is.

    A local model is loaded by this call, unless this process has it already.

    Args:
        spec: ``provider:model``, ``local:NAME``, ``local:/path/to/model.gguf``, or a chat model.
        server: how to run a local model; None takes the defaults. Models of other kinds do not use it.

    Raises:
        ConfigurationError: the name stands for no chat model, or its provider is not set up.
        MissingExtraError: local models are not installed.
        ModelFileError: the weights are missing or damaged.
    """
    if isinstance(spec, BaseChatModel):
        return spec
    if not isinstance(spec, str):
        raise ConfigurationError(f"an object of type {type(spec).__name__} is not a chat model; {_ALLOWED}")
    return _local(spec, server) if spec.startswith(LOCAL_PREFIX) else _remote(spec)


def model_label(model: str | BaseChatModel) -> str:
    """Return what a model is called in records, costs and errors.

    A name stands for itself. A model object is called ``provider:model`` where it says so in public, else by its class.
    Keys and addresses are never part of it.
    """
    if isinstance(model, str):
        return model
    label = getattr(model, "label", None)
    if isinstance(label, str):
        return label
    provider, name = _provider(model), _name(model)
    return f"{provider}:{name}" if provider and name else type(model).__name__


def _local(spec: str, server: ServerSettings | None) -> BaseChatModel:
    path = _local_path(spec)
    try:
        from automix_graph.models.local_chat import LocalChatModel
    except ImportError as error:
        raise MissingExtraError(f"talking to the local model {spec!r}", extra="local") from error
    control = control_tokens(path)
    endpoint = serve(path, label=spec, settings=server)
    return LocalChatModel.at(endpoint, label=spec, control_tokens=control, max_tokens=_MAX_TOKENS)


def _local_path(spec: str) -> Path:
    name = spec.removeprefix(LOCAL_PREFIX)
    if not _looks_like_path(name):
        return require_model(find_model(name, kind="chat"))
    path = Path(name).expanduser()
    if not path.is_file():
        raise ModelFileError(f"{spec!r}: there is no file {str(path)!r}; {_ALLOWED}", name=spec)
    return path


def _looks_like_path(name: str) -> bool:
    return name.lower().endswith(".gguf") or "/" in name or os.sep in name


def _remote(spec: str) -> BaseChatModel:
    from langchain.chat_models import init_chat_model

    provider, model = split_spec(spec, allowed=_ALLOWED)
    with provider_errors(spec):
        if provider == "openai":
            # Off by default when OPENAI_BASE_URL is set; an answer that streams must be charged as well.
            return init_chat_model(model, model_provider=provider, stream_usage=True)
        return init_chat_model(model, model_provider=provider)


def _provider(model: BaseChatModel) -> str | None:
    namespace = model.get_lc_namespace()
    if namespace[:2] == _LANGCHAIN_NAMESPACE and len(namespace) > 2:
        return namespace[2]
    package = namespace[0]
    if package.startswith("langchain_") and package != "langchain_core":
        return package.removeprefix("langchain_")
    return None


def _name(model: BaseChatModel) -> str | None:
    names = (getattr(model, attribute, None) for attribute in ("model_name", "model", "model_id"))
    return next((name for name in names if isinstance(name, str) and name), None)
