import math
from datetime import date
from typing import Any

import numpy as np
import pytest
from langchain_core.documents import Document
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import interrupt
from scene import DRAFT, LARGE, PASSAGES, QUESTION, MakeScene

from automix_graph.errors import ConfigurationError, ModelCallError
from automix_graph.graph import build_automix, create_automix
from automix_graph.policies import Threshold
from automix_graph.records import Record
from automix_graph.testing import FunctionChatModel, ScriptedChatModel, ScriptedReply, StaticRetriever
from automix_graph.verification import Case, Judgement, ShortVerdict

DOWN = ConnectionError("provider down")

MATRIX = [
    pytest.param({}, (DRAFT, "small", "CORRECT", 1.0, False), ["small_answer", "verify"], id="accepted"),
    pytest.param(
        {"judge": ["Incorrect"], "large": [LARGE]},
        (LARGE, "large", "INCORRECT", 0.0, False),
        ["small_answer", "verify", "large_answer"],
        id="escalated",
    ),
    pytest.param(
        {"judge": ["Who knows?"], "large": [LARGE]},
        (LARGE, "large", "UNPARSED", None, False),
        ["small_answer", "verify", "large_answer"],
        id="unparsed verdict",
    ),
    pytest.param(
        {"judge": [""], "large": [LARGE]},
        (LARGE, "large", "UNPARSED", None, False),
        ["small_answer", "verify", "large_answer"],
        id="empty verdict",
    ),
    pytest.param(
        {"small": [DOWN], "judge": [], "large": [LARGE]},
        (LARGE, "large", "UNPARSED", None, False),
        ["small_answer", "large_answer"],
        id="small fails",
    ),
    pytest.param(
        {"small": ["  \n"], "judge": [], "large": [LARGE]},
        (LARGE, "large", "UNPARSED", None, False),
        ["small_answer", "large_answer"],
        id="small answers nothing",
    ),
    pytest.param(
        {"judge": [DOWN], "large": [LARGE]},
        (LARGE, "large", "UNPARSED", None, False),
        ["small_answer", "verify", "large_answer"],
        id="verifier fails",
    ),
    pytest.param(
        {"judge": ["Incorrect"], "large": [DOWN]},
        (DRAFT, "small", "INCORRECT", 0.0, True),
        ["small_answer", "verify", "large_answer"],
        id="large fails",
    ),
    pytest.param(
        {"judge": [DOWN], "large": [""]},
        (DRAFT, "small", "UNPARSED", None, True),
        ["small_answer", "verify", "large_answer"],
        id="large answers nothing",
    ),
]


@pytest.mark.parametrize(("script", "expected", "stages"), MATRIX)
@pytest.mark.parametrize("door", ["invoke", "ainvoke", "batch", "abatch"])
async def test_every_route_ends_the_same_through_every_door(
    make_scene: MakeScene, script: dict[str, Any], expected: tuple[Any, ...], stages: list[str], door: str
) -> None:
    graph = make_scene(**script).graph
    match door:
        case "invoke":
            result = graph.invoke(QUESTION)
        case "ainvoke":
            result = await graph.ainvoke(QUESTION)
        case "batch":
            (result,) = graph.batch([QUESTION])
        case _:
            (result,) = await graph.abatch([QUESTION])
    keys = ("answer", "route", "verdict", "confidence", "degraded")
    assert tuple(result[key] for key in keys) == expected
    assert [call["stage"] for call in result["usage"]["calls"]] == stages
    assert [document.page_content for document in result["documents"]] == PASSAGES


def test_the_output_has_the_documented_keys(make_scene: MakeScene) -> None:
    result = make_scene().graph.invoke(QUESTION)
    assert list(result) == [
        "answer",
        "route",
        "confidence",
        "verdict",
        "documents",
        "usage",
        "cost",
        "degraded",
        "degraded_reason",
        "messages",
    ]


def test_the_verifier_sees_the_passages_of_the_small_model_in_the_same_order(make_scene: MakeScene) -> None:
    scene = make_scene(judge=["Incorrect"], large=[LARGE])
    scene.graph.invoke(QUESTION)
    context = "[1] First passage.\n[2] Second passage."
    for model in (scene.small, scene.judge, scene.large):
        assert context in model.prompt_texts[0]
    assert DRAFT in scene.judge.prompt_texts[0]
    assert DRAFT not in scene.large.prompt_texts[0]


def test_a_failing_large_model_raises_where_the_caller_wants_it(make_scene: MakeScene) -> None:
    scene = make_scene(judge=["Incorrect"], large=[DOWN], on_large_failure="raise")
    with pytest.raises(ModelCallError, match="large-model failed in large_answer: ConnectionError") as raised:
        scene.graph.invoke(QUESTION)
    assert raised.value.retryable
    assert raised.value.__cause__ is DOWN


def test_without_any_answer_the_failure_is_raised(make_scene: MakeScene) -> None:
    with pytest.raises(ModelCallError, match="large_answer"):
        make_scene(small=[DOWN], judge=[], large=[DOWN]).graph.invoke(QUESTION)


