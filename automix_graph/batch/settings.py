"""What decides the answers of a batch, as JSON values, so that a changed configuration is noticed.

A compiled graph does not tell what it was made of. So this is told beside it: by `settings_of` from the same parts, or
by the user in words of their own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from automix_graph.batch.options import BatchOptions
from automix_graph.costs import Limits
from automix_graph.errors import ConfigurationError
from automix_graph.graph.all_tiers import AllTiers
from automix_graph.graph.defaults import choose_policy
from automix_graph.policies import Policy
from automix_graph.recording.description import describe
from automix_graph.recording.settings import Settings

SCHEMA_VERSION: Final = 2
"""Of the lines of a journal, and so of the rows of an output."""


def settings_of(tiers: AllTiers, policy: Policy | None = None, limits: Limits | None = None) -> dict[str, Any]:
    """Return what decides the answers of a cascade: models, prompts, verifiers, the index, policy and limits.

    Args:
        tiers: made of what the graph was made of.
        policy: of the graph.
        limits: of the graph.

    Example:
        >>> from automix_graph.testing import ScriptedChatModel
        >>> settings = settings_of(AllTiers(small=ScriptedChatModel([]), large=ScriptedChatModel([], label="big")))
        >>> settings["large"]["label"], settings["policy"]["name"]
        ('big', 'accept-correct')
    """
    follows = choose_policy(policy)
    described = describe(follows)
    told = described if isinstance(described, dict) else {"value": described}
    cascade = {name: part for name, part in Settings.of(tiers, None).described.items() if name != "scorer"}
    return {**cascade, "policy": {"name": follows.name, **told}, "limits": describe(limits)}


def unpriced(tiers: AllTiers) -> tuple[str, ...]:
    """Return the labels of the models of a cascade whose prices are unknown, each once."""
    parts = tiers.parts
    return tuple(label for label in dict.fromkeys(parts.labels) if parts.prices.price(label) is None)


def journal_settings(settings: Mapping[str, Any] | None, options: BatchOptions) -> Settings:
    """Return what all lines of a journal have in common.

    Raises:
        ConfigurationError: the settings are no JSON values.
    """
    rows = {"question": options.with_question, "texts": options.with_texts}
    found = Settings(described={**(settings or {}), "rows": rows, "schema_version": SCHEMA_VERSION})
    try:
        return Settings(described=json.loads(found.to_json())["settings"])
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"settings hold what JSON cannot: {error}; give texts, numbers, lists, dicts"
        ) from error
