"""All tiers on one question: every answer, the verification, and every call, whatever fails."""

from collections.abc import Sequence
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda

from automix_graph.errors import ConfigurationError
from automix_graph.graph import create_automix
from automix_graph.graph.all_tiers import AllTiers, Run
from automix_graph.policies import Threshold
from automix_graph.records import Passage, Record
from automix_graph.testing import ScriptedChatModel, StaticRetriever
from automix_graph.testing.chat_models import Reply
from automix_graph.verification import Votes

DOWN = ConnectionError("provider down: secret words")
PRICES = {"small": (1, 2), "judge": (10, 20), "large": (100, 200)}


def tiers_of(
    small: Sequence[Reply] = ("In June",),
    judge: Sequence[Reply] = ("Incorrect",),
    large: Sequence[Reply] = ("In May",),
    **arguments: Any,
) -> AllTiers:
    arguments = {
        "retriever": StaticRetriever(["It was in May."]),
        "verifier": ScriptedChatModel(judge, label="judge"),
        **arguments,
    }
    return AllTiers(
        small=ScriptedChatModel(small, label="small"), large=ScriptedChatModel(large, label="large"), **arguments
    )


async def run_of(tiers: AllTiers, door: str, **arguments: Any) -> Run:
    if door == "record":
        return tiers.record("When?", **arguments)
    return await tiers.arecord("When?", **arguments)


def shape(record: Record) -> tuple[list[tuple[str, str]], list[str], list[tuple[str, str | None]]]:
    """Return drafts, verdicts and calls of a record."""
    return (
        [(draft.tier, draft.text) for draft in record.drafts],
        [verification.verdict.value for verification in record.verifications],
        [(call.stage, call.error) for call in record.calls],
    )


SMALL, JUDGE, LARGE = ("small_answer", None), ("verify", None), ("large_answer", None)
CASES = [
    pytest.param({}, [("small", "In June"), ("large", "In May")], ["INCORRECT"], [SMALL, JUDGE, LARGE], None, id="all"),
    pytest.param(
        {"judge": ["Correct"]},
        [("small", "In June"), ("large", "In May")],
        ["CORRECT"],
        [SMALL, JUDGE, LARGE],
        None,
        id="the large model answers even where the judge accepts",
    ),
    pytest.param(
        {"judge": ["Who knows?"]},
        [("small", "In June"), ("large", "In May")],
        ["UNPARSED"],
        [SMALL, JUDGE, LARGE],
        None,
        id="an unread verdict is data",
    ),
    pytest.param(
        {"small": [DOWN], "judge": []},
        [("large", "In May")],
        ["UNPARSED"],
        [("small_answer", "ConnectionError"), LARGE],
        "the small model gave no answer: ConnectionError",
        id="small fails",
    ),
    pytest.param(
        {"small": [" "], "judge": []},
        [("large", "In May")],
        ["UNPARSED"],
        [("small_answer", "empty answer"), LARGE],
        "the small model gave no answer: empty answer",
        id="small answers nothing",
    ),
    pytest.param(
        {"large": [DOWN]},
        [("small", "In June")],
        ["INCORRECT"],
        [SMALL, JUDGE, ("large_answer", "ConnectionError")],
        "the large model gave no answer: ConnectionError",
        id="large fails",
    ),
    pytest.param(
        {"judge": [DOWN]},
        [("small", "In June"), ("large", "In May")],
        ["UNPARSED"],
        [SMALL, ("verify", "ConnectionError"), LARGE],
        "the verifier came to no judgement: the judge failed: ConnectionError",
        id="judge fails",
    ),
    pytest.param(
        {"small": [DOWN], "judge": [], "large": [""]},
        [],
        ["UNPARSED"],
        [("small_answer", "ConnectionError"), ("large_answer", "empty answer")],
        "the small model gave no answer: ConnectionError; the large model gave no answer: empty answer",
        id="both fail",
    ),
]


