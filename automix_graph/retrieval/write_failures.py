"""Files of a store that cannot be written: a full disk, a quota, a folder that went away.

Knows errors of the system and of SQLite, and no file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from automix_graph.errors import StoreError


@contextmanager
def as_store_errors(folder: Path, *, what: str, advice: str) -> Iterator[None]:
    """Raise a StoreError in place of the error of a file that cannot be written.

    Args:
        folder: where the file is.
        what: is written.
        advice: what to do about it.

    Example:
        >>> with as_store_errors(Path("index"), what="the store", advice="make room there"):
        ...     raise OSError(28, "No space left on device")
        Traceback (most recent call last):
        automix_graph.errors.StoreError: the store cannot be written to 'index' (No space left on device): make room \
there, and do the same again; what was saved before is kept
    """
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StoreError(
            f"{what} cannot be written to {str(folder)!r} ({reason}): {advice}, and do the same again; "
            "what was saved before is kept",
            path=str(folder),
            code="file-unwritable",
        ) from error
    except sqlite3.Error as error:
        raise StoreError(
            f"{what} cannot be written ({error}): restore the folder from a copy, or build the store again",
            path=str(folder),
        ) from error
