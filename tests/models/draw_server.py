"""A server of the OpenAI API that remembers its requests, and draws from the models that ask it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from automix_graph.models.calling import NamedModel
from automix_graph.models.sampling import Drawn, adraw, draw

ASKED = [HumanMessage("Heads or tails?")]
WAIT = 10.0
"""Seconds after which requests that were to run at one time are taken not to."""

Answer = tuple[int, dict[str, Any]]


class Server:
    """An endpoint that remembers its requests.

    Attributes:
        choices: from the number asked for to the number given; 0 refuses the request with `status`.
        together: how many requests must have arrived before any is answered.
    """

    def __init__(self) -> None:
        self.choices: Callable[[int], int] = lambda n: n
        self.status = 400
        self.together = 1
        self.finish_reasons: tuple[str, ...] = ()
        self.requests: list[dict[str, Any]] = []
        self.busy = self.most_busy = 0
        self._changed = threading.Condition()

    def answer(self, request: dict[str, Any]) -> Answer:
        with self._changed:
            self.requests.append(request)
            self.busy += 1
            self.most_busy = max(self.busy, self.most_busy)
            self._changed.notify_all()
            arrived = self._changed.wait_for(lambda: len(self.requests) >= self.together, WAIT)
            self.busy -= 1
        assert arrived, "the requests came one after the other"
        given = self.choices(request.get("n") or 1)
        return (200, self._completion(given)) if given else (self.status, {"error": {"message": "n must be 1"}})

    @property
    def sizes(self) -> list[int]:
        """How many choices each request asked for."""
        return [request.get("n") or 1 for request in self.requests]

    def _completion(self, given: int) -> dict[str, Any]:
        reasons = self.finish_reasons or ("stop",) * given
        choices = [
            {
                "index": index,
                "finish_reason": reasons[index],
                "message": {"role": "assistant", "content": f"reply {index}"},
            }
            for index in range(given)
        ]
        usage = {"prompt_tokens": 10, "completion_tokens": 2 * given, "total_tokens": 10 + 2 * given}
        return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": choices, "usage": usage}


async def drawn_by(door: str, model: Any, count: int = 8, **arguments: Any) -> Drawn:
    target = NamedModel(label="judge", model=model)
    if door == "sync":
        return draw(target, ASKED, count=count, stage="verify", **arguments)
    return await adraw(target, ASKED, count=count, stage="verify", **arguments)


both_doors = pytest.mark.parametrize("door", ["sync", "async"])
