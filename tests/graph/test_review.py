"""A person is asked before a decision is followed, where the user of the graph wants that."""

import time
from collections.abc import Sequence
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from automix_graph.costs import Limits
from automix_graph.errors import ConfigurationError
from automix_graph.graph import build_automix, create_automix
from automix_graph.policies import Capped, Threshold
from automix_graph.records import Record
from automix_graph.testing import ScriptedChatModel, StaticRetriever
from automix_graph.verification import FunctionVerifier

THREAD: Any = {"configurable": {"thread_id": "1"}}
QUESTION = {"question": "What is it?"}


def stopped(sure: float | None, small: Sequence[Any] = ("DRAFT",), large: Sequence[Any] = (), **arguments: Any) -> Any:
    """A graph that has been asked, and stopped."""
    judge = FunctionVerifier(function=lambda case: sure, name="sure")
    graph = build_automix(
        small=ScriptedChatModel(small, label="s"),
        large=ScriptedChatModel(large, label="l"),
        verifier=judge,
        retriever=StaticRetriever(["passage"]),
        **{"review": ["escalate", "abstain"], **arguments},
    ).compile(checkpointer=InMemorySaver())
    result = graph.invoke(QUESTION, THREAD)
    return graph, result


def test_what_is_shown() -> None:
    graph, result = stopped(0.2)
    (interrupt,) = result["__interrupt__"]
    assert interrupt.value == {
        "question": "What is it?",
        "tier": "small",
        "draft": "DRAFT",
        "verdict": "INCORRECT",
        "confidence": 0.2,
        "decision": "escalate",
        "reason": "the verdict is INCORRECT",
        "passages": ["passage"],
        "replies": ["accept", "escalate", "abstain"],
    }
    assert graph.get_state(THREAD).next == ("review",)


def test_a_person_s_time_is_not_the_question_s(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now)
    graph, _ = stopped(0.2, large=["LARGE"], limits=Limits(max_seconds=20))
    now += 3600
    result = graph.invoke(Command(resume="escalate"), THREAD)
    assert (result["route"], result["degraded"]) == ("large", False)
    record = Record.unseal(graph.get_state(THREAD).values["record"])
    assert (record.began, record.paused) == (now, None)


@pytest.mark.parametrize(
    ("reply", "route", "answer"),
    [
        ("accept", "small", "DRAFT"),
        ("escalate", "large", "LARGE"),
        ("abstain", "abstain", "The documents do not give an answer that can be relied on."),
    ],
)
async def test_what_the_person_says_is_done(reply: str, route: str, answer: str) -> None:
    graph, _ = stopped(0.2, large=["LARGE"])
    result = graph.invoke(Command(resume=reply), THREAD)
    assert (result["route"], result["answer"], result["confidence"]) == (route, answer, 0.2)
    record = Record.unseal(graph.get_state(THREAD).values["record"])
    assert [decision.policy for decision in record.decisions] == ["review"]
    assert record.decisions[0].reason == f"a person said {reply!r}; before, accept-correct: the verdict is INCORRECT"
    graph, _ = stopped(0.2, large=["LARGE"])
    assert (await graph.ainvoke(Command(resume=reply), THREAD))["answer"] == answer


def test_accepted_drafts_are_nobodys_business() -> None:
    _, result = stopped(0.9)
    assert result["route"] == "small"


def test_abstentions_alone_can_be_reviewed() -> None:
    policy = Capped(Threshold(0.5), max_tiers=1, beyond="abstain")
    graph, result = stopped(0.2, policy=policy, review=["abstain"])
    assert result["__interrupt__"][0].value["decision"] == "abstain"
    assert graph.invoke(Command(resume="accept"), THREAD)["answer"] == "DRAFT"
    _, result = stopped(0.2, large=["LARGE"], review=["abstain"])
    assert result["route"] == "large"


def test_a_reply_that_says_nothing_can_be_given_again() -> None:
    graph, _ = stopped(0.2)
    asked = graph.invoke(Command(resume="perhaps"), THREAD)["__interrupt__"][0].value
    assert asked["problem"] == "the review was answered 'perhaps'; resume with one of 'accept', 'escalate', 'abstain'"
    assert asked["draft"] == "DRAFT"
    assert graph.invoke(Command(resume="accept"), THREAD)["answer"] == "DRAFT"


def test_a_draft_that_is_not_there_cannot_be_accepted() -> None:
    graph, result = stopped(0.2, small=[ConnectionError("down")], large=["LARGE"])
    assert result["__interrupt__"][0].value["draft"] is None
    asked = graph.invoke(Command(resume="accept"), THREAD)["__interrupt__"][0].value
    assert "gave no answer to accept" in asked["problem"]
    assert graph.invoke(Command(resume="escalate"), THREAD)["answer"] == "LARGE"


def test_every_tier_is_reviewed() -> None:
    graph = build_automix(
        tiers=[ScriptedChatModel(["S"]), ScriptedChatModel(["M"]), ScriptedChatModel([])],
        verifier=FunctionVerifier(function=lambda case: 0.2, name="sure"),
        retriever=StaticRetriever([]),
        review=["escalate"],
    ).compile(checkpointer=InMemorySaver())
    graph.invoke(QUESTION, THREAD)
    result = graph.invoke(Command(resume="escalate"), THREAD)
    assert result["__interrupt__"][0].value["tier"] == "middle"
    assert graph.invoke(Command(resume="accept"), THREAD)["route"] == "middle"


@pytest.mark.parametrize("review", ["escalate", ["accept"], 7])
def test_reviews_of_something_else_are_refused(review: Any) -> None:
    with pytest.raises(ConfigurationError, match="'escalate', 'abstain'"):
        create_automix(
            small=ScriptedChatModel([]), large=ScriptedChatModel([]), retriever=StaticRetriever([]), review=review
        )


def test_a_state_that_is_written_by_hand_says_what_comes_next() -> None:
    graph = build_automix(
        small=ScriptedChatModel(["In June"]),
        large=ScriptedChatModel(["In May", "In May."]),
        verifier=ScriptedChatModel(["Incorrect"]),
        retriever=StaticRetriever(["passage"]),
    ).compile(checkpointer=InMemorySaver(), interrupt_after=["verify"])
    graph.invoke(QUESTION, THREAD)
    state = graph.get_state(THREAD)
    assert state.next == ("large_answer",)
    assert graph.invoke(None, THREAD)["answer"] == "In May"
    going_on: Any = Command(update={"record": state.values["record"]}, goto="large_answer")
    again: Any = graph.update_state(state.config, going_on, as_node="verify")
    assert graph.invoke(None, again)["answer"] == "In May."
