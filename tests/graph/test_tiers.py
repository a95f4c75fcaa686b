"""Cascades of more than two models: who is asked, who judges, what is skipped, given up and charged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from giving_up import GIVES_UP
from scene import QUESTION

from automix_graph.errors import ConfigurationError, ModelCallError
from automix_graph.graph import ModelTier, create_automix
from automix_graph.graph.build import CompiledGraph
from automix_graph.policies import Always, Capped, Threshold
from automix_graph.records import SKIPPED, Decision, Record, Verification
from automix_graph.testing import ScriptedChatModel, StaticRetriever
from automix_graph.verification import FunctionVerifier, Votes


def state_of(graph: CompiledGraph, question: dict[str, str] | None = None) -> tuple[dict[str, Any], Record]:
    *_, state = graph.stream(question or QUESTION, stream_mode="values")
    return state, Record.unseal(state["record"])


def cascade(
    small: Sequence[Any], middle: Sequence[Any], large: Sequence[Any], *, sure: Sequence[float], **arguments: Any
) -> CompiledGraph:
    left = iter(sure)
    return create_automix(
        tiers=[
            ScriptedChatModel(small, label="s"),
            ScriptedChatModel(middle, label="m"),
            ScriptedChatModel(large, label="l"),
        ],
        retriever=StaticRetriever(["First.", "Second."]),
        verifier=FunctionVerifier(function=lambda case: next(left), name="sure"),
        **arguments,
    )


@pytest.mark.parametrize(("count", "file"), [(2, "two_tiers"), (3, "three_tiers"), (4, "four_tiers")])
def test_the_shape_of_the_graph(count: int, file: str) -> None:
    graph = create_automix(tiers=[ScriptedChatModel([])] * count, retriever=StaticRetriever([]))
    assert graph.get_graph().draw_mermaid() == (Path(__file__).parent / f"{file}.mermaid").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("sure", "answer", "route", "stages"),
    [
        ([0.9], "S", "small", ["small_answer"]),
        ([0.2, 0.9], "M", "middle", ["small_answer", "middle_answer"]),
        ([0.2, 0.3], "L", "large", ["small_answer", "middle_answer", "large_answer"]),
    ],
)
async def test_a_question_goes_up_until_an_answer_is_kept(
    sure: list[float], answer: str, route: str, stages: list[str]
) -> None:
    result = await cascade(["S"], ["M"], ["L"], sure=sure).ainvoke(QUESTION)
    assert (result["answer"], result["route"], result["confidence"]) == (answer, route, sure[-1])
    state, record = state_of(cascade(["S"], ["M"], ["L"], sure=sure))
    assert (state["answer"], state["route"]) == (answer, route)
    assert [call.stage for call in record.calls] == stages
    assert [draft.text for draft in record.drafts] == ["S", "M", "L"][: len(stages)]
    assert [found.confidence for found in record.verifications] == sure
    assert [decision.accept for decision in record.decisions] == [*[False] * (len(sure) - 1), route != "large"]


def test_a_skipped_tier_is_not_asked_and_keeps_its_place() -> None:
    state, record = state_of(cascade(["S"], [], ["L"], sure=[0.4], policy=Always("large")))
    assert (state["answer"], state["route"], state["confidence"]) == ("L", "large", 0.4)
    assert [call.model for call in record.calls] == ["s", "l"]
    assert record.verifications[1:] == (SKIPPED,)
    assert len(record.decisions) == 1


def test_events_name_the_tiers() -> None:
    graph = cascade(["S"], [], ["L"], sure=[0.4], policy=Always("large"))
    events = [part for part in graph.stream(QUESTION, stream_mode="custom") if isinstance(part, dict)]
    assert [(event["event"], event.get("tier")) for event in events] == [
        ("retrieved", None),
        ("drafted", "small"),
        ("verified", "small"),
        ("escalated", "large"),
        ("answer", None),
    ]


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("What is it?", "The documents do not give an answer that can be relied on."),
        ("这是什么？", "文档中没有可靠的答案。"),
    ],
)
def test_a_question_can_be_given_up(question: str, sentence: str) -> None:
    graph = cascade(["S"], [], [], sure=[0.4], policy=GIVES_UP)
    state, record = state_of(graph, {"question": question})
    assert (state["answer"], state["route"], state["degraded"]) == (sentence, "abstain", False)
    assert [message.text for message in state["messages"]] == [sentence]
    assert record.route == "abstain"
    assert [call.stage for call in record.calls] == ["small_answer"]


def test_a_ceiling_that_gives_up_works_in_a_graph_of_two() -> None:
    judge = FunctionVerifier(function=lambda case: 0.2, name="sure")
    graph = create_automix(
        small=ScriptedChatModel(["S"]),
        large=ScriptedChatModel([]),
        retriever=StaticRetriever([]),
        verifier=judge,
        policy=Capped(Threshold(0.5), max_tiers=1, beyond="abstain"),
    )
    assert graph.invoke(QUESTION)["route"] == "abstain"


def test_a_middle_model_that_fails_passes_the_question_on() -> None:
    graph = cascade(
        ["S"], [ModelCallError("down", model="m", stage="x", status=500, retryable=True)], ["L"], sure=[0.2]
    )
    state, record = state_of(graph)
    assert (state["route"], state["verdict"], state["confidence"]) == ("large", "UNPARSED", None)
    assert record.verifications[1].failure == "the middle model gave no answer"
    assert [(call.stage, call.error is None) for call in record.calls] == [
        ("small_answer", True),
        ("middle_answer", False),
        ("large_answer", True),
    ]


@pytest.mark.parametrize(("sure", "route"), [([0.4, 0.3], "small"), ([0.3, 0.4], "middle"), ([0.3, 0.3], "middle")])
def test_where_the_last_model_fails_the_surest_answer_is_returned(sure: list[float], route: str) -> None:
    down = ModelCallError("down", model="l", stage="x", status=500, retryable=True)
    state, record = state_of(cascade(["S"], ["M"], [down], sure=sure))
    assert (state["route"], state["degraded"], record.degraded) == (route, True, True)
    assert state["answer"] == {"small": "S", "middle": "M"}[route]
    with pytest.raises(ModelCallError):
        cascade(["S"], ["M"], [down], sure=sure, on_large_failure="raise").invoke(QUESTION)


def test_each_tier_can_have_a_judge_of_its_own() -> None:
    judges = [ScriptedChatModel(["Incorrect"], label="j1"), ScriptedChatModel(["Correct"], label="j2")]
    models = [
        ScriptedChatModel(["S"], label="s"),
        ScriptedChatModel(["M"], label="m"),
        ScriptedChatModel([], label="l"),
    ]
    graph = create_automix(
        tiers=[ModelTier(model=models[0]), ModelTier(model=models[1], verifier=judges[1]), models[2]],
        verifier=judges[0],
        retriever=StaticRetriever(["It is."]),
        prices={"j2": (1.0, 2.0)},
    )
    state, record = state_of(graph)
    assert state["route"] == "middle"
    assert [(call.stage, call.model) for call in record.calls] == [
        ("small_answer", "s"),
        ("verify", "j1"),
        ("middle_answer", "m"),
        ("verify_middle", "j2"),
    ]
    assert [call.cost is not None for call in record.calls] == [False, False, False, True]


@pytest.mark.parametrize(
    ("tiers", "message"),
    [
        ([ScriptedChatModel([])], "at least two models"),
        ("openai:gpt-5", "at least two models"),
        ([ScriptedChatModel([]), ModelTier(model=ScriptedChatModel([]), verifier="small")], "last tier has a verifier"),
        ([ScriptedChatModel([]), 7], "chat model"),
    ],
)
def test_tiers_that_cannot_be_used_are_refused(tiers: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        create_automix(tiers=tiers, retriever=StaticRetriever([]))


def test_a_policy_for_more_tiers_than_there_are_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="asks for the tier at position 3, and the last of 3 is at 2"):
        cascade(["S"], [], [], sure=[0.4], policy=Always(3)).invoke(QUESTION)


class Careless:
    """Keeps drafts that nobody has judged."""

    name = "careless"

    def decide(self, history: Sequence[Verification]) -> Decision:
        return Decision(accept=True, policy=self.name, reason="why not")

    def limit(self, decision: Decision, history: Sequence[Verification]) -> Decision:
        return Decision(accept=True, policy=self.name, reason="why not")

    def limit_moves(self, moves: Any, history: Any, tiers: int) -> Any:
        return moves


def test_no_policy_keeps_a_draft_without_a_judgement() -> None:
    judge = FunctionVerifier(function=lambda case: float("nan"), name="broken")
    graph = create_automix(
        small=ScriptedChatModel(["S"]),
        large=ScriptedChatModel([]),
        retriever=StaticRetriever([]),
        verifier=judge,
        policy=Careless(),
    )
    with pytest.raises(ConfigurationError, match="keeps a draft without a judgement"):
        graph.invoke(QUESTION)


class ByShare:
    """Skips the middle where most votes say no, and asks it where they are torn."""

    name = "by-share"

    def decide(self, history: Sequence[Verification]) -> Decision:
        sure = history[-1].confidence or 0.0
        skip = sure < 0.3
        return Decision(accept=sure > 0.7, policy=self.name, reason=f"{sure:.2f}", next_tier=-1 if skip else None)


@pytest.mark.parametrize(
    ("said", "route", "drawn"),
    [
        # After two, the draft is as good as rejected; which tier is asked next takes two more.
        (["Incorrect", "Incorrect", "Correct", "Correct"], "middle", 4),
        (["Incorrect"] * 5, "large", 4),
    ],
)
def test_votes_go_on_while_the_tier_to_be_asked_next_is_open(said: list[str], route: str, drawn: int) -> None:
    judge = ScriptedChatModel(said, label="j")
    small, middle, large = (ScriptedChatModel([text], label=text) for text in ("S", "M", "L"))
    sure = FunctionVerifier(function=lambda case: 0.9, name="sure")
    graph = create_automix(
        tiers=[small, ModelTier(model=middle, verifier=sure), large],
        verifier=Votes(judge=judge, samples=5, adaptive=True),
        retriever=StaticRetriever([]),
        policy=ByShare(),
    )
    state, record = state_of(graph)
    assert state["route"] == route
    assert len(record.verifications[0].verdicts) == drawn
