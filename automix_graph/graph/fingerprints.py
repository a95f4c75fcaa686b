"""Which model, verifier or policy is which, for keys of a cache that may outlive the process and serve several graphs.

Two that could act differently must have different fingerprints; that two that act alike have one is only welcome. So
everything plain counts that a model, a verifier or a policy was made with. A verifier or a policy of the user's own is
known by nothing but being itself, in one graph: nobody can see what it has closed over. A chat model is known by its
label, its class and its settings; two of the user's own class that differ in nothing else need two labels. What is told
is only ever hashed.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import uuid
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any, Final

from langchain_core.language_models import BaseChatModel

from automix_graph.errors import ConfigurationError
from automix_graph.models.catalog import LOCAL_PREFIX
from automix_graph.models.named import NamedModel, named
from automix_graph.policies import Policy, policy_to_data
from automix_graph.verification import Verifier
from automix_graph.verification.judged import Judged

_ROOM: Final = "automix_graph."
_WITHOUT_EFFECT: Final = frozenset(
    {
        *("cache", "callbacks", "verbose", "tags", "metadata", "name", "rate_limiter", "label"),
        *("max_retries", "request_timeout", "default_request_timeout", "timeout"),
        *("streaming", "disable_streaming", "stream_usage"),
    }
)
"""Settings of chat models that change how a reply comes, and not what it says."""
_ADDRESSES: Final = ("openai_api_base", "openai_api_key", "base_url")


def fingerprint(*described: object) -> str:
    """Return a sum over JSON values, and over the version of this package, in hexadecimal.

    Example:
        >>> fingerprint("a", ["b"]) == fingerprint("a", ["b"]) != fingerprint("a", ["c"])
        True
    """
    text = json.dumps([_version(), *described], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def model_fingerprint(model: NamedModel) -> str:
    """Return which model it is: its label, its class, all plain settings, where it is asked, and a local one's file.

    Example:
        >>> from automix_graph.testing import ScriptedChatModel
        >>> one, other = (named(ScriptedChatModel([], label=label)) for label in ("one", "other"))
        >>> model_fingerprint(one) == model_fingerprint(other)
        False
    """
    chat = model.model
    local = model.label.startswith(LOCAL_PREFIX)
    told = {
        name: _plain(getattr(chat, name, None))
        for name in type(chat).model_fields
        if name not in _WITHOUT_EFFECT and not (local and name in _ADDRESSES)  # another port and key each time
    }
    # Where the environment says it, only the client knows.
    address = None if local else str(getattr(getattr(chat, "root_client", None), "base_url", None))
    return fingerprint(model.label, _kind(chat), told, address, _file(model.label) if local else None)


def verifier_fingerprint(verifier: Verifier) -> str:
    """Return which verifier it is; one of the user's own is itself alone."""
    return fingerprint(_described(verifier))


def policy_fingerprint(policy: Policy) -> str:
    """Return which policy it is; one of the user's own is itself alone."""
    try:
        return fingerprint(policy_to_data(policy))
    except ConfigurationError:
        return fingerprint(_alone(policy))


def _described(value: object) -> Any:
    if value is None or isinstance(value, bool | int | float | str):  # names of a closed set are texts
        return value
    if isinstance(value, NamedModel | BaseChatModel):
        return model_fingerprint(named(value))
    return _composed(value)


def _composed(value: object) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _described(item) for name, item in value.items()}
    if isinstance(value, list | tuple | Set):
        items = [_described(item) for item in value]
        return sorted(items, key=repr) if isinstance(value, Set) else items
    if type(value).__module__.startswith(_ROOM) and dataclasses.is_dataclass(value):
        return {"class": _kind(value), **_fields(value)}
    return _alone(value)


def _plain(value: object) -> Any:
    """Return a setting as JSON values; of a client, a key or a function only what it is."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else _kind(value)


def _fields(value: Any) -> dict[str, Any]:
    fields = {
        field.name: _described(getattr(value, field.name)) for field in dataclasses.fields(value) if field.compare
    }
    if isinstance(value, Judged):
        fields["judge"] = model_fingerprint(value.model)  # a name alone does not tell what the environment makes of it
    return fields


def _alone(value: object) -> str:
    """Return a name that nothing else has, not even the same object the next time: another graph may not trust it."""
    return f"{_kind(value)} {uuid.uuid4().hex}"


def _kind(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _file(label: str) -> list[object] | None:
    path = Path(label.removeprefix(LOCAL_PREFIX)).expanduser()
    if not path.is_file():
        return None  # one of the catalogue, whose weights are pinned by the version of this package
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]


@functools.cache
def _version() -> str:
    return importlib.metadata.version("automix-graph")
