"""What an object is, as far as it matters to what it does: as JSON values, without anything that could be a secret.

Only what is known to matter and to be harmless is told of a chat model or a retriever. Of the user's own objects the
class is told, and of functions the name and a sum over the source; what a function has closed over is not seen.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import inspect
import math
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_core.prompts import BasePromptTemplate
from langchain_core.runnables import Runnable
from pydantic import BaseModel

from automix_graph.errors import AutomixError
from automix_graph.models.calling import NamedModel, named
from automix_graph.models.catalog import LOCAL_PREFIX, find_model
from automix_graph.prompts import Template
from automix_graph.retrieval.fingerprint import embedding_name
from automix_graph.verification.judged import Judged

_TOLD: Final = re.compile(
    "model|model_name|model_id|deployment|deployment_name|azure_deployment|(?:openai_)?api_version|api_type"
    "|temperature|top_[pk]|min_p|typical_p|(?:random_)?seed|stop|stop_sequences|n|best_of|response_format|format"
    "|max_(?:completion_|output_|new_)?tokens|num_predict|num_ctx|context_length|logit_bias|mirostat(?:_eta|_tau)?"
    "|(?:frequency|presence|repeat|repetition)_penalty|(?:reasoning|thinking)(?:_effort|_format|_budget|_level)?"
    "|effort|verbosity|service_tier|use_responses_api|disabled_params|model_kwargs|extra_body"
    "|search_type|search_kwargs|k|fetch_k|lambda_mult|score_threshold"
)
"""Fields of chat models and retrievers that change what they do and are no secret by themselves."""
_ADDRESSES: Final = re.compile(
    "(?:openai_api_|api_|azure_)?(?:base|base_url|endpoint|endpoint_url)|anthropic_api_url|server_url|host"
)
_SECRET: Final = re.compile(
    r"secret|passw|credential|cookie|header|bearer|authori[sz]|private|signature"
    r"|(?:^|[_-])(?:(?:api|access|auth|service|account)?[_-]?keys?|token|auth|pwd|sig|sas)$",
    re.IGNORECASE,
)
_DEEPEST: Final = 12


def describe(value: object, depth: int = 0) -> Any:
    """Return what an object is, as JSON values.

    Example:
        >>> describe({"temperature": 0.5, "api_key": "sk-1"})
        {'temperature': 0.5}
    """
    if value is None or isinstance(value, bool | int | float | str | Path | enum.Enum | np.generic):
        return _plain(value)
    if isinstance(value, NamedModel | BaseChatModel):
        return describe_model(named(value))
    if isinstance(value, Template | BasePromptTemplate):
        return {"class": _class(value), "sha256": _sum(_text_of(value))}
    if inspect.isroutine(value):
        return _function(value)
    if depth >= _DEEPEST:
        return _class(value)
    return _composed(value, depth + 1)


def _plain(value: object) -> Any:
    if isinstance(value, enum.Enum):
        return _plain(value.value)
    if isinstance(value, np.generic):
        return _plain(value.item())
    finite = not isinstance(value, float) or math.isfinite(value)
    return value if value is None or (finite and isinstance(value, bool | int | float | str)) else str(value)


def _composed(value: object, depth: int) -> Any:
    if isinstance(value, Mapping):
        return _items(((str(name), item) for name, item in value.items()), depth)
    if isinstance(value, np.ndarray):
        return describe(value.tolist(), depth)
    if isinstance(value, Sequence | Set) and not isinstance(value, bytes | bytearray):
        items = [describe(item, depth) for item in value]
        return sorted(items, key=repr) if isinstance(value, Set) else items
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        if isinstance(value, Judged):
            fields["judge"] = value.model  # a name alone does not tell what the environment makes of it
        return {"class": _class(value), **_items(fields.items(), depth)}
    return describe_fields(value, depth)


def describe_fields(value: object, depth: int = 0) -> dict[str, Any]:
    """Return the class of an object, and those of its pydantic fields that are known to matter and to be harmless."""
    told: dict[str, Any] = {"class": _class(value)}
    if isinstance(value, BaseModel):
        names = [name for name in type(value).model_fields if _TOLD.fullmatch(name) or _ADDRESSES.fullmatch(name)]
        told |= _items(((name, getattr(value, name, None)) for name in names), depth + 1)
    if isinstance(value, Embeddings):
        told["name"] = embedding_name(value)
    function = getattr(value, "func", None) or getattr(value, "afunc", None)
    if isinstance(value, Runnable) and inspect.isroutine(function):
        told["function"] = _function(function)
    return {name: item for name, item in told.items() if item not in (None, {}, [])}


def describe_model(model: NamedModel) -> dict[str, Any]:
    """Return what tells a chat model from another: its label, its class and the options that it was made with.

    A local model is known by its weights; the address at which it runs is another one each time.
    """
    told = {"label": model.label, **describe_fields(model.model)}
    if not model.label.startswith(LOCAL_PREFIX):
        # Where the environment says it, only the client knows.
        address = getattr(getattr(model.model, "root_client", None), "base_url", None)
        return told if address is None else {**told, "address": _address(address)}
    told = {name: item for name, item in told.items() if not _ADDRESSES.fullmatch(name)}
    return told | _weights(model.label.removeprefix(LOCAL_PREFIX))


def _weights(name: str) -> dict[str, Any]:
    path = Path(name).expanduser()
    if path.is_file():
        return {"bytes": path.stat().st_size}
    try:
        return {"sha256": [file.sha256 for file in find_model(name, kind="chat").files]}
    except AutomixError:
        return {}


def _items(items: Iterable[tuple[str, object]], depth: int) -> dict[str, Any]:
    return {
        name: _address(item) if _ADDRESSES.fullmatch(name) else describe(item, depth)
        for name, item in items
        if not _SECRET.search(name)
    }


def _address(value: object) -> str | None:
    """Return an address without a user, a password and a query, which can hold keys."""
    if value is None:
        return None
    try:
        parts = urlsplit(str(value))
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    except ValueError:
        return None


def _function(function: Any) -> dict[str, Any]:
    told = {"function": f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', '')}"}
    try:
        return told | {"sha256": _sum(inspect.getsource(function))}
    except (OSError, TypeError):
        return told


def _text_of(template: Template | BasePromptTemplate[Any]) -> str:
    if isinstance(template, Template):
        return template.text
    names = {name: f"<{name}>" for name in template.input_variables}
    return "\n".join(f"{message.type}: {message.text}" for message in template.format_prompt(**names).to_messages())


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _class(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"
