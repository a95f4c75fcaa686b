"""Keys of the cache of answers: whatever an answer or a verification depends on, so that nothing stale is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from answer_cache_scene import Models, ask, reply
from langgraph.cache.base import BaseCache
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from scene import DRAFT, QUESTION

from automix_graph import AutomixContext, Threshold
from automix_graph.graph import build_automix
from automix_graph.graph.answer_cache import AnswerCache
from automix_graph.graph.deciding import Deciding, Going
from automix_graph.graph.remembering import RememberingVerifier
from automix_graph.prompts import load_prompts
from automix_graph.records import Record, Verdict, Verification
from automix_graph.testing import FunctionChatModel, ScriptedReply, StaticRetriever
from automix_graph.verification import Case, FunctionVerifier, Judgement, ReasonedVerdict, ShortVerdict, Votes

CHANGES: dict[str, tuple[dict[str, Any], tuple[int, int]]] = {
    "a passage": ({"retriever": StaticRetriever(["Another passage."])}, (1, 1)),
    "the order of passages": ({"retriever": StaticRetriever(["B.", "A passage."])}, (1, 1)),
    "language": ({"language": "zh"}, (1, 1)),
    "layout": ({"layout": "document"}, (0, 1)),
    "policy": ({"policy": Threshold(0.9)}, (0, 1)),
    "judge": ({"verifier": FunctionChatModel(lambda _: reply("Correct"), label="other")}, (0, 0)),
    "verifier": (
        {"verifier": Votes(judge=FunctionChatModel(lambda _: reply("Correct"), label="j"), samples=3)},
        (0, 0),
    ),
    "small": ({"small": FunctionChatModel(lambda _: reply("new"), label="t")}, (0, 1)),
}
"""What is changed, and how often the models of before are asked again: small, judge."""


@pytest.mark.parametrize("name", CHANGES)
def test_nothing_stale_is_found_after_a_change_of(name: str) -> None:
    changed, again = CHANGES[name]
    store, models = InMemoryCache[Any](), Models()
    models.graph(store, prices=None).invoke(QUESTION)
    before = models.asked
    for _ in range(2):
        result = models.graph(store, **{"prices": None, **changed}).invoke(QUESTION)
    asked = tuple(now - then for now, then in zip(models.asked, before, strict=True))
    assert asked == (*again, 0)
    assert (result["route"], result["answer"]) == ("small", "new" if name == "small" else DRAFT)
    # The second time, all is known again.
    assert {call["cached"] for call in result["usage"]["calls"]} == {True}


def test_an_option_of_a_model_makes_another_model_of_it() -> None:
    openai = pytest.importorskip("langchain_openai")
    from automix_graph.graph.fingerprints import model_fingerprint
    from automix_graph.models.named import named

    def sum_of(**options: Any) -> str:
        return model_fingerprint(named(openai.ChatOpenAI(**{"model": "m", "api_key": "sk-1", **options})))

    assert sum_of() == sum_of(api_key="sk-2") == sum_of(timeout=3, max_retries=0)
    others = [{"temperature": 0.5}, {"base_url": "http://127.0.0.1:9/v1"}, {"model": "n"}, {"max_tokens": 5}]
    assert len({sum_of(), *(sum_of(**option) for option in others)}) == 5


def test_a_verifier_of_ones_own_is_trusted_in_its_graph_alone() -> None:
    def graph(confidence: float, store: Any) -> Any:
        return Models().graph(store, verifier=FunctionVerifier(function=lambda case: confidence), prices=None)

    store = InMemoryCache[Any]()
    sure = graph(0.9, store)
    assert [sure.invoke(QUESTION)["confidence"] for _ in range(2)] == [0.9, 0.9]
    assert graph(0.1, store).invoke(QUESTION)["confidence"] == 0.1


def test_a_judgement_that_may_have_stopped_early_is_of_what_the_policy_had_seen() -> None:
    def judged(confidence: float) -> Judgement:
        return Judgement(verification=Verification(method="m", verdict=Verdict.CORRECT, confidence=confidence))

    def case(tiers: int, *before: float) -> Case:
        seen = tuple(judged(confidence).verification for confidence in before)
        record = Record(question="When?", language="en", prompts="", verifications=seen)
        going = Going(deciding=Deciding(policy=Threshold(0.5), tiers=tiers, ending=Any), record=record)  # type: ignore[arg-type]
        return Case(question="When?", passages=(), answer="In May.", prompts=load_prompts("en"), goes=going)

    asked: list[object] = []

    def judge(given: object) -> float:
        asked.append(given)
        return 0.9

    function = FunctionVerifier(function=judge)
    remembering = RememberingVerifier(function, AnswerCache(store=InMemoryCache()), policy=Threshold(0.5))
    for _ in range(2):
        for known in (case(3, 0.1), case(3, 0.4), case(4, 0.1), case(2)):
            remembering.verify(known)
    assert len(asked) == 4


async def test_settings_of_a_call_are_in_the_key(answer_store: BaseCache[Any]) -> None:
    models = Models()
    graph = models.graph(answer_store)
    assert (await ask(graph))["route"] == "small"
    strict = await ask(graph, context=AutomixContext(threshold=1.0))
    assert (strict["route"], models.asked) == ("small", (1, 2, 0))
    configured = await ask(graph, config={"configurable": {"threshold": 1.0}})
    assert ([call["cached"] for call in configured["usage"]["calls"]], models.asked) == ([True, True], (1, 2, 0))
    chinese = await ask(graph, context=AutomixContext(language="zh"))
    assert (chinese["route"], models.asked) == ("small", (2, 3, 0))


def test_prompts_that_were_changed_are_other_prompts(tmp_path: Path) -> None:
    import dataclasses

    store, models = InMemoryCache[Any](), Models()
    usual = load_prompts("en")
    models.graph(store, language=usual).invoke(QUESTION)
    templates = tuple(dataclasses.replace(template, text=template.text + "\nBe brief.") for template in usual.templates)
    models.graph(store, language=dataclasses.replace(usual, templates=templates)).invoke(QUESTION)
    assert models.asked == (2, 2, 0)


def test_conversations_are_not_confused() -> None:
    """Two threads ask the same words after different things: each question stands alone before it is looked up."""

    def small(prompt: str) -> ScriptedReply:
        country = "France" if "France" in prompt else "Spain"
        return reply(f"And what of {country}?" if "And then?" in prompt else f"It is {country}.")

    models = Models()
    models.small = FunctionChatModel(small, label="s")
    graph: Any = build_automix(
        small=models.small,
        verifier=models.judge,
        large=models.large,
        retriever=StaticRetriever(["A passage."]),
        condense=True,
        cache=InMemoryCache(),
    ).compile(checkpointer=InMemorySaver())

    def say(thread: str, text: str) -> str:
        result = graph.invoke({"messages": [("user", text)]}, {"configurable": {"thread_id": thread}})
        assert [message.type for message in result["messages"]][-1] == "ai"
        return str(result["answer"])

    assert (say("1", "Where is France?"), say("2", "Where is Spain?")) == ("It is France.", "It is Spain.")
    assert (say("1", "And then?"), say("2", "And then?")) == ("It is France.", "It is Spain.")
    assert (say("3", "Where is France?"), say("3", "And then?")) == ("It is France.", "It is France.")
    identities = [
        message.id for message in graph.get_state({"configurable": {"thread_id": "3"}}).values["conversation"]
    ]
    assert len(set(identities)) == 4


@pytest.mark.parametrize("kind", [ShortVerdict, ReasonedVerdict])
def test_verifiers_of_two_kinds_with_one_judge_are_two(kind: Any) -> None:
    store, judge = InMemoryCache[Any](), FunctionChatModel(lambda _: reply("Correct"), label="j")
    for verifier in (kind(judge=judge), Votes(judge=judge, samples=1), kind(judge=judge)):
        Models().graph(store, verifier=verifier).invoke(QUESTION)
    assert len(judge.prompts) == 2
