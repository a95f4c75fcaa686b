"""A warning where calls of a model fail for a reason that lasts: a wrong key, a name that nobody knows, no credit.

A question goes on without the model, so that nothing else would tell that each of them does. Each reason is told once
in a process, and later at debug level. The message is that of the error, which holds no word of a provider or user.
"""

from __future__ import annotations

import functools
import logging
from typing import Final

from automix_graph.errors import ModelCallError
from automix_graph.models.failures import Failure

_LASTING: Final = frozenset({401, 404})
"""Not 403, which is also said to an option that a model does not take, such as log-probabilities."""

_REMEMBERED: Final = 256

_log: Final = logging.getLogger(__name__)


def tell(error: ModelCallError, failure: Failure) -> None:
    """Log why a call failed: as a warning where the reason lasts and was not told yet.

    Args:
        error: what the failure is to the graph.
        failure: what the provider's exception means.
    """
    if failure.kind == "out_of_quota" or failure.status in _LASTING:
        _warn_once(str(error))
    _log.debug("%s", error, exc_info=error.__cause__)


@functools.lru_cache(maxsize=_REMEMBERED)
def _warn_once(message: str) -> None:
    _log.warning("%s (told once)", message)
