"""Names of the form ``provider:model`` or ``openai:model@address``, and what providers say when they are not set up.

Each provider's package raises errors of its own from its constructor; here they become one line each.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import ValidationError

from automix_graph.errors import Code, ConfigurationError

_MAX_REASON: Final = 500
_ADDRESSED: Final = re.compile(r"(.+?)@(https?://.*)", re.DOTALL)


def split_spec(spec: str, *, allowed: str) -> tuple[str, str]:
    """Return the provider and the model of a name.

    Args:
        spec: ``provider:model``.
        allowed: what may be given, for the message.

    Raises:
        ConfigurationError: the name has another form.
    """
    provider, _, model = spec.partition(":")
    if not provider.strip() or not model.strip():
        raise ConfigurationError(f"{spec!r} does not name a model; {allowed}", code="unknown-model")
    return provider, model


def without_address(spec: str) -> str:
    """Return the name without the address of its server.

    Example:
        >>> without_address("openai:qwen3-4b@http://127.0.0.1:8001/v1")
        'openai:qwen3-4b'
    """
    found = _ADDRESSED.fullmatch(spec)
    return found[1] if found else spec


def at_address(spec: str) -> dict[str, Any]:
    """Return the arguments that name the server of a model; none where the name has no address.

    The key is that of the provider; a server of one's own often needs none.

    Args:
        spec: ``provider:model`` or ``openai:model@address``.

    Raises:
        ConfigurationError: the address is none, holds more than an address, or is not for an OpenAI-compatible server.
    """
    found = _ADDRESSED.fullmatch(spec)
    if found is None:
        return {}
    name, address = found.groups()
    if not name.startswith("openai:"):
        raise ConfigurationError(
            f"{name!r} is given an address; only models of 'openai' take one (any OpenAI-compatible server): write "
            "'openai:MODEL@ADDRESS', or make the chat model in Python",
            code="unknown-model",
        )
    if not _is_plain(address):
        # What it holds may be a password.
        raise ConfigurationError(
            f"the address of {name!r} cannot be used; write http:// or https://, a host, a port and a path, such as "
            f"'{name}@http://127.0.0.1:8001/v1', without a password, a query or a fragment",
            code="unknown-model",
        )
    return {"base_url": address, "api_key": os.environ.get("OPENAI_API_KEY") or "none"}


def _is_plain(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and parts.port != 0 and not ("@" in parts.netloc or parts.query or parts.fragment)
    except ValueError:
        return False


@contextlib.contextmanager
def provider_errors(spec: str) -> Iterator[None]:
    """Turn whatever a provider raises while its model is made into one line.

    Args:
        spec: the name that was asked for.

    Raises:
        ConfigurationError: instead of any other error.
    """
    try:
        yield
    except ImportError as error:
        hint = "pip install 'automix-graph[openai]'" if spec.startswith("openai:") else _one_line(error)
        raise ConfigurationError(
            f"{spec!r} needs a package that is not installed: {hint}", code="model-package"
        ) from error
    except Exception as error:  # Constructors of providers raise pydantic's, the vendor's and builtin errors.
        code: Code = "unknown-model" if "Unsupported provider" in str(error) else "model-setup"
        raise ConfigurationError(f"{spec!r} cannot be set up: {_one_line(error)}", code=code) from error


def _one_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        # Its text would show the values that were given.
        details = error.errors(include_url=False, include_context=False, include_input=False)
        return "; ".join(f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}" for detail in details)
    line = " ".join(str(error).split())
    return line if len(line) <= _MAX_REASON else f"{line[:_MAX_REASON]}…"
