"""The OpenAI-compatible doors: ``/v1/chat/completions`` and ``/v1/models``."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import JSONResponse, Response

from automix_graph.serving.asking import Outcome, Progress, Restart, Text
from automix_graph.serving.doors.described import COMPLETION, FAILURES, MODELS, ModelCard
from automix_graph.serving.doors.events import EventStream, event
from automix_graph.serving.doors.openai_schema import ChatRequest, Completion, model_card
from automix_graph.serving.doors.plain import extension_of, headers_of
from automix_graph.serving.gate.failures import RequestFailed, interrupted, unknown_model
from automix_graph.serving.gate.refusing import note
from automix_graph.serving.service import Service
from automix_graph.serving.settings import DEFAULT_MODEL


def openai_router(service: Service, *, ignored: Collection[str]) -> APIRouter:
    """Return the routes.

    Args:
        service: that answers.
        ignored: parameters of a request that are dropped instead of refused.
    """
    router = APIRouter(prefix="/v1", tags=["OpenAI"], responses=FAILURES)
    started = int(time.time())

    @router.get("/models", responses=MODELS)
    async def list_models() -> dict[str, Any]:
        return {"object": "list", "data": [model_card(name, started) for name in service.names]}

    @router.get("/models/{name}", operation_id="get_model", responses={200: {"model": ModelCard}})
    async def get_model(name: Annotated[str, Path(examples=[DEFAULT_MODEL])]) -> dict[str, Any]:
        if name not in service.names:
            raise unknown_model(name, service.names)
        return model_card(name, started)

    @router.post(
        "/chat/completions",
        operation_id="create_chat_completion",
        response_model=None,
        response_class=JSONResponse,
        responses=COMPLETION,
    )
    async def complete(request: ChatRequest) -> Response:
        request.refuse_what_is_unsupported(ignored)
        question = request.question
        service.check(request.model, question, param="messages")
        completion = Completion(request.model, uuid.uuid4().hex)
        if request.stream:
            usage = bool(request.stream_options and request.stream_options.include_usage)
            return EventStream(_chunks(service, request, completion, with_usage=usage))
        outcome = await service.outcome(request.model, question, request.earlier)
        output = outcome.output
        body = completion.whole(output["answer"], output["usage"], extension_of(output))
        return JSONResponse(body, headers=headers_of(output))

    return router


async def _chunks(
    service: Service, request: ChatRequest, completion: Completion, *, with_usage: bool
) -> AsyncGenerator[str, None]:
    yield event(completion.chunk({"role": "assistant", "content": ""}))
    try:
        async with aclosing(service.steps(request.model, request.question, request.earlier)) as steps:
            async for step in steps:
                match step:
                    case Progress():
                        yield f": {step.event}\n\n"  # a comment, so that nothing between here and there times out
                    case Text():
                        yield event(completion.chunk({"content": step.text}))
                    case Restart():
                        raise interrupted()  # what a client of OpenAI's has received it cannot be made to forget
                    case Outcome():
                        last = completion.chunk({}, finish_reason="stop")
                        yield event({**last, "automix": extension_of(step.output)})
                        if with_usage:
                            yield event(completion.usage_chunk(step.output["usage"]))
    except RequestFailed as failure:
        note(failure.code)
        yield event(failure.body())
        return
    yield "data: [DONE]\n\n"
