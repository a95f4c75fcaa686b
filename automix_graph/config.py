"""Defaults and where they can be changed; the one place that knows them.

Precedence is call > environment > default. Nothing is read at import; the command line lets click read the variables.
"""

from __future__ import annotations

import os
from typing import Final

DEFAULT_SMALL: Final = "local:qwen2.5-coder-0.5b-instruct"
DEFAULT_LARGE: Final = "local:qwen2.5-coder-1.5b-instruct"
DEFAULT_EMBEDDING: Final = "local:all-minilm-l6-v2"
DEFAULT_K: Final = 4
"""Passages retrieved for a question."""

ENV_SMALL: Final = "AUTOMIX_SMALL"
ENV_LARGE: Final = "AUTOMIX_LARGE"
ENV_EMBEDDING: Final = "AUTOMIX_EMBEDDING"
ENV_CACHE_DIR: Final = "AUTOMIX_CACHE_DIR"
ENV_API_KEYS: Final = "AUTOMIX_API_KEYS"

ENV_INDEX: Final = "AUTOMIX_INDEX"
ENV_TIERS: Final = "AUTOMIX_TIERS"
ENV_VERIFIER: Final = "AUTOMIX_VERIFIER"
ENV_POLICY: Final = "AUTOMIX_POLICY"
ENV_K: Final = "AUTOMIX_K"
ENV_SEARCH: Final = "AUTOMIX_SEARCH"
ENV_LANGUAGE: Final = "AUTOMIX_LANGUAGE"
ENV_CONDENSE: Final = "AUTOMIX_CONDENSE"
ENV_REVIEW: Final = "AUTOMIX_REVIEW"
ENV_MODE: Final = "AUTOMIX_MODE"
ENV_SHADOW_RATE: Final = "AUTOMIX_SHADOW_RATE"
ENV_AUDIT_RATE: Final = "AUTOMIX_AUDIT_RATE"
ENV_AUDIT_RECORDS: Final = "AUTOMIX_AUDIT_RECORDS"
ENV_AUDIT_MAX_COST: Final = "AUTOMIX_AUDIT_MAX_COST"
ENV_AUDIT_REDACT: Final = "AUTOMIX_AUDIT_REDACT"


def setting(value: str | None, *, env: str, default: str) -> str:
    """Return the value of the call, else of the environment variable, else the default.

    A value that is given but empty is a mistake, and is returned for the caller to refuse; an environment variable that
    is set but empty counts as not set.

    Example:
        >>> setting(None, env="AUTOMIX_NOT_SET", default="local:x"), setting("local:y", env="HOME", default="local:x")
        ('local:x', 'local:y')
    """
    return (os.environ.get(env) or default) if value is None else value
