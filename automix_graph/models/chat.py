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
from automix_graph.models.providers import at_address, provider_errors, split_spec, without_address
from automix_graph.models.runtime import Endpoint, ServerSettings, serve, share

_ALLOWED: Final = (
    "give 'provider:model' (such as 'openai:gpt-5-mini'), 'openai:MODEL@ADDRESS' for a server of your own, "
    "'local:NAME' (see: automix models list), 'local:/path/to/model.gguf', or a LangChain chat model"
)
_MAX_TOKENS: Final = 512
_TIMEOUTS: Final = ("request_timeout", "default_request_timeout", "timeout")
_LANGCHAIN_NAMESPACE: Final = ["langchain", "chat_models"]


def resolve_chat_model(
    spec: str | BaseChatModel, *, server: ServerSettings | None = None, retries: bool = True
) -> BaseChatModel:
    """Return the chat model that a name stands for; a chat model is returned as it is.

    A local model is loaded by this call, unless this process has it already.

    Args:
        spec: ``provider:model``, ``openai:MODEL@ADDRESS`` for an OpenAI-compatible server of your own, ``local:NAME``,
            ``local:/path/to/model.gguf``, or a chat model.
        server: how to run a local model; None takes the defaults. Models of other kinds do not use it.
        retries: whether a model that is made from its name makes failed calls again by itself, as its provider's
            package does by default. False is for callers that make them again themselves. Local models never do.

    Raises:
        ConfigurationError: the name stands for no chat model, or its provider is not set up.
        MissingExtraError: local models are not installed.
        ModelFileError: the weights are missing or damaged.
    """
    if isinstance(spec, BaseChatModel):
        return spec
    if not isinstance(spec, str):
        raise ConfigurationError(
            f"an object of type {type(spec).__name__} is not a chat model; {_ALLOWED}", code="unknown-model"
        )
    return _local(spec, server) if spec.startswith(LOCAL_PREFIX) else _remote(spec, retries)


def model_label(model: str | BaseChatModel) -> str:
    """Return what a model is called in records, costs and errors.

    A name stands for itself, without the address of its server. A model object is called ``provider:model`` where it
    says so in public, else by its class. Keys and addresses are never part of it.
    """
    if isinstance(model, str):
        return without_address(model)
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

    def served() -> Endpoint:
        return serve(path, label=spec, settings=server)

    return LocalChatModel.at(served(), label=spec, control_tokens=control, max_tokens=_MAX_TOKENS, renewed=served)


def share_model(spec: str) -> None:
    """Load a local model for all processes of this user; they use it in place of one of their own until this one ends.

    Args:
        spec: ``local:NAME`` or ``local:/path/to/model.gguf``.

    Raises:
        ConfigurationError: there is no such model, or another process shares it already.
        MissingExtraError: local models are not installed.
        ModelFileError: the weights are missing or damaged.
    """
    share(_local_path(spec), label=spec)


def _local_path(spec: str) -> Path:
    name = spec.removeprefix(LOCAL_PREFIX)
    if not _looks_like_path(name):
        return require_model(find_model(name, kind="chat"))
    path = Path(name).expanduser()
    if not path.is_file():
        raise ModelFileError(f"{spec!r}: there is no file {str(path)!r}; {_ALLOWED}", name=spec, code="unknown-model")
    return path


def _looks_like_path(name: str) -> bool:
    return name.lower().endswith(".gguf") or "/" in name or os.sep in name


def _remote(spec: str, retries: bool) -> BaseChatModel:
    from langchain.chat_models import init_chat_model

    label = without_address(spec)
    provider, model = split_spec(label, allowed=_ALLOWED)
    options = at_address(spec)
    if provider == "openai":
        options["stream_usage"] = True  # off by default at other addresses; an answer that streams must be charged too
    with provider_errors(label):
        made: BaseChatModel = init_chat_model(model, model_provider=provider, **options)
        if not retries and retries_itself(made):
            # Only its class tells whether a model has the setting; others might send it along with the request.
            made = init_chat_model(model, model_provider=provider, max_retries=0, **options)
        return made


def retries_itself(model: BaseChatModel) -> bool:
    """Return whether a chat model makes failed calls again by itself, as far as its setting ``max_retries`` tells.

    A setting that is left open counts as retries: the provider's default is 2 or more.
    """
    return "max_retries" in type(model).model_fields and getattr(model, "max_retries", None) != 0


def takes_timeout(model: BaseChatModel) -> bool:
    """Return whether a call to the model may bring a ``timeout`` in seconds.

    Known are the classes that hand it on to a client of OpenAI's or Anthropic's; others might send it to the server.
    """
    return hasattr(model, "root_client") or _provider(model) == "anthropic"


def read_timeout(model: BaseChatModel) -> float | None:
    """Return how long the model waits for its server by itself, in seconds; None where it does not say."""
    given = next((found for name in _TIMEOUTS if (found := getattr(model, name, None)) is not None), None)
    seconds = getattr(given, "read", given)  # of httpx
    return float(seconds) if isinstance(seconds, int | float) and not isinstance(seconds, bool) else None


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
