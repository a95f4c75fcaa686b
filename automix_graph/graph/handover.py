"""Records on their way from node to node: sealed in the state, and at hand in the process that sealed them.

What travels is the sealed text, so that any checkpointer stores it and any process goes on from it. The process that
sealed it mostly reads it next, and is then spared the reading. A record at hand is the value of its sealed text, so
whichever of the two a node gets makes no difference.
"""

from __future__ import annotations

import threading
from typing import Final

from automix_graph.records import Record

_MOST: Final = 4096
"""Questions on their way at one time in this process; records of more are read from their text."""
_LONGEST: Final = 32 * 2**20
"""Characters of all their sealed texts: a question that fails, or waits for a person, leaves its record behind."""


class _AtHand:
    """Records by their sealed texts, the oldest dropped first.

    Args:
        most: records.
        longest: characters of their sealed texts together.
    """

    def __init__(self, most: int, longest: int = _LONGEST) -> None:
        self._most = most
        self._longest = longest
        self._length = 0
        self._lock = threading.Lock()
        self._records: dict[str, Record] = {}

    def keep(self, sealed: str, record: Record) -> None:
        with self._lock:
            self._forget(sealed)
            self._records[sealed] = record
            self._length += len(sealed)
            while len(self._records) > self._most or self._length > self._longest:
                self._forget(next(iter(self._records)))

    def take(self, sealed: str) -> Record | None:
        with self._lock:
            return self._forget(sealed)

    def _forget(self, sealed: str) -> Record | None:
        record = self._records.pop(sealed, None)
        self._length -= 0 if record is None else len(sealed)
        return record


_at_hand: Final = _AtHand(_MOST)


def hand_on(record: Record) -> str:
    """Return a record sealed, for the node that comes next."""
    sealed = record.seal()
    _at_hand.keep(sealed, record)
    return sealed


def taken(sealed: str) -> Record:
    """Return the record that another node handed on, here or in another process.

    Example:
        >>> record = Record(question="When?", language="en", prompts="0" * 64)
        >>> taken(hand_on(record)) == taken(record.seal()) == record
        True
    """
    record = _at_hand.take(sealed)
    return Record.unseal(sealed) if record is None else record
