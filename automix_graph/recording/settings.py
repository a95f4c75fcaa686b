"""What all records of a file have in common: models, prompts, verifier, retrieval and scorer, and a sum over it.

Two runs may go into one file exactly if their settings are equal. The settings are also kept in words, so that an error
can say what differs; keys and passwords are never among them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from langchain_core.documents import Document
from langchain_core.runnables import Runnable
from langchain_core.vectorstores import VectorStoreRetriever

from automix_graph.graph.all_tiers import AllTiers
from automix_graph.graph.parts import Parts, TierParts
from automix_graph.prompts import PromptChoice
from automix_graph.recording.description import describe, describe_fields, describe_model
from automix_graph.recording.scoring import Scorer
from automix_graph.records import SCHEMA_VERSION
from automix_graph.retrieval import FaissStore
from automix_graph.retrieval.manifest import Manifest

SETTINGS_LINE: Final = b'{"fingerprint":"'
"""How the first line of a file of records begins."""

_MOST_DIFFERENCES: Final = 5
_LONGEST: Final = 80


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What records have in common.

    Attributes:
        described: as JSON values.
    """

    described: Mapping[str, Any]

    @classmethod
    def of(cls, tiers: AllTiers, scorer: Scorer | None) -> Self:
        """Return the settings of a run.

        Args:
            tiers: whom the questions are asked.
            scorer: how answers are scored; None where they are not.
        """
        parts = tiers.parts
        return cls(
            described={
                "schema_version": SCHEMA_VERSION,
                **{tier.name: _tier(tier, parts) for tier in parts.tiers},
                "retrieval": _retrieval(tiers.retriever),
                "scorer": None if scorer is None else scorer.settings(),
            }
        )

    @property
    def fingerprint(self) -> str:
        """Sha256 over all of it, in hexadecimal."""
        canonical = json.dumps(self.described, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode("ascii")).hexdigest()

    def to_json(self) -> str:
        """Return the first line of a file of records."""
        data = {"fingerprint": self.fingerprint, "settings": dict(self.described)}
        return json.dumps(data, separators=(",", ":"), allow_nan=False)

    def differences(self, there: Mapping[str, Any]) -> tuple[str, ...]:
        """Return in words what differs from other settings, at most a few.

        Example:
            >>> Settings(described={"small": {"label": "a"}, "k": 4}).differences({"small": {"label": "b"}, "k": 4})
            ("small.label is 'b' in the file, and 'a' now",)
        """
        now, before = _flat(self.described), _flat(there)
        names = [name for name in (*now, *(name for name in before if name not in now))]
        found = [name for name in names if now.get(name) != before.get(name)]
        told = [
            f"{name} is {_shown(before.get(name))} in the file, and {_shown(now.get(name))} now"
            for name in found[:_MOST_DIFFERENCES]
        ]
        left = len(found) - len(told)
        return (*told, f"{left} more") if left else tuple(told)


def _tier(tier: TierParts, parts: Parts) -> dict[str, Any]:
    told = {**describe_model(tier.model), "prompts": _fingerprints(parts.answer_prompts(tier.model))}
    if tier.model.fallbacks:
        told["fallbacks"] = [describe_model(fallback) for fallback in tier.model.fallbacks]
    if tier.verifier is not None:
        verifier = {"method": tier.verifier.method, **_as_mapping(describe(tier.verifier))}
        told["verifier"] = {**verifier, "prompts": _fingerprints(parts.prompts)}
    return told


def _fingerprints(choice: PromptChoice) -> dict[str, str]:
    return {name: prompts.fingerprint for name, prompts in choice.by_language.items()}


def _retrieval(retriever: Runnable[str, list[Document]] | None) -> dict[str, Any] | str:
    if retriever is None:
        return "own context"
    told = describe_fields(retriever)
    if isinstance(retriever, VectorStoreRetriever):
        told["store"] = _store(retriever.vectorstore)
    return told


def _store(store: object) -> dict[str, Any]:
    told = describe_fields(store)
    if not isinstance(store, FaissStore):
        return told
    told["passages"] = len(store)
    if store.path is not None:
        manifest = Manifest.read(store.path)
        told |= {
            "embedding": manifest.embedding.name,
            "metric": manifest.metric,
            "sha256": [file.sha256 for file in manifest.files],
        }
    return told


def _as_mapping(described: Any) -> dict[str, Any]:
    return described if isinstance(described, dict) else {"value": described}


def _flat(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
