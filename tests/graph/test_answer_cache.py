"""Answers and verifications that are kept: what is found again, what is not, what it costs, and what is never kept."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.runnables import RunnableLambda
from langgraph.cache.base import BaseCache
from langgraph.cache.memory import InMemoryCache
from langgraph.cache.sqlite import SqliteCache
from langgraph.checkpoint.memory import InMemorySaver
from scene import DRAFT, LARGE, QUESTION

from automix_graph import AutomixContext, ModelTier, Threshold
from automix_graph.costs import Limits
from automix_graph.errors import ConfigurationError
from automix_graph.graph import build_automix, create_automix
from automix_graph.graph.answer_cache import AnswerCache
from automix_graph.graph.deciding import Deciding, Going
from automix_graph.graph.remembering import RememberingVerifier
from automix_graph.models.retrying import Retries
from automix_graph.prompts import load_prompts
from automix_graph.records import Record, Verdict, Verification
from automix_graph.testing import FunctionChatModel, ScriptedReply, StaticRetriever
from automix_graph.verification import (
    AnswerConfidence,
    Case,
    FunctionVerifier,
    Judgement,
    ReasonedVerdict,
    ShortVerdict,
    Votes,
)

PRICES = {"s": (1.0, 1.0), "j": (1.0, 1.0), "l": (10.0, 10.0)}
ways = pytest.mark.parametrize("sync", [True, False])


def reply(text: str) -> ScriptedReply:
    return ScriptedReply(text=text, usage=(100, 10))


class Models:
    """Three models that count what they are asked."""

    def __init__(self, *, judged: str = "Correct", small: str = DRAFT, large: Any = None) -> None:
        self.small = FunctionChatModel(lambda _: reply(small), label="s")
        self.judge = FunctionChatModel(lambda _: reply(judged), label="j")
        self.large = FunctionChatModel(large or (lambda _: reply(LARGE)), label="l")

    @property
    def asked(self) -> tuple[int, int, int]:
        """How often each was asked: small, judge, large."""
        return len(self.small.prompts), len(self.judge.prompts), len(self.large.prompts)

    def graph(self, cache: Any, **arguments: Any) -> Any:
        return create_automix(
            **{
                "small": self.small,
                "verifier": self.judge,
                "large": self.large,
                "retriever": StaticRetriever(["A passage."]),
                "prices": PRICES,
                "cache": cache,
                **arguments,
            }
        )


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BaseCache[Any]]:
    if request.param == "memory":
        yield InMemoryCache()
        return
    found = SqliteCache(path=str(tmp_path / "cache.sqlite"))
    yield found
    found._conn.close()


async def ask(graph: Any, sync: bool = True, question: str = "What is it?", **settings: Any) -> dict[str, Any]:
    asked = {"question": question}
    result: dict[str, Any] = graph.invoke(asked, **settings) if sync else await graph.ainvoke(asked, **settings)
    return result


def outcome(result: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(result[key] for key in ("answer", "route", "verdict", "confidence", "degraded"))


@ways
@pytest.mark.parametrize(("judged", "calls"), [("Correct", (1, 1, 0)), ("Incorrect", (1, 1, 1))])
async def test_the_same_question_is_answered_from_the_cache(
    store: BaseCache[Any], sync: bool, judged: str, calls: tuple[int, int, int]
) -> None:
    models = Models(judged=judged)
    graph = models.graph(store)
    first, second = await ask(graph, sync), await ask(graph, sync)
    assert models.asked == calls
    assert outcome(first) == outcome(second)
    assert [call["cached"] for call in first["usage"]["calls"]] == [False] * sum(calls)
    assert [call["cached"] for call in second["usage"]["calls"]] == [True] * sum(calls)
    assert [call["stage"] for call in first["usage"]["calls"]] == [call["stage"] for call in second["usage"]["calls"]]


def test_what_the_cache_gives_costs_nothing_and_is_compared_with_the_same() -> None:
    models = Models(judged="Incorrect")
    graph = models.graph(InMemoryCache())
    first, second = graph.invoke(QUESTION), graph.invoke(QUESTION)
    # 110 tokens each: small and judge at $1 per million, large at $10.
    assert first["cost"] == pytest.approx(110e-6 * 12)
    assert second["cost"] == 0.0
    usage = second["usage"]
    assert (usage["input_tokens"], usage["output_tokens"], usage["calls_without_usage"]) == (0, 0, 0)
    assert usage["always_large_cost"] == first["usage"]["always_large_cost"] == pytest.approx(1100e-6)
    assert usage["always_large_estimated"] is False
    assert usage["saved"] == pytest.approx(1100e-6)
    # The tokens are those of the call that filled the cache.
    assert [call["input_tokens"] for call in usage["calls"]] == [100, 100, 100]


def test_an_accepted_answer_from_the_cache_has_the_same_estimate_of_the_large_model() -> None:
    graph = Models().graph(InMemoryCache())
    first, second = graph.invoke(QUESTION), graph.invoke(QUESTION)
    assert second["usage"]["always_large_cost"] == first["usage"]["always_large_cost"] == pytest.approx(1100e-6)


def test_what_is_cached_takes_nothing_of_the_limits() -> None:
    store = InMemoryCache[Any]()
    models = Models(judged="Incorrect")
    models.graph(store).invoke(QUESTION)
    result = models.graph(store, limits=Limits(max_calls=1, max_cost=1e-9)).invoke(QUESTION)
    assert (result["answer"], result["degraded"], models.asked) == (LARGE, False, (1, 1, 1))


async def test_a_cache_outlives_the_process(tmp_path: Path) -> None:
    for number in range(2):
        models, store = Models(), SqliteCache[Any](path=str(tmp_path / "cache.sqlite"))
        result = await ask(models.graph(AnswerCache(store=store)), sync=bool(number))
        store._conn.close()
        assert outcome(result) == (DRAFT, "small", "CORRECT", 1.0, False)
        assert models.asked == ((1, 1, 0) if number == 0 else (0, 0, 0))


# Nothing stale: whatever an answer or a verification depends on is in its key.

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


async def test_settings_of_a_call_are_in_the_key(store: BaseCache[Any]) -> None:
    models = Models()
    graph = models.graph(store)
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


# What is never kept.


def failing_once(text: str, failure: Any) -> Callable[[str], Any]:
    said = [failure]
    return lambda _: said.pop() if said else reply(text)


@ways
@pytest.mark.parametrize(
    "failure", [ConnectionError("down"), "", ScriptedReply(text="Half a sen", finish_reason="length")]
)
async def test_an_answer_that_failed_or_was_cut_off_is_asked_for_again(sync: bool, failure: Any) -> None:
    models = Models(judged="Correct")
    models.small = FunctionChatModel(failing_once(DRAFT, failure), label="s")
    graph = models.graph(InMemoryCache())
    await ask(graph, sync)
    result = await ask(graph, sync)
    assert (result["answer"], result["route"], len(models.small.prompts)) == (DRAFT, "small", 2)


@ways
@pytest.mark.parametrize("failure", [ConnectionError("down"), "I cannot say"])
async def test_a_verification_without_a_verdict_is_made_again(sync: bool, failure: Any) -> None:
    models = Models()
    models.judge = FunctionChatModel(failing_once("Correct", failure), label="j")
    graph = models.graph(InMemoryCache())
    first, second = await ask(graph, sync), await ask(graph, sync)
    assert (first["route"], first["verdict"]) == ("large", "UNPARSED")
    assert (second["route"], second["verdict"], len(models.judge.prompts)) == ("small", "CORRECT", 2)


def test_votes_of_which_a_call_failed_are_drawn_again() -> None:
    judge = FunctionChatModel(failing_once("Correct", ConnectionError("down")), label="j")
    graph = Models().graph(InMemoryCache(), verifier=Votes(judge=judge, samples=3))
    results = [graph.invoke(QUESTION) for _ in range(3)]
    assert [result["route"] for result in results] == ["small"] * 3
    assert len(judge.prompts) == 6


@ways
async def test_a_degraded_outcome_is_not_kept(sync: bool) -> None:
    models = Models(judged="Incorrect", large=failing_once(LARGE, ConnectionError("down")))
    graph = models.graph(InMemoryCache())
    first, second = await ask(graph, sync), await ask(graph, sync)
    assert (first["answer"], first["degraded"]) == (DRAFT, True)
    assert (second["answer"], second["degraded"], models.asked) == (LARGE, False, (1, 1, 2))


@ways
async def test_an_answer_without_passages_is_not_kept_when_the_retriever_failed(sync: bool) -> None:
    def down(_: str) -> list[Document]:
        raise TimeoutError("down")

    models = Models()
    graph = models.graph(InMemoryCache(), retriever=RunnableLambda(down), on_retriever_failure="answer")
    for _ in range(2):
        assert (await ask(graph, sync))["degraded"] is True
    assert models.asked == (0, 0, 2)


def test_the_answer_of_a_fallback_is_not_kept() -> None:
    spare = FunctionChatModel(lambda _: reply("spare"), label="spare")
    small = FunctionChatModel(failing_once(DRAFT, ConnectionError("down")), label="s")
    models = Models()
    graph = create_automix(
        tiers=[ModelTier(model=small, fallbacks=[spare]), models.large],
        verifier=models.judge,
        retriever=StaticRetriever(["A passage."]),
        retries=Retries(attempts=1, opens_after=None),
        cache=InMemoryCache(),
    )
    assert [graph.invoke(QUESTION)["answer"] for _ in range(3)] == ["spare", DRAFT, DRAFT]
    assert (len(spare.prompts), len(small.prompts)) == (1, 2)


# Conversations, streams, log-probabilities.


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


@pytest.mark.parametrize("judged", ["Correct", "Incorrect"])
def test_a_cached_answer_is_streamed_like_any_other(judged: str) -> None:
    graph = Models(judged=judged).graph(InMemoryCache())
    for _ in range(2):
        parts = list(graph.stream(QUESTION, stream_mode="messages"))
        assert "".join(str(chunk.text) for chunk, _ in parts) == (DRAFT if judged == "Correct" else LARGE)
        assert len(parts) > 1


def test_log_probabilities_are_kept_with_the_answer() -> None:
    said = ScriptedReply(text=DRAFT, logprobs=(("the", -0.25), (" rest", -0.5)))
    small = FunctionChatModel(lambda _: said, label="s")
    graph = Models().graph(InMemoryCache(), small=small, verifier=AnswerConfidence(), prices=None)
    first, second = graph.invoke(QUESTION), graph.invoke(QUESTION)
    assert (len(small.prompts), first["confidence"]) == (1, second["confidence"])
    assert first["confidence"] is not None


@pytest.mark.parametrize("kind", [ShortVerdict, ReasonedVerdict])
def test_verifiers_of_two_kinds_with_one_judge_are_two(kind: Any) -> None:
    store, judge = InMemoryCache[Any](), FunctionChatModel(lambda _: reply("Correct"), label="j")
    for verifier in (kind(judge=judge), Votes(judge=judge, samples=1), kind(judge=judge)):
        Models().graph(store, verifier=verifier).invoke(QUESTION)
    assert len(judge.prompts) == 2


@ways
async def test_speculation_asks_nobody_about_what_is_known(sync: bool) -> None:
    models = Models(judged="Incorrect")
    graph = models.graph(InMemoryCache(), speculative=True)
    first, second = await ask(graph, sync), await ask(graph, sync)
    assert (first["answer"], second["answer"], models.asked, second["cost"]) == (LARGE, LARGE, (1, 1, 1), 0.0)


# Stores that fail.


class Broken(InMemoryCache[Any]):
    def get(self, keys: Any) -> Any:
        raise OSError("disk: a secret path")

    def set(self, keys: Any) -> None:
        raise OSError("disk: a secret path")


class Scrambled(InMemoryCache[Any]):
    def get(self, keys: Any) -> Any:
        return dict.fromkeys(keys, '{"schema_version": 1, "drafts": "no"}')


@ways
@pytest.mark.parametrize("kind", [Broken, Scrambled])
async def test_a_store_that_fails_fails_no_question(
    sync: bool, kind: type[InMemoryCache[Any]], caplog: pytest.LogCaptureFixture
) -> None:
    models = Models()
    graph = models.graph(kind())
    with caplog.at_level(logging.WARNING):
        results = [await ask(graph, sync) for _ in range(2)]
    assert [outcome(result) for result in results] == [(DRAFT, "small", "CORRECT", 1.0, False)] * 2
    assert models.asked == (2, 2, 0)
    assert "the cache of answers failed" in caplog.text
    assert "secret" not in caplog.text


def test_what_is_no_cache_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"cache is \{\}; give a cache of LangGraph"):
        Models().graph({})
    with pytest.raises(ConfigurationError, match="whole number above 0"):
        AnswerCache(store=InMemoryCache(), seconds=0)


def test_what_is_kept_for_some_time_is_asked_for_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int | None] = []

    class Noting(InMemoryCache[Any]):
        def set(self, keys: Any) -> None:
            seen.extend(seconds for _, seconds in keys.values())
            super().set(keys)

    Models().graph(AnswerCache(store=Noting(), seconds=60)).invoke(QUESTION)
    assert seen == [60, 60]
