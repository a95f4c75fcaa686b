"""A cache of answers and verifications: what a model said to the same prompt need not be paid for again.

What is kept is what a model wrote, never what was decided: retrieval and the policy are run for every question. Its key
is a sum over all that it depends on, so that nothing has to be thrown away when an index, a prompt, a model or a
setting changes: what was kept under the old key is not found any more. This module knows no node; what is asked for and
kept is up to `automix_graph.graph.remembering`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from langgraph.cache.base import BaseCache

from automix_graph.errors import ConfigurationError
from automix_graph.models.failures import is_failure, kind_of
from automix_graph.records import Record

Kept = Literal["answers", "verifications"]
"""What is kept, each under a namespace ``("automix", KIND)`` of the store."""

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class AnswerCache:
    """A cache in a store of LangGraph's, which several graphs and processes may share.

    A store that fails never fails a question: what cannot be read was not there, and what cannot be kept is not.

    Attributes:
        store: `langgraph.cache.memory.InMemoryCache`, ``SqliteCache`` or ``RedisCache``. It holds the texts of answers;
            whoever can write to it can make answers up.
        seconds: how long something is kept; None: until the store drops it, which the first two never do.

    Raises:
        ConfigurationError: the store is none, or the seconds are no positive whole number.

    Example:
        >>> from langgraph.cache.memory import InMemoryCache
        >>> AnswerCache(store=InMemoryCache(), seconds=3600).seconds
        3600
    """

    store: BaseCache[Any]
    seconds: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.store, BaseCache):
            raise ConfigurationError(
                f"cache is {self.store!r}; give a cache of LangGraph such as langgraph.cache.memory.InMemoryCache(), "
                "or an AnswerCache of one"
            )
        whole = isinstance(self.seconds, int) and not isinstance(self.seconds, bool)
        if self.seconds is not None and not (whole and self.seconds > 0):
            raise ConfigurationError(f"seconds is {self.seconds!r}; use a whole number above 0, or None")

    @classmethod
    def of(cls, cache: BaseCache[Any] | AnswerCache | None) -> AnswerCache | None:
        """Return the cache that `build_automix` was given."""
        return cache if cache is None or isinstance(cache, AnswerCache) else cls(store=cache)

    def get(self, kind: Kept, key: str) -> Record | None:
        """Return what was kept; None where nothing was that can be read."""
        place = (("automix", kind), key)
        try:
            return _read(self.store.get([place]), place)
        except Exception as error:
            _told(error)
            return None

    async def aget(self, kind: Kept, key: str) -> Record | None:
        """Return what was kept, asynchronously; see `get`."""
        place = (("automix", kind), key)
        try:
            return _read(await self.store.aget([place]), place)
        except Exception as error:
            _told(error)
            return None

    def set(self, kind: Kept, key: str, kept: Record) -> None:
        """Keep a part of a record."""
        try:
            self.store.set({(("automix", kind), key): (kept.to_json(), self.seconds)})
        except Exception as error:
            _told(error)

    async def aset(self, kind: Kept, key: str, kept: Record) -> None:
        """Keep a part of a record, asynchronously."""
        try:
            await self.store.aset({(("automix", kind), key): (kept.to_json(), self.seconds)})
        except Exception as error:
            _told(error)


def _read(found: Mapping[Any, Any], place: object) -> Record | None:
    return Record.from_json(found[place]) if place in found else None


def _told(error: Exception) -> None:
    if not is_failure(error):
        raise error
    _log.warning("the cache of answers failed (%s); the model is asked", kind_of(error))
    _log.debug("the cache of answers raised", exc_info=error)
