"""Asking a verifier without letting its failure through: what it raises becomes a judgement that judges nothing.

This is the one place that says what a verifier's exception means. What means no failure (a mistake in code, what
LangGraph raises to pause a graph) is raised again.
"""

from __future__ import annotations

import logging
from typing import Final

from langchain_core.runnables import RunnableConfig

from automix_graph.errors import ConfigurationError
from automix_graph.models.calling import is_failure, kind_of, reason_of
from automix_graph.records import Call
from automix_graph.verification.verifier import Case, Judgement, Verifier, failed

_log: Final = logging.getLogger(__name__)


class UnusableScoreError(ConfigurationError):
    """A verifier that was asked, and returned what is no judgement.

    Attributes:
        calls: the model calls that were made before, to be charged.
    """

    def __init__(self, message: str, *, calls: tuple[Call, ...] = ()) -> None:
        super().__init__(message)
        self.calls = calls


def ask(verifier: Verifier, case: Case, config: RunnableConfig | None = None) -> Judgement:
    """Return what a verifier found; one that raised has failed.

    Raises:
        ConfigurationError: it returned no `Judgement`.
    """
    try:
        judgement = verifier.verify(case, config)
    except Exception as error:
        return failure_of(verifier.method, error)
    return _checked(verifier, judgement)


async def aask(verifier: Verifier, case: Case, config: RunnableConfig | None = None) -> Judgement:
    """Return what a verifier found, asynchronously; see `ask`."""
    try:
        judgement = await verifier.averify(case, config)
    except Exception as error:
        return failure_of(verifier.method, error)
    return _checked(verifier, judgement)


def failure_of(method: str, error: Exception, *, calls: tuple[Call, ...] = ()) -> Judgement:
    """Return the judgement of a verifier that raised, or raise again what means no failure.

    Args:
        method: the verifier's name.
        error: what it raised.
        calls: the model calls that were made before.
    """
    if not is_failure(error):
        raise error
    _log.warning("verifier %s raised %s; it has not judged", method, kind_of(error))
    _log.debug("verifier %s raised", method, exc_info=error)
    if isinstance(error, UnusableScoreError):
        calls = (*calls, *error.calls)
    return Judgement(verification=failed(method, f"the verifier raised {reason_of(error)}"), calls=calls)


def _checked(verifier: Verifier, judgement: object) -> Judgement:
    if not isinstance(judgement, Judgement):
        raise ConfigurationError(
            f"verifier {verifier.method!r} returned a {type(judgement).__name__}; it must return a Judgement",
            code="verifier-result",
        )
    return judgement
