import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_questions import CALLS, FAILED, KEPT, PRICES, REJECTED, call, recorded

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation import Ends, Outcomes, outcomes_of, replay
from automix_graph.evaluation.call_costs import Unit
from automix_graph.graph import create_automix
from automix_graph.policies import AcceptCorrect, Policy, Threshold
from automix_graph.records import Decision, Record, Recorded, Usage, Verification
from automix_graph.testing import FunctionChatModel, ScriptedReply, StaticRetriever
from automix_graph.verification import TokenProbability

ROWS = [recorded("a"), recorded("b", small=0, verification=REJECTED), recorded("c", verification=FAILED)]


def costs(outcomes: Outcomes) -> list[float]:
    """What one question costs: small answer, verification, large answer, large answer alone."""
    small, large = outcomes.tiers
    return [float(column[0]) for column in (small.cost, small.verify_cost, large.cost, large.alone_cost)]


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        # Alone, the large model reads what the small one read, 300 tokens less than were sent: the examples of judging,
        # among them the 100 that its first call found in the cache.
        (
            "usd",
            [
                (1000 * 1 + 50 * 4) / 1e6,
                (1100 * 10 + 100 * 1 + 1 * 40) / 1e6,
                (200 * 10 + 1100 * 1 + 60 * 40) / 1e6,
                (1000 * 10 + 60 * 40) / 1e6,
            ],
        ),
        ("tokens", [1050, 1101, 260, 1060]),
        # The judge took half a second for 1,101 tokens; alone, 1,000 would have to be read instead of 200.
        ("seconds", [0.5, 0.5, 0.5, 0.5 + 0.5 * 800 / 1101]),
    ],
)
def test_costs_are_worked_out_from_the_calls(unit: Unit, expected: list[float]) -> None:
    outcomes, left_out = outcomes_of(ROWS, prices=PRICES, unit=unit)
    assert costs(outcomes) == pytest.approx(expected)
    assert (outcomes.unit, outcomes.ids, left_out.n, left_out.uncharged) == (unit, ("a", "b", "c"), 0, ())
    assert Ends.of(outcomes).large_cost == pytest.approx(expected[3])


def test_one_recording_can_be_evaluated_at_other_prices() -> None:
    charged = [dataclasses.replace(one, cost=99.0) for one in CALLS]
    outcomes, _ = outcomes_of([recorded("a", calls=tuple(charged))], prices={"s": (0, 0), "l": (0, 1e6)})
    assert costs(outcomes) == [0, 1, 60, 60]


def test_qualities_and_verdicts_are_those_recorded() -> None:
    outcomes, _ = outcomes_of(ROWS, prices=PRICES)
    assert (outcomes.small.quality.tolist(), outcomes.large.quality.tolist()) == ([1, 0, 1], [1, 1, 1])
    assert outcomes.verifications == ((KEPT,), (REJECTED,), (FAILED,))
    # The verdict CORRECT at 0.4 is followed, whatever the confidence; without a judgement everything escalates.
    assert replay(outcomes, AcceptCorrect()).route.tolist() == [0, 1, 1]
    assert replay(outcomes, Threshold(0.5)).route.tolist() == [1, 1, 1]
    assert replay(outcomes, Threshold(0.0)).route.tolist() == [0, 0, 1]


def test_every_call_of_a_stage_is_charged() -> None:
    retried = (
        call("small_answer", "s", 100, 0),
        call("small_answer", "s", 1000, 50),
        call("verify", "v", 10, 1),
        call("verify", "v", 10, 2),
        CALLS[2],
    )
    outcomes, _ = outcomes_of([recorded("a", calls=retried)], unit="tokens")
    # No call to the large model came before, so that its cached tokens were found by itself.
    assert costs(outcomes) == [1150, 23, 260, 260]


@pytest.mark.parametrize("unit", ["usd", "tokens"])
def test_what_a_cache_has_spared_is_charged(unit: Unit) -> None:
    spared = tuple(dataclasses.replace(call, cached=True, cost=0.0) for call in CALLS)
    expected = costs(outcomes_of([recorded("1")], prices=PRICES, unit=unit)[0])
    assert costs(outcomes_of([recorded("1", calls=spared)], prices=PRICES, unit=unit)[0]) == expected
    assert 0.0 not in expected


def test_nobody_knows_how_long_a_call_takes_that_a_cache_has_spared() -> None:
    spared = tuple(dataclasses.replace(call, cached=True, seconds=0.0) for call in CALLS)
    _, left_out = outcomes_of([recorded("1"), recorded("2", calls=spared)], unit="seconds")
    assert left_out.ids == {"unknown cost": ("2",)}


