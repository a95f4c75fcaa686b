"""Policies in files: small JSON that people can read, so that what was chosen on records decides in production.

A file holds ``schema_version``, the ``policy`` by name, and its parameters. Other keys are refused, since a file that
says more than is understood would decide otherwise than it says.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from automix_graph.errors import ConfigurationError
from automix_graph.policies.policy import Policy
from automix_graph.policies.threshold import AcceptCorrect, Threshold

SCHEMA_VERSION: Final = 1


def save_policy(policy: Policy, path: str | Path) -> None:
    """Write a policy to a file.

    The file is there whole or not at all: it is written under another name first.

    Args:
        policy: a `Threshold` or `AcceptCorrect`; other policies are code, which a file does not hold.
        path: of the file; one that is there is replaced.

    Raises:
        ConfigurationError: the policy is of another kind, or the file cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_policy(Threshold(0.7), Path(folder, "policy.json"))
        ...     load_policy(Path(folder, "policy.json"))
        Threshold(minimum=0.7)
    """
    path = Path(path)
    text = json.dumps({"schema_version": SCHEMA_VERSION, **_data(policy)}, indent=2) + "\n"
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
        return _policy(data)
    except ConfigurationError as error:
        raise ConfigurationError(f"policy file {str(path)!r} cannot be used: {error}") from error


def _data(policy: Policy) -> dict[str, Any]:
    match policy:
        case AcceptCorrect():
            return {"policy": "accept-correct"}
        case Threshold(minimum=minimum):
            return {"policy": "threshold", "minimum": float(minimum)}
        case _:
            raise ConfigurationError(
                f"policy {policy!r} cannot be saved; Threshold and AcceptCorrect can, others are code: give the object"
            )


def _policy(data: Mapping[str, Any]) -> Policy:
    version, name = data.get("schema_version"), data.get("policy")
    if version != SCHEMA_VERSION or isinstance(version, bool):
        raise ConfigurationError(
            f"it has schema_version {version!r}, and this version of automix-graph reads {SCHEMA_VERSION}: upgrade "
            "automix-graph, or save the policy again"
        )
    reader = _READERS.get(name) if isinstance(name, str) else None
    if reader is None:
        raise ConfigurationError(f"its policy is {name!r}; known are {', '.join(map(repr, _READERS))}")
    return reader({key: value for key, value in data.items() if key not in {"schema_version", "policy"}})


def _accept_correct(parameters: Mapping[str, Any]) -> AcceptCorrect:
    _require(parameters, set())
    return AcceptCorrect()


def _threshold(parameters: Mapping[str, Any]) -> Threshold:
    _require(parameters, {"minimum"})
    minimum = parameters["minimum"]
    if isinstance(minimum, bool) or not isinstance(minimum, int | float):
        raise ConfigurationError(f"minimum is {minimum!r}; use a number in [0, 1]")
    return Threshold(float(minimum))


_READERS: Final[dict[str, Callable[[Mapping[str, Any]], Policy]]] = {
    "accept-correct": _accept_correct,
    "threshold": _threshold,
}


def _require(parameters: Mapping[str, Any], names: set[str]) -> None:
    missing, unknown = names - parameters.keys(), parameters.keys() - names
    if missing:
        raise ConfigurationError(f"it lacks {', '.join(map(repr, sorted(missing)))}")
    if unknown:
        raise ConfigurationError(
            f"it holds {', '.join(map(repr, sorted(unknown)))}, which its policy does not know; take that out"
        )


def _replace(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
