"""What the environment says of the graph that a LangGraph server opens. This module opens and loads nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, TypeVar

from automix_graph.config import (
    DEFAULT_EMBEDDING,
    DEFAULT_K,
    DEFAULT_LARGE,
    DEFAULT_SMALL,
    ENV_AUDIT_MAX_COST,
    ENV_AUDIT_RATE,
    ENV_AUDIT_RECORDS,
    ENV_AUDIT_REDACT,
    ENV_CONDENSE,
    ENV_EMBEDDING,
    ENV_INDEX,
    ENV_K,
    ENV_LANGUAGE,
    ENV_LARGE,
    ENV_MODE,
    ENV_POLICY,
    ENV_REVIEW,
    ENV_SEARCH,
    ENV_SHADOW_RATE,
    ENV_SMALL,
    ENV_TIERS,
    ENV_VERIFIER,
    setting,
)
from automix_graph.errors import ConfigurationError

_SWITCH: Final = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}

_NO_NAMES: Final[tuple[str, ...]] = ()

_Value = TypeVar("_Value")


@dataclass(frozen=True, kw_only=True)
class GraphSettings:
    """What the environment says of the graph.

    Attributes:
        index: folder that ``automix index`` wrote.
        models: names of chat models, cheapest first, at least two.
        verifier: who judges, as for `build_automix`; None: the default one.
        policy: file of the saved policy; None: an answer is kept if the verdict is CORRECT.
        embedding: name of the embedding model of the index.
        k: passages retrieved for a question.
        search: how they are searched: ``"hybrid"``, ``"similarity"`` or ``"bm25"``.
        language: of the prompts: ``"auto"``, ``"en"`` or ``"zh"``.
        condense: whether a follow-up question is first made to stand alone.
        review: decisions that a person is asked about: ``"escalate"``, ``"abstain"``.
        mode: who answers: ``"cascade"``, or ``"shadow"`` for the large model alone while the cascade is watched.
        shadow_rate: share that is watched in shadow mode, in [0, 1]; None: all.
        audit_rate: share of the questions of a cascade that is recorded and checked, in [0, 1].
        audit_records: file of the records of both; None: nothing is recorded.
        audit_max_cost: ceiling on what their background calls cost together, in USD; None: there is none.
        audit_redact: whether they hold lengths in place of texts.

    Example:
        >>> GraphSettings(index=Path("index"), condense=True).k
        4
    """

    index: Path
    models: tuple[str, ...] = (DEFAULT_SMALL, DEFAULT_LARGE)
    verifier: str | None = None
    policy: Path | None = None
    embedding: str = DEFAULT_EMBEDDING
    k: int = DEFAULT_K
    search: str = "hybrid"
    language: str = "auto"
    condense: bool = False
    review: tuple[str, ...] = ()
    mode: str = "cascade"
    shadow_rate: float | None = None
    audit_rate: float = 0.0
    audit_records: Path | None = None
    audit_max_cost: float | None = None
    audit_redact: bool = False

    @classmethod
    def from_environment(cls) -> Self:
        """Read the settings. A variable that is set but empty counts as not set.

        Raises:
            ConfigurationError: a variable is missing, or its value cannot be used.
        """
        found = cls(
            index=_index(),
            models=_models(),
            verifier=_read(ENV_VERIFIER, str, None),
            policy=_read(ENV_POLICY, Path, None),
            embedding=setting(None, env=ENV_EMBEDDING, default=DEFAULT_EMBEDDING),
            k=_read(ENV_K, _count, DEFAULT_K),
            search=_read(ENV_SEARCH, str, cls.search),
            language=_read(ENV_LANGUAGE, str, cls.language),
            condense=_read(ENV_CONDENSE, _switch, cls.condense),
            review=_read(ENV_REVIEW, _names, cls.review),
            mode=_read(ENV_MODE, str, cls.mode),
            shadow_rate=_read(ENV_SHADOW_RATE, _number, None),
            audit_rate=_read(ENV_AUDIT_RATE, _number, cls.audit_rate),
            audit_records=_read(ENV_AUDIT_RECORDS, Path, None),
            audit_max_cost=_read(ENV_AUDIT_MAX_COST, _number, None),
            audit_redact=_read(ENV_AUDIT_REDACT, _switch, cls.audit_redact),
        )
        _require_place_for_records(found)
        return found


def _read(env: str, read: Callable[[str], _Value], default: _Value) -> _Value:
    value = os.environ.get(env, "").strip()
    if not value:
        return default
    try:
        return read(value)
    except ValueError as error:
        raise ConfigurationError(f"{env} is {value!r}; {error}", code="server-environment") from None


def _index() -> Path:
    index = _read(ENV_INDEX, Path, None)
    if index is None:
        raise ConfigurationError(
            f"{ENV_INDEX} is not set; make an index with 'automix index PATH… --out DIR', and set {ENV_INDEX} to DIR "
            "in the environment or in the .env file beside langgraph.json",
            code="server-environment",
        )
    return index


def _models() -> tuple[str, ...]:
    tiers = _read(ENV_TIERS, _names, _NO_NAMES)
    if not tiers:
        return setting(None, env=ENV_SMALL, default=DEFAULT_SMALL), setting(None, env=ENV_LARGE, default=DEFAULT_LARGE)
    also = [name for name in (ENV_SMALL, ENV_LARGE) if os.environ.get(name)]
    if also:
        raise ConfigurationError(
            f"{ENV_TIERS} and {' and '.join(also)} are set; {ENV_TIERS} names all models, so unset the rest",
            code="server-environment",
        )
    if len(tiers) < 2:
        raise ConfigurationError(
            f"{ENV_TIERS} is {tiers[0]!r}; name two or more models, cheapest first, with commas between",
            code="server-environment",
        )
    return tiers


def _require_place_for_records(settings: GraphSettings) -> None:
    sampled = settings.mode == "shadow" or settings.audit_rate > 0
    if sampled and settings.audit_records is None:
        raise ConfigurationError(
            f"{ENV_AUDIT_RECORDS} is not set; shadow mode and audits need a file for their records",
            code="server-environment",
        )
    unused = {
        ENV_AUDIT_RECORDS: settings.audit_records,
        ENV_AUDIT_MAX_COST: settings.audit_max_cost,
        ENV_AUDIT_REDACT: settings.audit_redact,
    }
    if not sampled and (given := [name for name, value in unused.items() if value]):
        raise ConfigurationError(
            f"{given[0]} is set and nothing is recorded; set {ENV_MODE}=shadow or {ENV_AUDIT_RATE} too",
            code="server-environment",
        )


def _names(value: str) -> tuple[str, ...]:
    return tuple(name for part in value.split(",") if (name := part.strip()))


def _count(value: str) -> int:
    if not value.isdecimal() or int(value) < 1:
        raise ValueError("use a whole number of at least 1")
    return int(value)


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise ValueError("use a number") from None


def _switch(value: str) -> bool:
    if value.lower() not in _SWITCH:
        raise ValueError("use true or false")
    return _SWITCH[value.lower()]
