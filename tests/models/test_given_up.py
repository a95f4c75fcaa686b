"""Calls that are given up: whoever observes them is told what they may have cost, and of no others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from automix_graph.costs import Limits, Prices
from automix_graph.models.budget import Budget, observed
from automix_graph.models.calling import acall_model, call_model, named
from automix_graph.models.given_up import GivenUp
from automix_graph.testing import FunctionChatModel, ScriptedReply

PRICES = Prices({"m": (10, 40)})
ASKED = [HumanMessage("When?")]
OPTIONS = {"max_tokens": 100}
WORST = (11 * 10 + 100 * 40) / 1e6
"""Three tokens for five characters and eight for the message are read at most, and 100 are written; in USD."""


def model(reply: Any, label: str = "m") -> Any:
    return named(FunctionChatModel(lambda _: reply, label=label))


def slow() -> ScriptedReply:
    return ScriptedReply(text="x", seconds=0.5)


@contextmanager
def observing() -> Iterator[GivenUp]:
    given_up = GivenUp()
    with given_up.current(), observed(PRICES):
        yield given_up


async def test_a_call_that_is_cancelled_is_told_at_its_worst() -> None:
    with observing() as given_up:
        call = asyncio.create_task(acall_model(model(slow()), ASKED, stage="large_answer", options=OPTIONS))
        await asyncio.sleep(0.05)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
    assert (given_up.at_worst, given_up.unpriced) == (pytest.approx(WORST), 0)


async def test_a_call_beyond_its_time_is_told_at_its_worst() -> None:
    given_up = GivenUp()
    limits = Limits(max_node_seconds=0.1)
    with given_up.current(), Budget(limits, PRICES, calls=(), began=time.time()).current():
        attempt = await acall_model(model(slow()), ASKED, stage="large_answer", options=OPTIONS)
        refused = await acall_model(model(slow()), ASKED, stage="large_answer", options=OPTIONS)  # there is no time
    assert attempt.call.error == refused.call.error == "limit on node_seconds reached"
    assert (given_up.at_worst, given_up.unpriced) == (pytest.approx(WORST), 0)


@pytest.mark.parametrize(
    ("error", "worst"),
    [(TimeoutError(), WORST), (ConnectionRefusedError(), 0.0), (ValueError({"code": 504, "message": "late"}), 0.0)],
)
def test_what_ended_a_call_decides(error: Exception, worst: float) -> None:
    with observing() as given_up:
        call_model(model(error), ASKED, stage="large_answer", options=OPTIONS)
    assert given_up.at_worst == pytest.approx(worst)


def test_a_call_that_is_answered_is_told_to_nobody() -> None:
    with observing() as given_up:
        call_model(model("May"), ASKED, stage="large_answer", options=OPTIONS)
    assert (given_up.at_worst, given_up.unpriced) == (0.0, 0)


def test_a_call_without_a_price_is_counted() -> None:
    with observing() as given_up:
        call_model(model(TimeoutError(), "other"), ASKED, stage="large_answer", options=OPTIONS)
    assert (given_up.at_worst, given_up.unpriced) == (0.0, 1)


def test_a_budget_that_is_there_stays() -> None:
    given_up = GivenUp()
    with given_up.current(), Budget(Limits(max_calls=1), PRICES, calls=(), began=0.0).current(), observed(PRICES):
        call_model(model("May"), ASKED, stage="large_answer")
        second = call_model(model("May"), ASKED, stage="large_answer")
    assert second.call.error == "limit on calls reached"