@pytest.mark.parametrize(("script", "drafts", "verdicts", "calls", "error"), CASES)
@pytest.mark.parametrize("door", ["record", "arecord"])
async def test_everything_is_asked_and_nothing_paid_is_lost(
    door: str, script: dict[str, Any], drafts: Any, verdicts: Any, calls: Any, error: str | None
) -> None:
    run = await run_of(tiers_of(**script), door)
    assert shape(run.record) == (drafts, verdicts, calls)
    assert run.error == error
    assert (run.record.route, run.record.decisions, run.record.degraded) == (None, (), False)


@pytest.mark.parametrize("door", ["record", "arecord"])
async def test_a_retriever_that_raises_is_an_error_of_the_question(door: str) -> None:
    def broken(question: str) -> Any:
        raise OSError("the words of the store")

    run = await run_of(tiers_of(retriever=RunnableLambda(broken)), door)
    assert run.error == "the retriever raised OSError"
    assert (run.record.question, run.record.calls, run.record.language) == ("When?", (), "en")


@pytest.mark.parametrize("door", ["record", "arecord"])
async def test_a_mistake_in_code_is_raised(door: str) -> None:
    with pytest.raises(AssertionError, match="not in the script"):
        await run_of(tiers_of(large=[]), door)


@pytest.mark.parametrize("door", ["record", "arecord"])
async def test_given_passages_take_the_place_of_retrieval(door: str) -> None:
    def never(question: str) -> Any:
        raise AssertionError("retrieved")

    run = await run_of(tiers_of(retriever=RunnableLambda(never)), door, passages=[Passage(text="My own.")])
    assert [passage.text for passage in run.record.passages] == ["My own."]


def test_models_are_asked_exactly_as_the_graph_asks_them() -> None:
    def models() -> dict[str, ScriptedChatModel]:
        replies = {"small": ["In June"], "verifier": ["Incorrect"], "large": ["In May"]}
        return {name: ScriptedChatModel(script, label=name) for name, script in replies.items()}

    ours, graphs = models(), models()
    AllTiers(retriever=StaticRetriever(["It was in May."]), **ours).record("When?")
    create_automix(retriever=StaticRetriever(["It was in May."]), **graphs).invoke({"question": "When?"})
    for name in ours:
        assert ours[name].prompts == graphs[name].prompts


def test_the_bill_is_that_of_all_calls() -> None:
    record = tiers_of(prices=PRICES).record("When?").record
    costs = {call.model: call.cost for call in record.calls}
    assert None not in costs.values()
    assert record.bill is not None
    assert record.bill.cost == pytest.approx(sum(cost or 0 for cost in costs.values()))
    assert record.bill.always_large == costs["large"]
    assert record.bill.estimated is False


def test_no_vote_is_saved_where_nobody_decides() -> None:
    judge = ScriptedChatModel(["Correct"] * 5, label="judge")
    run = tiers_of(verifier=Votes(judge=judge, samples=5, adaptive=True)).record("When?")
    judge.assert_consumed()
    assert len(run.record.verifications[0].verdicts) == 5
    # The same judge stops early where a policy decides.
    saving = ScriptedChatModel(["Correct"] * 3, label="judge")
    create_automix(
        small=ScriptedChatModel(["In June"]),
        large=ScriptedChatModel([]),
        retriever=StaticRetriever(["It was in May."]),
        verifier=Votes(judge=saving, samples=5, adaptive=True),
        policy=Threshold(0.5),
    ).invoke({"question": "When?"})
    saving.assert_consumed()


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="question is '  '"):
        tiers_of().record("  ")
    with pytest.raises(ConfigurationError, match="give a retriever, or passages"):
        tiers_of(retriever=None).record("When?")
    with pytest.raises(ConfigurationError, match="prices name"):
        tiers_of(prices={"other": (1, 2)})


@pytest.mark.parametrize("door", ["record", "arecord"])
async def test_a_mistake_in_the_code_of_a_retriever_is_raised(door: str) -> None:
    def mistaken(question: str) -> Any:
        raise NameError("a name that is not there")

    with pytest.raises(NameError):
        await run_of(tiers_of(retriever=RunnableLambda(mistaken)), door)
