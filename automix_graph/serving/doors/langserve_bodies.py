"""What LangServe's handlers fail over instead of refusing it, checked before they run.

That is a body that does not say that it is JSON, is none, or cannot be repeated in an error; a config that is none; bad
inputs of a batch; and a question that cannot be asked: a stream has begun by the time its runnable could say so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from automix_graph.serving.doors.langserve_routes import Question
from automix_graph.serving.gate.failures import RequestFailed
from automix_graph.serving.gate.readable import is_json, require_json


class _Single(BaseModel):
    input: Any = None
    config: dict[str, Any] = {}
    kwargs: dict[str, Any] = {}

    @property
    def questions(self) -> list[Question]:
        try:
            return [Question.model_validate(self.input)]
        except ValidationError:
            return []  # the handler refuses it


class _Batch(BaseModel):
    inputs: list[Question]
    config: dict[str, Any] | list[dict[str, Any]] = {}
    kwargs: dict[str, Any] = {}

    @property
    def questions(self) -> list[Question]:
        return self.inputs


def body_check(check: Callable[[str], None]) -> Callable[[Request], Awaitable[None]]:
    """Return a dependency of LangServe's routes that refuses, as these do, what their handlers would fail over.

    Args:
        check: raises a `RequestFailed` for a question that cannot be asked.
    """

    async def require_body(request: Request) -> None:
        if request.method != "POST":
            return
        if not is_json(request.headers.get("content-type", "")):
            # Else a form on a page of any site could ask.
            raise RequestValidationError(["Send the header 'Content-Type: application/json'"])
        try:
            require_json(await request.body())
        except RequestFailed as failure:
            raise RequestValidationError([failure.message]) from failure
        body = await request.json()
        shape = _Batch if request.url.path.endswith("/batch") else _Single
        try:
            questions = shape.model_validate(body).questions
        except ValidationError as error:
            raise RequestValidationError(error.errors(include_url=False), body=body) from error
        for question in questions:
            check(question.question)

    return require_body
