"""Votes: what they amount to, and that stopping early never changes a decision."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.outputs import ChatResult
from langchain_core.runnables import RunnableConfig
from pydantic import Field

from automix_graph.errors import ConfigurationError
from automix_graph.graph import create_automix
from automix_graph.policies import AcceptCorrect, Policy, Threshold, decide
from automix_graph.prompts import load_prompts
from automix_graph.records import Decision, Passage, Verdict, Verification
from automix_graph.testing import ScriptedChatModel, ScriptedReply, StaticRetriever
from automix_graph.testing.chat_models import Reply
from automix_graph.verification import Case, Judgement, Verifier
from automix_graph.verification.stopping import Stopping, Tally
from automix_graph.verification.votes import Votes

PROMPTS = load_prompts("en")
REPLIES = {Verdict.CORRECT: "Correct", Verdict.INCORRECT: "Incorrect", Verdict.UNPARSED: "maybe"}
IN_ORDER = RunnableConfig(max_concurrency=1)
C, I, U = Verdict.CORRECT, Verdict.INCORRECT, Verdict.UNPARSED  # noqa: E741


def case_under(policy: Policy | None = None) -> Case:
    goes = None if policy is None else lambda found: decide(policy, [found]).accept
    return Case(question="When?", passages=(Passage(text="In May."),), answer="May", prompts=PROMPTS, goes=goes)


def judged(replies: Sequence[Reply], policy: Policy | None = None, **arguments: Any) -> Judgement:
    """Judge with a model that gives these replies in this order, and may leave the last of them."""
    verifier = Votes(judge=ScriptedChatModel(replies), **{"samples": len(replies)} | arguments)
    return verifier.verify(case_under(policy), IN_ORDER)


@dataclass(frozen=True)
class Rule:
    """A policy that keeps a draft for any reason."""

    keeps: Callable[[Verification], bool]
    name: str = "rule"

    def decide(self, history: Sequence[Verification]) -> Decision:
        return Decision(accept=self.keeps(history[-1]), policy=self.name, reason="so")


@pytest.mark.parametrize("door", ["sync", "async"])
async def test_confidence_is_the_share_of_correct_among_decisions(door: str) -> None:
    replies: list[Reply] = [
        "Correct",
        "maybe",
        TimeoutError("slow"),
        "Incorrect",
        "Correct.",
        ScriptedReply(text="Correct", finish_reason="length"),
        "Correct",
        "Correct",
    ]
    model = ScriptedChatModel(replies, label="judge")
    verifier = Votes(judge=model)
    assert isinstance(verifier, Verifier)
    case = case_under()
    found = verifier.verify(case, IN_ORDER) if door == "sync" else await verifier.averify(case, IN_ORDER)
    model.assert_consumed()
    assert found.verification == Verification(
        method="votes",
        verdict=C,
        confidence=0.8,
        verdicts=(C, U, U, I, C, U, C, C),
        signals={"votes": 8, "parsed": 5, "correct": 4},
    )
    assert [call.error for call in found.calls] == [None, None, "TimeoutError", *[None] * 5]
    assert [model.label for model in verifier.models] == ["judge"]


def test_a_tie_is_incorrect() -> None:
    found = judged(["Correct", "Incorrect"]).verification
    assert (found.verdict, found.confidence) == (I, 0.5)


@pytest.mark.parametrize(("quorum", "judges"), [(None, False), (5, False), (4, True), (1, True)])
def test_fewer_decisions_than_the_quorum_are_no_judgement(quorum: int | None, judges: bool) -> None:
    found = judged(["Correct"] * 4 + ["maybe"] * 3 + [TimeoutError("secret")], quorum=quorum).verification
    assert found.verdicts == (C,) * 4 + (U,) * 4
    assert found.signals == {"votes": 8, "parsed": 4, "correct": 4}
    assert (found.confidence is not None) is judges
    if not judges:
        assert found.verdict is U
        assert found.failure == (
            "4 of 8 votes hold a decision, and 5 of 8 must; most often: the judge's reply holds no decision"
        )


def test_votes_may_give_their_reasons() -> None:
    model = ScriptedChatModel(["The context names May. Verification Decision: Correct"])
    found = Votes(judge=model, samples=1, form="reasoned").verify(case_under())
    assert found.verification.confidence == 1.0
    assert model.prompt_texts[0].endswith(case_under().prompts.words.endings["shared"]["reasoned"])


class Recording(ScriptedChatModel):
    """Remembers the options that it was called with."""

    seen: list[Any] = Field(default_factory=list)

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        self.seen.append({name: kwargs[name] for name in ("temperature", "max_tokens") if name in kwargs})
        return super()._generate(*args, **kwargs)


class Cold(Recording):
    """A model of which LangChain knows that it takes no temperature, and reasons before it writes."""

    def model_post_init(self, context: Any, /) -> None:
        super().model_post_init(context)
        self.profile = {"temperature": False, "reasoning_output": True}


@pytest.mark.parametrize(
    ("kind", "arguments", "sent"),
    [
        (Recording, {}, {"temperature": 1.0, "max_tokens": 16}),
        (Recording, {"form": "reasoned", "temperature": 0.5}, {"temperature": 0.5, "max_tokens": 512}),
        (Recording, {"max_tokens": None}, {"temperature": 1.0}),
        (Cold, {}, {}),
    ],
)
def test_what_is_sent_with_each_draw(kind: type[Recording], arguments: dict[str, Any], sent: dict[str, Any]) -> None:
    model = kind(["Correct"] * 2)
    Votes(judge=model, samples=2, **arguments).verify(case_under())
    assert model.seen == [sent] * 2


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"samples": 0}, "samples is 0"),
        ({"samples": 101}, "samples is 101"),
        ({"samples": 33, "adaptive": True}, "from 1 to 32"),
        ({"samples": 2.0}, "samples is 2.0"),
        ({"quorum": 0}, "quorum is 0"),
        ({"samples": 4, "quorum": 5}, "quorum is 5; use a whole number from 1 to samples=4"),
        ({"temperature": -0.1}, "temperature is -0.1"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"temperature": 0}, "draws the same vote 8 times"),
        ({"form": "word"}, "form is 'word'"),
        ({"max_tokens": 0}, "max_tokens is 0"),
        ({"prompt": "text"}, "prompt is a str"),
    ],
)
def test_what_cannot_be_used_is_refused(arguments: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        Votes(judge=ScriptedChatModel([]), **arguments)


def test_one_vote_needs_no_temperature() -> None:
    assert judged(["Correct"], temperature=0).verification.confidence == 1.0


def test_without_a_policy_every_vote_is_drawn() -> None:
    assert len(judged(["Correct"] * 8, adaptive=True).calls) == 8


@pytest.mark.parametrize(
    ("said", "policy", "drawn"),
    [
        (C, Threshold(0.5), 5),  # the quorum is five; then four of eight correct are certain
        (C, AcceptCorrect(), 5),
        (C, Threshold(1.0), 8),
        (I, Threshold(1.0), 1),
        (I, Threshold(0.5), 5),
        (I, AcceptCorrect(), 4),
        (U, Threshold(0.5), 4),  # the quorum is out of reach
        (C, Rule(lambda found: False), 1),
    ],
)
def test_clear_cases_take_fewer_votes(said: Verdict, policy: Policy, drawn: int) -> None:
    found = judged([REPLIES[said]] * 8, policy, adaptive=True)
    assert found.verification.verdicts == (said,) * drawn
    assert len(found.calls) == drawn


def test_votes_that_cannot_reach_the_quorum_any_more_are_no_judgement() -> None:
    found = judged(["maybe"] * 8, Threshold(0.5), adaptive=True).verification
    assert found.failure is not None
    assert found.failure.startswith("0 of 4 votes hold a decision, and 5 of 8 must")


def test_a_clear_rejection_is_a_judgement_before_the_quorum() -> None:
    found = judged(["Incorrect"] * 8, Threshold(0.9), adaptive=True).verification
    assert (found.verdict, found.confidence, found.verdicts) == (I, 0.0, (I,))


VERDICTS = st.lists(st.sampled_from([C, I, U]), min_size=1, max_size=9)


@st.composite
def policies(draw: st.DrawFn, samples: int) -> Policy:
    """Draw a usual policy, or one that follows no order of confidences or counts."""
    kind = draw(st.sampled_from(["threshold", "correct", "confidence", "anything"]))
    if kind == "threshold":
        return Threshold(draw(st.floats(0.0, 1.0) | st.sampled_from([0.0, 0.5, 1.0])))
    if kind == "correct":
        return AcceptCorrect()
    shares = sorted({a / b for b in range(1, samples + 1) for a in range(b + 1)})
    if kind == "confidence":
        kept = draw(st.sets(st.sampled_from(shares)))
        return Rule(lambda found: found.confidence in kept)
    seed = draw(st.integers(0, 1 << 16))
    return Rule(
        lambda found: hash((seed, found.confidence, tuple(found.signals.values()), len(found.verdicts))) % 3 > 0
    )


@settings(deadline=None, max_examples=150)
@given(data=st.data(), votes=VERDICTS)
def test_stopping_early_never_changes_the_decision(data: st.DataObject, votes: list[Verdict]) -> None:
    policy = data.draw(policies(len(votes)))
    quorum = data.draw(st.none() | st.integers(1, len(votes)))
    replies = [REPLIES[vote] for vote in votes]
    every = judged(replies, policy, quorum=quorum).verification
    early = judged(replies, policy, quorum=quorum, adaptive=True)
    drawn = early.verification.verdicts
    assert every.verdicts == tuple(votes)
    assert 1 <= len(drawn) <= len(votes)
    assert drawn == tuple(votes[: len(drawn)])
    assert len(early.calls) == len(drawn)
    assert decide(policy, [early.verification]).accept is decide(policy, [every]).accept


@given(data=st.data(), votes=VERDICTS)
def test_rounds_cost_no_vote_more_than_one_after_the_other(data: st.DataObject, votes: list[Verdict]) -> None:
    policy = data.draw(policies(len(votes)))
    verifier = Votes(judge=ScriptedChatModel([REPLIES[vote] for vote in votes]), samples=len(votes), adaptive=True)
    drawn = verifier.verify(case_under(policy), IN_ORDER).verification.verdicts
    for taken in range(1, len(drawn)):
        assert not settled_by_looking(verifier, policy, votes[:taken])


def settled_by_looking(verifier: Votes, policy: Policy, votes: list[Verdict]) -> bool:
    """Whether all ends of a vote lead to the decision that it leads to now, by going through them."""
    left = verifier.samples - len(votes)
    ends = [
        [*votes, *[C] * correct, *[I] * incorrect, *[U] * (left - correct - incorrect)]
        for correct in range(left + 1)
        for incorrect in range(left + 1 - correct)
    ]
    return len({decide(policy, [verifier.counting.count(end)]).accept for end in [votes, *ends]}) == 1


@given(st.integers(1, 12), st.integers(0, 12), st.integers(0, 12))
def test_nothing_is_needed_once_nothing_can_change(samples: int, correct: int, least: int) -> None:
    stopping = Stopping(samples, lambda tally: tally.correct >= least)
    correct = min(correct, samples)
    missing = max(0, least - correct)
    reachable = missing <= samples - correct
    expected = min(missing, samples - correct - missing + 1) if missing and reachable else 0
    assert stopping.needed(Tally(correct, 0, 0)) == expected


def test_a_graph_with_adaptive_votes_pays_for_fewer() -> None:
    outcome = {}
    for adaptive in (False, True):
        judge = ScriptedChatModel(["Correct"] * (5 if adaptive else 8), label="judge")
        graph = create_automix(
            small=ScriptedChatModel(["In May"], label="small"),
            large=ScriptedChatModel([], label="large"),
            retriever=StaticRetriever(["In May."]),
            verifier=Votes(judge=judge, adaptive=adaptive),
            policy=Threshold(0.5),
        )
        result = graph.invoke({"question": "When?"})
        judge.assert_consumed()
        asked = [call for call in result["usage"]["calls"] if call["stage"] == "verify"]
        outcome[adaptive] = (result["route"], result["confidence"], result["verdict"], len(asked))
    assert outcome == {False: ("small", 1.0, "CORRECT", 8), True: ("small", 1.0, "CORRECT", 5)}
