"""Policies in files: small JSON that people can read, so that what was chosen on records decides in production.

A file holds ``schema_version``, the ``policy`` by name, and its parameters (`policies.forms`).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

from automix_graph.errors import ConfigurationError
from automix_graph.policies.forms import policy_from_data, policy_to_data
from automix_graph.policies.policy import Policy

SCHEMA_VERSION: Final = 1


def save_policy(policy: Policy, path: str | Path) -> None:
    """Write a policy to a file.

    The file is there whole or not at all: it is written under another name first.

    Args:
        policy: one of this package; policies of your own are code, which a file does not hold.
        path: of the file; one that is there is replaced.

    Raises:
        ConfigurationError: the policy is of another kind, or the file cannot be written.

    Example:
        >>> import tempfile
        >>> from automix_graph.policies import Threshold
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_policy(Threshold(0.7), Path(folder, "policy.json"))
        ...     load_policy(Path(folder, "policy.json"))
        Threshold(minimum=0.7)
    """
    path = Path(path)
    text = json.dumps({"schema_version": SCHEMA_VERSION, **policy_to_data(policy)}, indent=2) + "\n"
    try:
        _replace(path, text)
    except OSError as error:
        raise ConfigurationError(f"policy file {str(path)!r} cannot be written: {error.strerror or error}") from error


def load_policy(path: str | Path) -> Policy:
    """Read a policy that `save_policy` wrote.

    Raises:
        ConfigurationError: the file cannot be read, or holds no policy that this version knows.
    """
    path = Path(path)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"policy file {str(path)!r} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ConfigurationError(f"policy file {str(path)!r} is no JSON: {error}; save the policy again") from error
    if not isinstance(data, dict):
        raise ConfigurationError(f"policy file {str(path)!r} holds a {type(data).__name__}; it must be a JSON object")
    try:
        version = data.pop("schema_version", None)
        if version != SCHEMA_VERSION or isinstance(version, bool):
            raise ConfigurationError(
                f"it has schema_version {version!r}, and this version of automix-graph reads {SCHEMA_VERSION}: upgrade "
                "automix-graph, or save the policy again"
            )
        return policy_from_data(data)
    except ConfigurationError as error:
        raise ConfigurationError(f"policy file {str(path)!r} cannot be used: {error}") from error


def _replace(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
