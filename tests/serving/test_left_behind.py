"""Calls in threads that outlive their requests: they keep the places, and nobody waits for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr
from served import CHAT, chat, make_graph
from starlette.testclient import TestClient

from automix_graph.serving import ServingSettings, create_app
from automix_graph.serving.gate.places import Place, Places
from automix_graph.serving.gate.threads import Threads


class SynchronousModel(BaseChatModel):
    """Knows no async, and answers stuck questions once it may."""

    label: str = "small"
    _may_answer: threading.Event = PrivateAttr(default_factory=threading.Event)

    @property
    def may_answer(self) -> threading.Event:
        return self._may_answer

    @property
    def _llm_type(self) -> str:
        return "synchronous"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if "stuck" in messages[-1].text:
            assert self.may_answer.wait(20)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content="an answer"))])


@contextmanager
def asking(**settings: Any) -> Iterator[tuple[TestClient, SynchronousModel]]:
    model = SynchronousModel()
    app = create_app(make_graph(small=model), settings=ServingSettings(langserve=False, **settings))
    with TestClient(app) as ask:
        try:
            yield ask, model
        finally:
            model.may_answer.set()


def until_status(ask: TestClient, status: int) -> None:
    for _ in range(200):
        if ask.post(CHAT, json=chat("easy")).status_code == status:
            return
        time.sleep(0.02)
    pytest.fail(f"there is no status {status}")


def test_calls_that_nobody_waits_for_keep_their_places() -> None:
    with asking(max_concurrent=2, deadline_seconds=0.3) as (ask, model):
        for left in (1, 2):
            assert ask.post(CHAT, json=chat("stuck")).status_code == 504
            assert f"automix_places_left_behind {left}.0" in ask.get("/metrics").text
            # With a place left the next question is answered at once; it waits for no thread.
            assert ask.post(CHAT, json=chat("easy")).status_code == (200 if left == 1 else 429)
        assert "automix_requests_in_flight 0.0" in ask.get("/metrics").text
        model.may_answer.set()
        until_status(ask, 200)
        assert "automix_places_left_behind 0.0" in ask.get("/metrics").text


def test_a_server_ends_before_the_calls_in_its_threads() -> None:
    with asking(deadline_seconds=0.3) as (ask, model):
        assert ask.post(CHAT, json=chat("stuck")).status_code == 504
        stuck = [thread for thread in threading.enumerate() if thread.name.startswith("automix_")]
        assert stuck
        assert all(thread.daemon for thread in stuck)
        ask.__exit__()  # ends the application
        assert not model.may_answer.is_set()
        assert any(thread.is_alive() for thread in stuck)
        ask.__enter__()


@given(steps=st.lists(st.tuples(st.sampled_from(["take", "call", "leave", "end"]), st.integers(0, 9)), max_size=60))
def test_a_place_is_free_when_its_request_and_all_its_calls_have_ended(steps: list[tuple[str, int]]) -> None:
    places = Places(3)
    held: list[tuple[Place, list[Future[None]], bool]] = []  # of each place: its calls, and whether its request works

    def has_ended(calls: list[Future[None]], works: bool) -> bool:
        return not works and all(call.done() for call in calls)

    for step, number in steps:
        held = [entry for entry in held if not has_ended(entry[1], entry[2])]
        if step == "take":
            place = places.take()
            assert (place is None) is (len(held) == 3)
            if place is not None:
                held.append((place, [], True))
        elif held:
            at = number % len(held)
            place, calls, works = held[at]
            if step == "call":
                calls.append(Future())
                place.keep_for(calls[-1])
            elif step == "leave" and works:
                place.leave()
                held[at] = (place, calls, False)
            elif step == "end" and (waiting := [call for call in calls if not call.done()]):
                waiting[0].cancel() if number % 2 else waiting[0].set_result(None)
        behind = [entry for entry in held if not entry[2] and not has_ended(entry[1], entry[2])]
        assert places.left_behind == len(behind)


def test_a_place_that_was_given_up_is_kept_by_nobody() -> None:
    places, late = Places(1), Future[None]()
    place = places.take()
    assert place is not None
    place.leave()
    place.keep_for(late)
    assert places.left_behind == 0
    assert places.take() is not None
    late.set_result(None)
    assert places.take() is None


def test_threads_are_made_as_they_are_needed() -> None:
    threads, together = Threads(3), threading.Barrier(3, timeout=10)
    for _ in range(20):
        calls = [threads.submit(together.wait) for _ in range(3)]
        assert sorted(call.result(10) for call in calls) == [0, 1, 2]
    threads.shutdown()


def test_an_idle_thread_is_used_before_another_is_made() -> None:
    before, threads = set(threading.enumerate()), Threads(8)
    for _ in range(4):
        threads.submit(abs, -1).result(10)
        time.sleep(0.05)  # a thread is idle shortly after its call has ended
    assert [thread.name for thread in set(threading.enumerate()) - before] == ["automix_0"]
    threads.shutdown()


def test_calls_beyond_the_threads_wait_and_those_that_were_cancelled_are_not_made() -> None:
    threads, go = Threads(1), threading.Event()
    first = threads.submit(go.wait, 10)
    cancelled, last = threads.submit(pytest.fail, "it was cancelled"), threads.submit(pow, 2, 3)
    assert cancelled.cancel()
    assert not last.done()
    go.set()
    assert (first.result(10), last.result(10)) == (True, 8)
    threads.shutdown()


def test_a_call_that_fails_says_how() -> None:
    threads = Threads(1)
    with pytest.raises(ZeroDivisionError):
        threads.submit(divmod, 1, 0).result(10)
    assert threads.submit(abs, -1).result(10) == 1
    threads.shutdown()


def test_no_call_is_taken_after_the_end_and_no_thread_stays() -> None:
    threads = Threads(2)
    assert threads.submit(abs, -1).result(10) == 1
    (worker,) = [thread for thread in threading.enumerate() if thread.name == "automix_0"]
    threads.shutdown()
    worker.join(10)
    assert not worker.is_alive()
    with pytest.raises(RuntimeError, match="has ended"):
        threads.submit(abs, -1)