def test_a_mistake_in_code_is_no_failed_model(make_scene: MakeScene) -> None:
    with pytest.raises(NameError, match="bug"):
        make_scene(small=[NameError("bug")], judge=[]).graph.invoke(QUESTION)


def test_every_call_is_charged(make_scene: MakeScene) -> None:
    scene = make_scene(
        small=[ScriptedReply(text=DRAFT, usage=(100, 10))],
        judge=[ScriptedReply(text="Incorrect", usage=(200, 1))],
        large=[ScriptedReply(text=LARGE, usage=(100, 20))],
        prices={"small-model": (1.0, 2.0), "judge-model": (10.0, 20.0), "large-model": (10.0, 20.0)},
    )
    result = scene.graph.invoke(QUESTION)
    assert [call["cost"] for call in result["usage"]["calls"]] == pytest.approx([120e-6, 2020e-6, 1400e-6])
    assert result["cost"] == pytest.approx(3540e-6)
    assert (result["usage"]["input_tokens"], result["usage"]["output_tokens"]) == (400, 31)


def test_a_failed_call_makes_the_cost_unknown(make_scene: MakeScene) -> None:
    prices = dict.fromkeys(["small-model", "judge-model", "large-model"], (1.0, 1.0))
    result = make_scene(judge=[DOWN], large=[LARGE], prices=prices).graph.invoke(QUESTION)
    assert result["cost"] is None
    assert result["usage"]["cost_at_least"] > 0
    assert result["usage"]["calls"][1]["error"] == "ConnectionError"


def test_a_failure_does_not_tell_what_the_provider_said(make_scene: MakeScene) -> None:
    echo = ValueError(f"Invalid output: {DRAFT}")
    parts = list(make_scene(judge=[echo], large=[LARGE]).graph.stream(QUESTION, stream_mode=["values", "custom"]))
    assert DRAFT not in repr(parts)
    assert "ValueError" in repr(parts)


class Unwell:
    """A verifier that raises."""

    method = "unwell"

    def __init__(self, error: Exception) -> None:
        self._error = error

    def verify(self, case: Case, config: object = None) -> Judgement:
        raise self._error

    async def averify(self, case: Case, config: object = None) -> Judgement:
        raise self._error


async def test_a_verifier_that_raises_is_no_judgement() -> None:
    for door in ("invoke", "ainvoke"):
        graph = create_automix(
            small=ScriptedChatModel([DRAFT]),
            large=ScriptedChatModel([LARGE]),
            retriever=StaticRetriever(PASSAGES),
            verifier=Unwell(ConnectionError("down")),
        )
        result = graph.invoke(QUESTION) if door == "invoke" else await graph.ainvoke(QUESTION)
        assert (result["answer"], result["verdict"]) == (LARGE, "UNPARSED")


class Careless:
    """A verifier and a policy that return what they should not."""

    method = name = "careless"

    def verify(self, case: Case, config: object = None) -> Any:
        return True

    async def averify(self, case: Case, config: object = None) -> Any:
        return True

    def decide(self, history: object) -> Any:
        return True


@pytest.mark.parametrize(("part", "wanted"), [("verifier", "Judgement"), ("policy", "Decision")])
def test_a_part_that_returns_something_else_is_told_so(part: str, wanted: str) -> None:
    arguments: dict[str, Any] = {
        "small": ScriptedChatModel([DRAFT]),
        "large": ScriptedChatModel(["Correct"]),
        "retriever": StaticRetriever(PASSAGES),
        part: Careless(),
    }
    with pytest.raises(ConfigurationError, match=f"must return a {wanted}"):
        create_automix(**arguments).invoke(QUESTION)


def test_what_pauses_a_graph_is_no_failure() -> None:
    graph = build_automix(
        small=FunctionChatModel(lambda prompt: str(interrupt("May I?"))),
        large=ScriptedChatModel([]),
        retriever=StaticRetriever(PASSAGES),
    ).compile(checkpointer=InMemorySaver())
    result = graph.invoke(QUESTION, {"configurable": {"thread_id": "1"}})
    assert [pause.value for pause in result["__interrupt__"]] == ["May I?"]


def test_a_reply_that_was_cut_off_is_no_judgement(make_scene: MakeScene) -> None:
    cut = ScriptedReply(text="The AI generated answer is correct", finish_reason="length")
    assert make_scene(judge=[cut], large=[LARGE]).graph.invoke(QUESTION)["answer"] == LARGE


def test_text_that_no_encoding_knows_is_mended(make_scene: MakeScene) -> None:
    result = make_scene(small=["caf\ud83d"]).graph.invoke({"question": "why \ud83d?"})
    assert result["answer"] == "caf\ufffd"


