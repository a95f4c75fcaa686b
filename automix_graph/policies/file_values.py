"""Reading what a policy file holds: objects with known keys, texts, and maps of texts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from automix_graph.errors import ConfigurationError


def object_with(name: str, data: Any, keys: Iterable[str]) -> dict[str, Any]:
    """Return an object that has these keys and no others.

    Raises:
        ConfigurationError: it is something else.
    """
    expected = set(keys)
    if not isinstance(data, dict) or data.keys() != expected:
        found = sorted(data) if isinstance(data, dict) else data
        raise ConfigurationError(
            f"{name} holds {found!r}; it must hold {', '.join(sorted(expected))}, and nothing else", code="policy-file"
        )
    return data


def text_of(name: str, value: Any) -> str:
    """Return a text.

    Raises:
        ConfigurationError: it is something else.
    """
    if not isinstance(value, str):
        raise ConfigurationError(f"{name} is {value!r}; use a string", code="policy-file")
    return value


def texts_of(name: str, value: Any) -> dict[str, str]:
    """Return texts by name.

    Raises:
        ConfigurationError: they are something else.
    """
    if not isinstance(value, dict):
        raise ConfigurationError(f"{name} is {value!r}; use an object of strings", code="policy-file")
    return {key: text_of(f"{name}.{key}", item) for key, item in value.items()}
