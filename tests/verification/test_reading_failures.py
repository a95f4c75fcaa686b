"""Failures of what chooses the judge's reading, and what is said to be read where the judge fails."""

from __future__ import annotations

import math

import pytest
from langchain_core.embeddings import Embeddings
from reading_scene import BOTH, FACT, FILLER, Constant, Make, Spy, a_case, evidence, read, state_of

from automix_graph.records import Reading, Record, Verdict
from automix_graph.testing import ScriptedChatModel
from automix_graph.verification import FunctionVerifier, ShortVerdict


@BOTH
async def test_a_budget_that_nothing_fits_is_a_failure_that_costs_no_call(make: Make) -> None:
    shown, found = await read(make, a_case("Some text. And more."), 5, count_tokens=lambda text: len(text) + 10)
    assert shown is None
    assert found.confidence is None
    assert "max_context_tokens=5" in str(found.failure)
    assert found.reading is not None
    assert (found.reading.passages, found.reading.omitted, found.reading.tokens) == ((), (0,), 0)


class Few(Constant):
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[1.0]]


class Down(Constant):
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        raise ConnectionError(f"no answer to {texts[0]}")


class Mistaken(Constant):
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("embeddings", "reason"),
    [(Few(), "1 vectors"), (Down(), "ConnectionError"), (Constant(math.nan), "NaN"), (Constant(math.inf), "infinity")],
)
async def test_an_embedding_model_that_fails_is_a_failed_verification(embeddings: Embeddings, reason: str) -> None:
    shown, found = await read(evidence, a_case(FILLER, FACT), 5, embeddings=embeddings)
    assert shown is None
    assert (found.method, found.verdict, found.confidence) == ("spy", Verdict.UNPARSED, None)
    assert reason in str(found.failure)
    assert "Rain" not in str(found.failure)
    assert found.reading == Reading(kind="evidence", passages=(), omitted=(0, 1), tokens=0)


async def test_a_mistake_in_code_is_not_hidden() -> None:
    verifier = evidence(Spy(), 5, embeddings=Mistaken())
    with pytest.raises(NotImplementedError):
        verifier.verify(a_case(FILLER))
    with pytest.raises(NotImplementedError):
        await verifier.averify(a_case(FILLER))


@BOTH
def test_a_judge_that_fails_still_says_what_it_read(make: Make) -> None:
    model = ScriptedChatModel(["who knows"], label="judge")
    found = make(ShortVerdict(judge=model), 6).verify(a_case(FACT, FILLER))
    assert found.verification.verdict is Verdict.UNPARSED
    assert found.verification.reading is not None
    assert (found.verification.reading.passages, found.verification.reading.omitted) == ((0,), (1,))
    assert len(found.calls) == 1


@BOTH
@pytest.mark.parametrize("door", ["verify", "averify"])
async def test_a_verifier_that_raises_still_says_what_it_read(make: Make, door: str) -> None:
    wrapped = make(FunctionVerifier(function=lambda case: 7.0, name="seven"), 6)
    case = a_case(FACT, FILLER)
    found = (wrapped.verify(case) if door == "verify" else await wrapped.averify(case)).verification
    assert found.failure
    assert "'seven' returned the float 7.0" in found.failure
    assert found.reading is not None
    assert found.reading.omitted == (1,)


def test_a_failed_embedding_escalates_in_a_graph() -> None:
    verifier = evidence(ShortVerdict(judge=ScriptedChatModel([])), 5, embeddings=Down())
    state = state_of(verifier, "In 1921", [FILLER, FACT], ["In 1921."])
    assert (state["route"], state["verdict"], state["confidence"]) == ("large", "UNPARSED", None)
    record = Record.unseal(state["record"])
    assert record.verifications[0].reading is not None
    assert Record.from_json(record.to_json()) == record
