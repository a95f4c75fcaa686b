"""The page for people at ``/``, and ``/ask``, through which it sees a question on its way."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import cache
from importlib import resources

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.responses import HTMLResponse, Response

from automix_graph.serving.asking import Outcome, Progress, Restart, Text
from automix_graph.serving.doors.described import ASKED, FAILURES
from automix_graph.serving.doors.events import EventStream, event
from automix_graph.serving.doors.plain import plain_output
from automix_graph.serving.gate.failures import RequestFailed
from automix_graph.serving.service import Service


class AskRequest(BaseModel):
    """A question.

    Attributes:
        question: in words.
        model: one of ``/v1/models``; None: the first.
    """

    model_config = ConfigDict(extra="forbid")

    question: str
    model: str | None = None


def page_router(service: Service) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["page"])

    @router.get("/", response_class=HTMLResponse, include_in_schema=False)
    async def page() -> HTMLResponse:
        html, policy = page_and_policy()
        headers = {
            "content-security-policy": policy,
            "cache-control": "no-cache",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
        }
        return HTMLResponse(html, headers=headers)

    @router.post("/ask", response_model=None, response_class=Response, responses={**ASKED, **FAILURES})
    async def ask(request: AskRequest) -> Response:
        """Answer a question as server-sent events: ``progress``, ``text``, ``restart``, ``outcome`` or ``error``."""
        model = request.model or service.names[0]
        service.check(model, request.question, param="question")
        return EventStream(_events(service, model, request.question))

    return router


async def _events(service: Service, model: str, question: str) -> AsyncGenerator[str, None]:
    try:
        async with aclosing(service.steps(model, question)) as steps:
            async for step in steps:
                match step:
                    case Progress():
                        yield event({"event": step.event, **step.fields}, name="progress")
                    case Text():
                        yield event({"text": step.text}, name="text")
                    case Restart():
                        yield event({}, name="restart")
                    case Outcome():
                        yield event(plain_output(step.output), name="outcome")
    except RequestFailed as failure:
        yield event(failure.body(), name="error")


@cache
def page_and_policy() -> tuple[str, str]:
    """Return the page, and the content security policy that allows its own style and script and nothing else."""
    style = _file("page.css")
    script = '"use strict";\n' + _file("words.js") + _file("page.js")
    html = _file("page.html").replace("<style></style>", f"<style>{style}</style>")
    policy = (
        f"default-src 'none'; style-src 'sha256-{_sha256(style)}'; script-src 'sha256-{_sha256(script)}'; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return html.replace("<script></script>", f"<script>{script}</script>"), policy


def _file(name: str) -> str:
    return resources.files("automix_graph.serving.doors").joinpath("page", name).read_text(encoding="utf-8")


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
