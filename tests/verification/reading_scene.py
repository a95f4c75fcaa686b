"""Cases that are too long to be read whole, and verifiers that read a part of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.embeddings import Embeddings
from langchain_core.runnables import RunnableConfig

from automix_graph.graph import build_automix
from automix_graph.prompts import load_prompts
from automix_graph.records import Passage, Verdict, Verification
from automix_graph.testing import HashEmbeddings, ScriptedChatModel, StaticRetriever
from automix_graph.testing.chat_models import Reply
from automix_graph.verification import Case, Judgement, Verifier
from automix_graph.verification.reading import EvidenceOnly, WithinBudget

FILLER = "Rain fell on the green hills all night. Cows stood under old trees. Nobody went out to look. "
FACT = "The museum opened in 1921."


def words(text: str) -> int:
    """Count words as tokens."""
    return len(text.split())


def a_case(*texts: str, question: str = "When was the museum opened?", answer: str = "In 1921", **more: Any) -> Case:
    """Return a case with a passage for each text, numbered."""
    passages = tuple(Passage(text=text, id=f"p{i}", metadata={"page": i}) for i, text in enumerate(texts))
    prompts = load_prompts(more.pop("language", "en")).in_layout(more.pop("layout", "shared"))
    return Case(question=question, passages=passages, answer=answer, prompts=prompts, **more)


Make = Callable[..., WithinBudget | EvidenceOnly]


def within(inner: Verifier, budget: int, **more: Any) -> WithinBudget:
    """Read as many passages as a budget of words allows."""
    return WithinBudget(verifier=inner, max_context_tokens=budget, **{"count_tokens": words, **more})


def evidence(inner: Verifier, budget: int, **more: Any) -> EvidenceOnly:
    """Read the sentences that a budget of words allows."""
    return EvidenceOnly(
        verifier=inner, max_context_tokens=budget, **{"count_tokens": words, "embeddings": HashEmbeddings(512), **more}
    )


BOTH = pytest.mark.parametrize("make", [within, evidence])


class Spy:
    """A verifier that keeps the cases that it was shown."""

    method = "spy"
    reads_logprobs = True

    def __init__(self) -> None:
        self.cases: list[Case] = []

    def verify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        self.cases.append(case)
        found = Verification(method="spy", verdict=Verdict.CORRECT, confidence=0.7)
        return Judgement(verification=found)

    async def averify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        return self.verify(case, config)

    @property
    def texts(self) -> list[str]:
        """The passages of the only case."""
        (case,) = self.cases
        return [passage.text for passage in case.passages]


async def read(make: Make, case: Case, budget: int, **more: Any) -> tuple[Case | None, Verification]:
    """Judge by both doors, and return what both showed to the verifier inside, and found."""
    seen = []
    for door in ("verify", "averify"):
        spy = Spy()
        verifier = make(spy, budget, **more)
        judgement = verifier.verify(case) if door == "verify" else await verifier.averify(case)
        seen.append((spy.cases[0] if spy.cases else None, judgement.verification))
    assert seen[0] == seen[1]
    return seen[0]


class Constant(Embeddings):
    """Vectors that say nothing."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[self.value, 0.0] for _ in texts]

    def embed_query(self, text: str) -> list[float]:
        raise AssertionError("all texts go into one call")


def state_of(verifier: Verifier, draft: str, texts: list[str], replies: list[Reply]) -> Any:
    """Ask a graph about the museum, and return its last state."""
    graph = build_automix(
        small=ScriptedChatModel([draft], label="small"),
        large=ScriptedChatModel(replies, label="large"),
        retriever=StaticRetriever(texts),
        verifier=verifier,
    ).compile()
    *_, state = graph.stream({"question": "When was the museum opened?"}, stream_mode="values")
    return state
