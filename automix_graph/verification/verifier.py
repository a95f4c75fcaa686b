"""What every verifier is: a case in, a judgement out. A verifier knows no policy; it never decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from langchain_core.runnables import RunnableConfig

from automix_graph.records import Call, Passage, Verdict, Verification


@dataclass(frozen=True, kw_only=True)
class Case:
    """An answer to be judged, with all that the answering model saw.

    Attributes:
        question: as it was asked.
        passages: the same passages, in the same order, that the answer was written from.
        answer: the draft.
        language: of the prompts.
    """

    question: str
    passages: tuple[Passage, ...]
    answer: str
    language: str


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What a verifier found, and the model calls that it took."""

    verification: Verification
    calls: tuple[Call, ...] = ()


@runtime_checkable
class Verifier(Protocol):
    """Judges answers."""

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
