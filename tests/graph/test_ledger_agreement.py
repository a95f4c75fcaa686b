"""The ledger against LangChain's own count of tokens."""

from collections.abc import Mapping
from itertools import count
from typing import Any

import pytest
from langchain_core.callbacks import CallbackManagerForLLMRun, UsageMetadataCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

from automix_graph import Combined, ReasonedVerdict, ShortVerdict, TwoStage, Votes, create_automix
from automix_graph.graph.build import CompiledGraph
from automix_graph.records import Record
from automix_graph.testing import StaticRetriever
from automix_graph.verification import Logistic, Verifier

QUESTION = {"question": "When was it patented?"}


class DetailedChatModel(BaseChatModel):
    """Replies with one text, and reports cached and reasoning tokens that grow from call to call."""

    label: str
    text: str
    _calls: "count[int]" = PrivateAttr(default_factory=lambda: count(1))

    @property
    def _llm_type(self) -> str:
        return "detailed"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        number = next(self._calls)
        usage = UsageMetadata(
            input_tokens=100 + number,
            output_tokens=20 + number,
            total_tokens=120 + 2 * number,
            input_token_details={"cache_read": 10 * number, "cache_creation": number},
            output_token_details={"reasoning": 3 * number},
        )
        message = AIMessage(self.text, usage_metadata=usage, response_metadata={"model_name": self.label})
        return ChatResult(generations=[ChatGeneration(message=message)])


def verifiers(judge: BaseChatModel, other: BaseChatModel) -> dict[str, Verifier]:
    short, reasoned = ShortVerdict(judge=judge), ReasonedVerdict(judge=other)
    scale = Logistic(intercept=0.0, weights={"a": 1.0, "b": 1.0})
    return {
        "short": short,
        "votes": Votes(judge=judge, samples=3),
        "combined": Combined(verifiers={"a": short, "b": reasoned}, scale=scale),
        "two-stage": TwoStage(first=reasoned, second=Votes(judge=judge, samples=2), low=0.0, high=1.0),
    }


def graph_of(kind: str, verdict: str) -> CompiledGraph:
    large = DetailedChatModel(label="large", text=verdict)
    third = DetailedChatModel(label="third", text=verdict)
    return create_automix(
        small=DetailedChatModel(label="small", text="In 1781."),
        large=large,
        retriever=StaticRetriever(["James Watt patented his steam engine in 1781."]),
        verifier=verifiers(large, third)[kind],
    )


def seen_by_langchain(usage: UsageMetadataCallbackHandler) -> dict[str, tuple[int, ...]]:
    return {
        model: (
            told["input_tokens"],
            told["output_tokens"],
            told["input_token_details"]["cache_read"],
            told["input_token_details"]["cache_creation"],
            told["output_token_details"]["reasoning"],
        )
        for model, told in usage.usage_metadata.items()
    }


def charged(*results: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    fields = ("input_tokens", "output_tokens", "cached_input_tokens", "cache_write_tokens", "reasoning_tokens")
    found: dict[str, tuple[int, ...]] = {}
    for result in results:
        for call in result["usage"]["calls"]:
            sums = found.get(call["model"], (0,) * len(fields))
            found[call["model"]] = tuple(total + call[field] for total, field in zip(sums, fields, strict=True))
    return found


@pytest.mark.parametrize("verdict", ["Correct", "Incorrect"])
@pytest.mark.parametrize("kind", ["short", "votes", "combined", "two-stage"])
async def test_langchain_counts_what_the_ledger_charges(kind: str, verdict: str) -> None:
    text = f"The AI generated answer is {verdict}."
    usage = UsageMetadataCallbackHandler()
    result = graph_of(kind, text).invoke(QUESTION, {"callbacks": [usage]})
    assert charged(result) == seen_by_langchain(usage) != {}
    usage = UsageMetadataCallbackHandler()
    result = await graph_of(kind, text).ainvoke(QUESTION, {"callbacks": [usage]})
    assert charged(result) == seen_by_langchain(usage) != {}


def test_in_a_batch_the_counts_of_all_questions_agree() -> None:
    usage = UsageMetadataCallbackHandler()
    results = graph_of("votes", "Incorrect.").batch([QUESTION] * 5, {"callbacks": [usage]})
    assert charged(*results) == seen_by_langchain(usage)


@pytest.mark.parametrize(("verdict", "route"), [("Correct", "small"), ("Incorrect", "large")])
def test_result_and_record_tell_what_always_large_would_have_cost(verdict: str, route: str) -> None:
    graph = create_automix(
        small=DetailedChatModel(label="small", text="In 1781."),
        large=DetailedChatModel(label="large", text=f"The AI generated answer is {verdict}."),
        retriever=StaticRetriever(["James Watt patented his steam engine in 1781."]),
        prices={"small": (1, 4, 0), "large": (10, 40, 1)},
    )
    *_, state = graph.stream(QUESTION, stream_mode="values")
    usage, record = state["usage"], Record.unseal(state["record"])
    # Kept: what the small model read (101, the judge read no less) and wrote (21). Escalated: the same read, one token
    # less than was sent, and 9 of them from the cache, where the judge found 10; 22 written.
    alone = (101 * 10 + 21 * 40) / 1e6 if route == "small" else (92 * 10 + 9 * 1 + 22 * 40) / 1e6
    assert usage["always_large_cost"] == pytest.approx(alone)
    assert usage["always_large_estimated"] is True
    assert usage["saved"] == pytest.approx(alone - state["cost"])
    assert usage["saved"] < 0
    assert record.bill is not None
    assert (record.route, record.bill.always_large) == (route, usage["always_large_cost"])
    assert (record.bill.cost, record.bill.saved) == (state["cost"], usage["saved"])
