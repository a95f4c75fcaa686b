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
    ENV_EMBEDDING,
    ENV_LARGE,
    ENV_SMALL,
    setting,
)
from automix_graph.errors import ConfigurationError

ENV_INDEX: Final = "AUTOMIX_INDEX"
ENV_TIERS: Final = "AUTOMIX_TIERS"
ENV_VERIFIER: Final = "AUTOMIX_VERIFIER"
ENV_POLICY: Final = "AUTOMIX_POLICY"
ENV_K: Final = "AUTOMIX_K"
ENV_SEARCH: Final = "AUTOMIX_SEARCH"
ENV_LANGUAGE: Final = "AUTOMIX_LANGUAGE"
ENV_CONDENSE: Final = "AUTOMIX_CONDENSE"
ENV_REVIEW: Final = "AUTOMIX_REVIEW"

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

    @classmethod
    def from_environment(cls) -> Self:
        """Read the settings. A variable that is set but empty counts as not set.

        Raises:
            ConfigurationError: a variable is missing, or its value cannot be used.
        """
        return cls(
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
        )


def _read(env: str, read: Callable[[str], _Value], default: _Value) -> _Value:
    value = os.environ.get(env, "").strip()
    if not value:
        return default
    try:
        return read(value)
    except ValueError as error:
        raise ConfigurationError(f"{env} is {value!r}; {error}") from None


def _index() -> Path:
    index = _read(ENV_INDEX, Path, None)
    if index is None:
        raise ConfigurationError(
            f"{ENV_INDEX} is not set; make an index with 'automix index PATH… --out DIR', and set {ENV_INDEX} to DIR "
            "in the environment or in the .env file beside langgraph.json"
        )
    return index


def _models() -> tuple[str, ...]:
    tiers = _read(ENV_TIERS, _names, _NO_NAMES)
    if not tiers:
        return setting(None, env=ENV_SMALL, default=DEFAULT_SMALL), setting(None, env=ENV_LARGE, default=DEFAULT_LARGE)
    also = [name for name in (ENV_SMALL, ENV_LARGE) if os.environ.get(name)]
    if also:
        raise ConfigurationError(
            f"{ENV_TIERS} and {' and '.join(also)} are set; {ENV_TIERS} names all models, so unset the rest"
        )
    if len(tiers) < 2:
        raise ConfigurationError(
            f"{ENV_TIERS} is {tiers[0]!r}; name two or more models, cheapest first, with commas between"
        )
    return tiers


def _names(value: str) -> tuple[str, ...]:
    return tuple(name for part in value.split(",") if (name := part.strip()))


def _count(value: str) -> int:
    if not value.isdecimal() or int(value) < 1:
        raise ValueError("use a whole number of at least 1")
    return int(value)


def _switch(value: str) -> bool:
    if value.lower() not in _SWITCH:
        raise ValueError("use true or false")
    return _SWITCH[value.lower()]
