"""Errors that cross from actors and tasks to the process that called them, as they were raised there."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from automix_graph.engines.engine import EngineError


@dataclass(frozen=True, kw_only=True)
class Raised:
    """What stands in place of a result where an error was raised.

    Attributes:
        error: as bytes.
    """

    error: bytes

    def reraise(self) -> None:
        """Raise the error."""
        raise pickle.loads(self.error)


def sealed(error: Exception) -> bytes:
    """Return an error as bytes; one that cannot be sent becomes an `EngineError` with its kind.

    Example:
        >>> pickle.loads(sealed(ValueError("no")))
        ValueError('no')
    """
    try:
        content = pickle.dumps(error)
        pickle.loads(content)
    except Exception:
        return pickle.dumps(EngineError(f"an actor raised {type(error).__name__}; see its log on the cluster"))
    return content


@contextmanager
def failures_told() -> Iterator[None]:
    """Tell failures of the cluster in words.

    Raises:
        EngineError: something failed in the cluster.
    """
    from ray.exceptions import RayError

    try:
        yield
    except (RayError, ConnectionError) as error:
        raise EngineError(
            f"the Ray cluster failed ({type(error).__name__}); what is done until now is kept: run the same again"
        ) from error
