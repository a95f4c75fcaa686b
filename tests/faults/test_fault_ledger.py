"""Every call that the server saw is in the ledger, whatever became of it."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Iterator

import pytest
from cascades import TWICE, VOTES, Cascades, Stage, always, once
from fault_server import Fault, well
from provider_faults import LASTING, PASSING, huge, saying

from automix_graph import ModelTier, create_automix
from automix_graph.models.retrying import Retries
from automix_graph.testing import StaticRetriever

pytestmark = pytest.mark.integration

HANGING = 1.0
"""Seconds after which a server that hangs is given up."""


@pytest.mark.parametrize("stage", ["small", "short", "votes", "probability", "large"])
@pytest.mark.parametrize("sync", [True, False])
async def test_a_call_that_was_repeated_is_charged_with_both(cascades: Cascades, stage: Stage, sync: bool) -> None:
    cascade = await cascades.run(stage, once(PASSING["503"][0]), sync=sync)
    failed, answered = cascade.charged
    assert (failed["error"], failed["input_tokens"]) == ("OpenAIAPIError (503)", None)
    assert (answered["error"], answered["input_tokens"]) == (None, 10)
    assert cascade.result["usage"]["calls_without_usage"] == 1


@pytest.mark.parametrize(("fault", "kind"), [(huge, "too long"), (saying("x", refusal="no"), "refusal")])
async def test_a_reply_of_no_use_was_paid_for(cascades: Cascades, fault: Fault, kind: str) -> None:
    (call,) = (await cascades.run("small", always(fault))).charged
    assert (call["error"], call["input_tokens"], call["output_tokens"]) == (kind, 10, 1)
    (voted,) = (await cascades.run("votes", always(huge))).charged
    assert (voted["error"], voted["output_tokens"]) == (None, VOTES)


async def test_empty_answers_were_paid_for(cascades: Cascades) -> None:
    cascade = await cascades.run("small", always(saying(None)))
    assert [(call["error"], call["input_tokens"]) for call in cascade.charged] == [("empty answer", 10)] * 2


@pytest.mark.parametrize("sync", [True, False])
@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("fault", ["500", "reset", "429"])
async def test_a_fallback_answers_under_its_own_label(
    cascades: Cascades, sync: bool, streaming: bool, fault: str
) -> None:
    server = cascades.server
    server.forget()
    server.texts |= {"small": "S", "spare": "spare answer", "judge": "Correct", "large": "L"}
    server.fail("small", always(PASSING[fault][0]))
    small, spare = (cascades.model(name, streaming=streaming).model for name in ("small", "spare"))
    graph = create_automix(
        tiers=[
            ModelTier(model=small, fallbacks=[spare]),
            cascades.model("large").model,
        ],
        verifier=cascades.judge("short", TWICE),
        retriever=StaticRetriever(["A passage."]),
        retries=TWICE,
        prices={"openai:spare": (1, 1)},
    )
    asked = {"question": "What?"}
    result = graph.invoke(asked) if sync else await graph.ainvoke(asked)
    assert (result["answer"], result["route"], result["degraded"]) == ("spare answer", "small", False)
    assert server.asked == ["small", "small", "spare", "judge"]
    charged = [(call["model"], call["error"], call["cost"]) for call in result["usage"]["calls"]]
    assert charged[:3] == [
        ("openai:small", PASSING[fault][1], None),
        ("openai:small", PASSING[fault][1], None),
        # The server reports no tokens of a stream.
        ("openai:spare", None, None if streaming else pytest.approx(11e-6)),
    ]


async def test_a_model_that_is_down_is_soon_not_waited_for(cascades: Cascades) -> None:
    breaking = Retries(attempts=2, first_wait=0.0, opens_after=2, open_seconds=60)
    server = cascades.server
    server.forget()
    server.texts |= {"small": "S", "judge": "Correct", "large": "L"}
    server.fail("judge", always(PASSING["503"][0]))
    graph = create_automix(
        small=cascades.model("small").model,
        large=cascades.model("large").model,
        verifier=cascades.judge("short", breaking),
        retriever=StaticRetriever(["A passage."]),
    )
    results = [await graph.ainvoke({"question": "What?"}) for _ in range(3)]
    assert server.asked_for("judge") == 2
    assert [result["route"] for result in results] == ["large"] * 3
    refused = [call for call in results[2]["usage"]["calls"] if call["model"] == "judge"]
    assert [(call["error"], call["input_tokens"], call["seconds"]) for call in refused] == [("circuit open", 0, 0.0)]


async def test_whatever_fails_nothing_unjudged_is_accepted_and_every_call_is_charged(cascades: Cascades) -> None:
    """Sixty questions at once, while each model does at random what a server can do."""
    dice = random.Random(7)
    faults = [fault for fault, _ in (PASSING | LASTING).values()] + [saying(None), saying("Correct", refusal="no")]

    def random_faults() -> Iterator[Fault]:
        return (dice.choice(faults) if dice.random() < 0.4 else well for _ in itertools.count())

    server = cascades.server
    server.forget()
    server.texts |= {"small": "S", "judge": "Correct", "large": "L"}
    for model in server.texts:
        server.fail(model, random_faults())
    graph = create_automix(
        small=cascades.model("small", timeout=HANGING).model,
        large=cascades.model("large", timeout=HANGING).model,
        verifier=cascades.judge("short", TWICE, timeout=HANGING),
        retriever=StaticRetriever(["A passage."]),
        retries=TWICE,
    )
    places = asyncio.Semaphore(8)

    async def ask() -> object:
        async with places:
            return await graph.ainvoke({"question": "What?"})

    results = await asyncio.gather(*(ask() for _ in range(60)), return_exceptions=True)
    ended = [result for result in results if isinstance(result, dict)]
    assert len(ended) > 40
    for result in ended:
        assert result["degraded"] or result["route"] == "large" or result["verdict"] == "CORRECT"
        judged = [call for call in result["usage"]["calls"] if call["stage"] == "verify"]
        if result["route"] == "small" and not result["degraded"]:
            assert judged[-1]["error"] is None
    seen = Counter(server.asked)
    charged = Counter(call["model"].removeprefix("openai:") for result in ended for call in result["usage"]["calls"])
    if len(ended) == len(results):
        assert charged == seen
    assert all(charged[model] <= seen[model] for model in seen)
