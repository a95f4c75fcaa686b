"""Names of the form ``provider:model``, and what providers say when they are not set up.

Each provider's package raises errors of its own from its constructor; here they become one line each.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

from pydantic import ValidationError

from automix_graph.errors import Code, ConfigurationError

_MAX_REASON: Final = 500


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
