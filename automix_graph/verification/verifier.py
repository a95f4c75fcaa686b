"""What every verifier is: a case in, a judgement out. A verifier knows no policy; it never decides."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from langchain_core.runnables import RunnableConfig

from automix_graph.models.calling import NamedModel
from automix_graph.prompts import Prompts
from automix_graph.records import Call, Passage, Verdict, Verification


@dataclass(frozen=True, kw_only=True)
class Case:
    """An answer to be judged, with all that the answering model saw.

    Attributes:
        question: as it was asked.
        passages: the same passages, in the same order, that the answer was written from.
        answer: the draft.
        prompts: of the question's language, in the layout of the graph.
        logprobs: natural logarithms of the probabilities of the draft's tokens, as the answering model reported them;
            empty where it did not.
        goes: where the policy in force would send the question after a given verification; None where nobody decides
            yet, as when records are made. Only for verifiers that can stop early without changing the decision: what
            is returned can be compared, and says nothing else.
    """

    question: str
    passages: tuple[Passage, ...]
    answer: str
    prompts: Prompts
    logprobs: tuple[float, ...] = ()
    goes: Callable[[Verification], Hashable] | None = None


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What a verifier found, and the model calls that it took."""

    verification: Verification
    calls: tuple[Call, ...] = ()


@runtime_checkable
class Verifier(Protocol):
    """Judges answers.

    Two attributes are optional: ``models``, a tuple of the `NamedModel` values that it calls, so that prices for others
    can be refused and shared prefixes be used; and ``reads_logprobs``, True for a verifier that reads the
    log-probabilities of the draft's tokens, so that the answering model is asked for them.
    """

    @property
    def method(self) -> str:
        """Short name of the way in which confidence is obtained, for records."""
        ...

    def verify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Judge one answer. A judge that cannot be reached or read is a `failed` verification, not an exception."""
        ...

    async def averify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Judge one answer, asynchronously."""
        ...


def failed(method: str, reason: str) -> Verification:
    """Return the verification of a verifier that came to no judgement."""
    return Verification(method=method, verdict=Verdict.UNPARSED, confidence=None, failure=reason)


def models_of(verifier: Verifier) -> tuple[NamedModel, ...] | None:
    """Return the models that a verifier calls, from its attribute ``models``; None where it does not say."""
    models = getattr(verifier, "models", None)
    return tuple(models) if isinstance(models, tuple) else None


def reads_logprobs(verifier: Verifier) -> bool:
    """Return whether a verifier reads the log-probabilities of the draft's tokens, from its attribute of that name."""
    return getattr(verifier, "reads_logprobs", False) is True
