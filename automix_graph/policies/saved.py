"""Policies in files: small JSON that people can read, so that what was chosen on records decides in production.

A file holds ``schema_version``, the ``policy`` by name, and its parameters (`policies.forms`). One that was calibrated
also holds ``calibration``: what it was made for and what was found (`policies.provenance`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from automix_graph.errors import ConfigurationError
from automix_graph.files import replace_file
from automix_graph.policies.forms import policy_from_data, policy_to_data
from automix_graph.policies.made_for import bind
from automix_graph.policies.policy import Policy
from automix_graph.policies.provenance import Provenance

SCHEMA_VERSION: Final = 1
_CALIBRATION: Final = "calibration"


def save_policy(policy: Policy, path: str | Path, *, provenance: Provenance | None = None) -> None:
    """Write a policy to a file.

    The file is there whole or not at all: it is written under another name first.

    Args:
        policy: one of this package; policies of your own are code, which a file does not hold.
        path: of the file; one that is there is replaced.
        provenance: where the policy comes from; a graph with other parts than it was made for refuses it.

    Raises:
        ConfigurationError: the policy is of another kind, a fact of its provenance is NaN or infinite, or the file
            cannot be written.

    Example:
        >>> import tempfile
        >>> from automix_graph.policies import Threshold
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_policy(Threshold(0.7), Path(folder, "policy.json"))
        ...     load_policy(Path(folder, "policy.json"))
        Threshold(minimum=0.7)
    """
    path = Path(path)
    data = {"schema_version": SCHEMA_VERSION, **policy_to_data(policy)}
    if provenance is not None:
        data[_CALIBRATION] = provenance.to_data()
    try:
        text = json.dumps(data, indent=2, allow_nan=False) + "\n"
    except ValueError as error:
        raise ConfigurationError(
            f"policy {policy.name!r} cannot be written with what it was made for: {error}; use finite numbers"
        ) from error
    try:
        replace_file(path, text.encode())
    except OSError as error:
        raise ConfigurationError(
            f"policy file {str(path)!r} cannot be written: {error.strerror or error}", code="file-unwritable"
        ) from error


def load_policy(path: str | Path, *, check: bool = True) -> Policy:
    """Read a policy that `save_policy` wrote.

    Args:
        path: of the file.
        check: whether a graph with other models, prompts or another verifier than the policy was calibrated for is to
            refuse it. A policy that tells nothing of that is accepted everywhere.

    Raises:
        ConfigurationError: the file cannot be read, or holds no policy that this version knows.
    """
    policy, provenance = _read(Path(path))
    if check and provenance is not None and provenance.made_for is not None:
        bind(policy, provenance.made_for)
    return policy


def load_provenance(path: str | Path) -> Provenance | None:
    """Read where a saved policy comes from; None if its file does not tell.

    Raises:
        ConfigurationError: as for `load_policy`.
    """
    return _read(Path(path))[1]


def _read(path: Path) -> tuple[Policy, Provenance | None]:
    data = _object(path)
    try:
        if "schema_version" not in data:
            raise ConfigurationError("it holds no policy: it has no schema_version", code="policy-file")
        version = data.pop("schema_version")
        if version != SCHEMA_VERSION or isinstance(version, bool):
            raise ConfigurationError(
                f"it has schema_version {version!r}, and this version of automix-graph reads {SCHEMA_VERSION}: upgrade "
                "automix-graph, or save the policy again",
                code="policy-file",
            )
        provenance = Provenance.from_data(data.pop(_CALIBRATION)) if _CALIBRATION in data else None
        return policy_from_data(data), provenance
    except ConfigurationError as error:
        raise ConfigurationError(f"policy file {str(path)!r} cannot be used: {error}", code="policy-file") from error


def _object(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"policy file {str(path)!r} cannot be read: {error.strerror or error}", code="policy-file"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(
            f"policy file {str(path)!r} is no JSON: {error}; save the policy again", code="policy-file"
        ) from error
    if not isinstance(data, dict):
        raise ConfigurationError(
            f"policy file {str(path)!r} holds a {type(data).__name__}; it must be a JSON object", code="policy-file"
        )
    return data