def test_metadata_of_passages_becomes_plain_data() -> None:
    metadata = {"score": np.float32(0.5), "when": date(2026, 1, 2), "page": 3, "author": math.nan, "most": math.inf}
    graph = build_automix(
        small=ScriptedChatModel([DRAFT]),
        large=ScriptedChatModel(["Correct"]),
        retriever=RunnableLambda(lambda _: [Document(id="a", page_content="x", metadata=metadata)]),
    ).compile(checkpointer=InMemorySaver())
    result = graph.invoke(QUESTION, {"configurable": {"thread_id": "1"}})
    plain = {"score": 0.5, "when": "2026-01-02", "page": 3, "author": None, "most": "Infinity"}
    assert result["documents"] == [Document(id="a", page_content="x", metadata=plain)]


@pytest.mark.parametrize("given", [["text"], "text", None, [Document(page_content="x"), "y"]])
def test_a_retriever_returns_documents(given: object) -> None:
    graph = create_automix(
        small=ScriptedChatModel([]), large=ScriptedChatModel([]), retriever=RunnableLambda(lambda _: given)
    )
    with pytest.raises(ConfigurationError, match="list of langchain_core Documents"):
        graph.invoke(QUESTION)


def test_a_price_for_a_model_that_is_not_called_is_refused(make_scene: MakeScene) -> None:
    with pytest.raises(ConfigurationError, match="typo"):
        make_scene(small=[], judge=[], prices={"typo": (1.0, 1.0)})


def test_unreported_usage_is_missing_not_zero(make_scene: MakeScene) -> None:
    result = make_scene(small=[ScriptedReply(text=DRAFT, usage=())]).graph.invoke(QUESTION)
    assert result["usage"]["calls"][0]["input_tokens"] is None
    assert result["usage"]["calls_without_usage"] == 1


def test_a_policy_decides_by_confidence(make_scene: MakeScene) -> None:
    result = make_scene(judge=["Incorrect"], policy=Threshold(0.0)).graph.invoke(QUESTION)
    assert (result["answer"], result["route"], result["verdict"]) == (DRAFT, "small", "INCORRECT")


def test_the_large_model_judges_by_default() -> None:
    small, large = ScriptedChatModel([DRAFT], label="s"), ScriptedChatModel(["Incorrect", LARGE], label="l")
    graph = create_automix(small=small, large=large, retriever=StaticRetriever(PASSAGES))
    assert graph.invoke(QUESTION)["answer"] == LARGE
    large.assert_consumed()


def test_the_small_model_can_judge_itself() -> None:
    small, large = ScriptedChatModel([DRAFT, "Correct"], label="s"), ScriptedChatModel([], label="l")
    graph = create_automix(small=small, large=large, retriever=StaticRetriever(PASSAGES), verifier="small")
    assert graph.invoke(QUESTION)["answer"] == DRAFT
    small.assert_consumed()


@pytest.mark.parametrize(("question", "label"), [("谁写的？", "上下文："), ("Who wrote it?", "Context:")])
def test_prompts_are_in_the_language_of_the_question(make_scene: MakeScene, question: str, label: str) -> None:
    scene = make_scene(judge=["错误"], large=[LARGE])
    scene.graph.invoke({"question": question})
    for model in (scene.small, scene.judge, scene.large):
        assert label in model.prompt_texts[0]


def test_the_language_can_be_fixed(make_scene: MakeScene) -> None:
    scene = make_scene(language="zh")
    scene.graph.invoke(QUESTION)
    assert "上下文：" in scene.small.prompt_texts[0]


@pytest.mark.parametrize("given", [{"question": ""}, {"question": "  "}, {"question": 3}, {"question": None}])
def test_a_question_is_needed(make_scene: MakeScene, given: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="invoke the graph with"):
        make_scene(small=[], judge=[]).graph.invoke(given)


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("policy", Threshold, "Threshold"),
        ("verifier", ShortVerdict, "give an instance"),
        ("language", "fr", "'fr' is unknown"),
        ("on_large_failure", "ignore", "'degrade' or 'raise'"),
        ("policy", 0.7, "Threshold"),
        ("retriever", ["text"], "vector store"),
        ("verifier", 7, "Verifier"),
        ("small", 7, "chat model"),
        ("small", "local:no-such-model", "no-such-model"),
        ("small", None, "small is missing; give small and large, or tiers"),
        ("tiers", [ScriptedChatModel([])] * 3, "tiers and small or large are given"),
    ],
)
def test_an_argument_that_cannot_be_used_is_refused(argument: str, value: object, message: str) -> None:
    arguments: dict[str, Any] = {
        "small": ScriptedChatModel([]),
        "large": ScriptedChatModel([]),
        "retriever": StaticRetriever([]),
        argument: value,
    }
    with pytest.raises(ConfigurationError, match=message):
        create_automix(**arguments)


def test_the_record_holds_what_a_policy_needs_to_decide_again(make_scene: MakeScene) -> None:
    scene = make_scene(judge=["Incorrect"], large=[LARGE])
    *_, last = scene.graph.stream(QUESTION, stream_mode="values")
    record = Record.unseal(last["record"])
    assert [draft.text for draft in record.drafts] == [DRAFT, LARGE]
    assert record.verifications[0].confidence == 0.0
    assert record.decisions[0].accept is False
    assert [call.stage for call in record.calls] == ["small_answer", "verify", "large_answer"]