def test_no_report_of_the_cache_is_no_cache() -> None:
    calls = (CALLS[0], call("verify", "l", 1200, 1), CALLS[2])
    outcomes, _ = outcomes_of([recorded("a", calls=calls)], unit="tokens")
    assert costs(outcomes) == [1050, 1201, 260, 1060]


def test_a_function_verifies_for_nothing() -> None:
    outcomes, _ = outcomes_of([recorded("a", calls=(CALLS[0], CALLS[2]))], prices=PRICES)
    assert costs(outcomes)[1] == 0.0


def test_what_cannot_be_evaluated_is_left_out_by_reason() -> None:
    whole = recorded("x").record
    assert whole is not None
    silent = dataclasses.replace(CALLS[0], usage=Usage())
    production = dataclasses.replace(whole, drafts=whole.drafts[:1], calls=CALLS[:2], route="small")
    no_small = dataclasses.replace(whole, drafts=whole.drafts[1:], verifications=(FAILED,))
    rows = [
        *ROWS,
        Recorded(id="d", settings="f", error="timeout"),
        dataclasses.replace(recorded("e"), error="scorer failed"),
        Recorded(id="f", settings="f", record=production),
        Recorded(id="g", settings="f", record=no_small, scores={"large": 1.0}),
        recorded("h", small=None),
        recorded("i", verification=None),
        recorded("j", calls=(silent, *CALLS[1:])),
    ]
    outcomes, left_out = outcomes_of(rows, prices=PRICES)
    assert outcomes.ids == ("a", "b", "c")
    assert left_out.ids == {
        "failed": ("d", "e"),
        "no large answer": ("f",),
        "no small answer": ("g",),
        "not scored": ("h",),
        "not verified": ("i",),
        "unknown cost": ("j",),
    }
    assert left_out.n == 7
    assert outcomes_of(rows, unit="seconds")[1].counts == {
        "failed": 2,
        "no large answer": 1,
        "no small answer": 1,
        "not scored": 1,
        "not verified": 1,
    }


def test_a_question_whose_small_answer_failed_counts_where_it_was_scored() -> None:
    row = recorded("a", small=0.0, verification=FAILED)
    assert row.record is not None
    missing = dataclasses.replace(row, record=dataclasses.replace(row.record, drafts=row.record.drafts[1:]))
    outcomes, left_out = outcomes_of([missing], prices=PRICES)
    assert (left_out.n, outcomes.small.quality.tolist()) == (0, [0.0])
    assert replay(outcomes, Threshold(0.0)).route.tolist() == [1]


def test_a_failed_call_that_told_nothing_is_named_and_not_charged() -> None:
    refused = dataclasses.replace(CALLS[1], usage=Usage(), error="timeout")
    rows = [recorded("a", calls=(CALLS[0], refused, CALLS[2]), verification=FAILED), recorded("b")]
    outcomes, left_out = outcomes_of(rows, prices=PRICES)
    assert (left_out.n, left_out.uncharged) == (0, ("a",))
    assert costs(outcomes)[1] == 0.0
    assert outcomes_of(rows, unit="seconds")[1].uncharged == ()
    told = dataclasses.replace(CALLS[1], error="no verdict")
    outcomes, left_out = outcomes_of([recorded("a", calls=(CALLS[0], told, CALLS[2]))], prices=PRICES)
    assert left_out.uncharged == ()
    assert costs(outcomes)[1] == pytest.approx((1100 * 10 + 100 + 40) / 1e6)


@pytest.mark.parametrize(
    ("rows", "options", "complaint"),
    [
        (ROWS, {}, r"no price is known for 'l', 's'; .*--price l=INPUT/OUTPUT.*--unit tokens"),
        (ROWS, {"prices": {"s": (1, 4)}}, r"no price is known for 'l'; "),
        (ROWS, {"unit": "euros"}, "unit 'euros' is unknown; use 'usd', 'seconds' or 'tokens'"),
        ([*ROWS, recorded("d", settings="g")], {"unit": "tokens"}, r"2 different settings \('f', 'g'\)"),
        ([*ROWS, recorded("a")], {"unit": "tokens"}, "two records have the id 'a'"),
        ([], {"unit": "tokens"}, "no recorded question can be evaluated .there are none"),
        ([Recorded(id="d", error="e")], {"unit": "tokens"}, r"no recorded question .*\(failed: 1\)"),
        ([recorded("a", small=1.5)], {"unit": "tokens"}, r"quality of tier 'small' holds 1\.5"),
    ],
)
def test_what_no_evaluation_can_be_is_refused(rows: list[Recorded], options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        outcomes_of(rows, **options)


def test_prices_of_questions_that_failed_are_not_needed() -> None:
    failed = dataclasses.replace(recorded("d", calls=(call("small_answer", "unknown"),)), error="timeout")
    assert outcomes_of([*ROWS, failed], prices=PRICES)[0].n == 3


# What follows runs real graphs: the same models for each policy, and the decisions of the graph itself.

CONFIDENCES = (0.05, 0.3, 0.45, 0.62, 0.8, 0.99, None)
QUESTIONS = [f"question {number}?" for number in range(len(CONFIDENCES))]
GRAPH_PRICES = {"small": (1.0, 4.0), "judge": (2.0, 8.0), "large": (10.0, 40.0)}


class Unusual:
    """Keep what is neither sure nor hopeless; a user's own policy, without columns."""

    name = "unusual"

    def decide(self, history: Sequence[Verification]) -> Decision:
        confidence = history[-1].confidence
        return Decision(accept=confidence is not None and 0.2 < confidence < 0.7, policy=self.name, reason="own")


class Never:
    name = "never"

    def decide(self, history: Sequence[Verification]) -> Decision:
        return Decision(accept=False, policy=self.name, reason="record all tiers")


def judged(question: str) -> ScriptedReply:
    """What a judging model says: a word with its probability, or nothing that could be read."""
    confidence = CONFIDENCES[QUESTIONS.index(question)]
    if confidence is None:
        return ScriptedReply(text="Perhaps", usage=(150, 1), token_probabilities=(("Perhaps", 0.9),))
    word = "Correct" if confidence > 0.5 else "Incorrect"
    probabilities = (("Correct", confidence), ("Incorrect", 1 - confidence))
    return ScriptedReply(text=word, usage=(150, 1), token_probabilities=probabilities)


def ask(policy: Policy | None, question: str) -> dict[str, Any]:
    """Ask a real graph; its models take as many tokens as the question has a number."""
    number = QUESTIONS.index(question)
    graph = create_automix(
        small=FunctionChatModel(lambda _: ScriptedReply(text="a", usage=(100 + number, 10)), label="small"),
        large=FunctionChatModel(lambda _: ScriptedReply(text="b", usage=(120 + number, 20 + number)), label="large"),
        retriever=StaticRetriever(["A passage."]),
        verifier=TokenProbability(judge=FunctionChatModel(lambda _: judged(question), label="judge")),
        policy=policy,
        prices=GRAPH_PRICES,
    )
    state: dict[str, Any] = {}
    for values in graph.stream({"question": question}, stream_mode="values"):
        state = values
    return state


def recording() -> list[Recorded]:
    rows = []
    for number, question in enumerate(QUESTIONS):
        record = Record.unseal(ask(Never(), question)["record"])
        rows.append(Recorded(id=str(number), record=record, scores={"small": 0.5, "large": 1.0}))
    return rows


@pytest.mark.parametrize("policy", [None, AcceptCorrect(), Threshold(0.0), Threshold(0.6), Threshold(0.9), Unusual()])
def test_a_replay_is_what_the_graph_decided_and_paid(policy: Policy | None) -> None:
    outcomes, left_out = outcomes_of(recording(), prices=GRAPH_PRICES)
    found = replay(outcomes, policy or AcceptCorrect())
    asked = [ask(policy, question) for question in QUESTIONS]
    assert left_out.n == 0
    assert [("small", "large")[route] for route in found.route] == [state["route"] for state in asked]
    assert found.cost == pytest.approx([state["cost"] for state in asked])
    assert len(set(found.route.tolist())) == 2


@given(st.permutations(ROWS), st.sampled_from([AcceptCorrect(), Threshold(0.3)]))
def test_the_order_of_the_records_decides_nothing(rows: list[Recorded], policy: Policy) -> None:
    outcomes, _ = outcomes_of(rows, prices=PRICES)
    first, _ = outcomes_of(ROWS, prices=PRICES)
    found, expected = replay(outcomes, policy), replay(first, policy)
    assert outcomes.ids is not None and first.ids is not None
    assert dict(zip(outcomes.ids, found.route.tolist(), strict=True)) == dict(
        zip(first.ids, expected.route.tolist(), strict=True)
    )
    assert np.sort(found.cost) == pytest.approx(np.sort(expected.cost))
