"""The application: all doors on one FastAPI app, behind one gate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version
from importlib.util import find_spec
from typing import Final

from automix_graph.errors import ConfigurationError, MissingExtraError

try:
    from fastapi import FastAPI, Request
    from fastapi.exception_handlers import http_exception_handler, request_validation_exception_handler
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException
    from starlette.middleware.cors import CORSMiddleware
    from starlette.responses import Response

    from automix_graph.serving.doors.health_routes import health_router
    from automix_graph.serving.metrics import Metrics
except ImportError as error:
    raise MissingExtraError("serving a graph", extra="serve") from error

from automix_graph.graph.build import CompiledGraph
from automix_graph.serving.doors.described import OTHER_FAILURES
from automix_graph.serving.doors.langserve_routes import MAX_AT_ONCE, add_service_routes
from automix_graph.serving.doors.openai_routes import openai_router
from automix_graph.serving.doors.page_routes import page_router
from automix_graph.serving.gate.bounded import Bounded
from automix_graph.serving.gate.exchange import door_of
from automix_graph.serving.gate.failures import RequestFailed, invalid
from automix_graph.serving.gate.guarded import Guarded
from automix_graph.serving.gate.observed import REQUEST_ID, Observed
from automix_graph.serving.gate.refusing import note, path_of, response_of
from automix_graph.serving.gate.threads import Threads
from automix_graph.serving.readiness import Check, Readiness
from automix_graph.serving.service import Service
from automix_graph.serving.settings import DEFAULT_MODEL, LANGSERVE_PATH, ServingSettings
from automix_graph.shadow import Background

_TOLD: tuple[str, ...] = (
    REQUEST_ID,
    "retry-after",
    *(f"x-automix-{name}" for name in ("route", "verdict", "confidence", "cost", "degraded")),
)
"""Headers that scripts of other sites may read, where any may call."""
_PER_REQUEST: Final = 2 * MAX_AT_ONCE
"""Threads for a request: two calls at once for each question of a batch, such as an answer ahead and a verification."""
_OTHERS: Final = 16
"""Threads for what is no request, such as looking up the addresses of providers."""


def create_app(
    graph: CompiledGraph,
    *,
    policies: Mapping[str, CompiledGraph] | None = None,
    settings: ServingSettings | None = None,
    checks: Mapping[str, Check] | None = None,
    background: Background | None = None,
) -> FastAPI:
    """Return an ASGI application that serves a graph: OpenAI's API, LangServe, a page, health and metrics.

    Run it with any ASGI server, or mount it in another application. LangServe is there if the extra ``langserve`` is
    installed; see `add_automix_routes` for a caution about it. Routes that you add go through the same gate; name those
    that call models in `ServingSettings.working_paths`, and ask through ``app.state.service``, a `Service`.

    Args:
        graph: made by `create_automix`; served as the model ``automix``.
        policies: more graphs, of other policies or models, by the names under which they are served as models.
        settings: limits, keys and doors; None: the defaults.
        checks: of the parts behind the graphs, for ``/readyz``; None: it says that the process answers.
        background: of graphs in shadow mode or with an audit rate, for ``/metrics``.

    Raises:
        ConfigurationError: a graph is none, or two have one name.
        MissingExtraError: the extra ``serve`` is not installed.

    Example:
        >>> from starlette.testclient import TestClient
        >>> from automix_graph import create_automix
        >>> from automix_graph.testing import ScriptedChatModel, StaticRetriever
        >>> app = create_app(
        ...     create_automix(
        ...         small=ScriptedChatModel(["In 1781."]),
        ...         large=ScriptedChatModel(["The AI generated answer is Correct."]),
        ...         retriever=StaticRetriever(["James Watt patented his steam engine in 1781."]),
        ...     )
        ... )
        >>> body = {"model": "automix", "messages": [{"role": "user", "content": "When?"}]}
        >>> with TestClient(app) as client:
        ...     response = client.post("/v1/chat/completions", json=body)
        >>> response.json()["choices"][0]["message"]["content"], response.headers["x-automix-route"]
        ('In 1781.', 'small')
    """
    settings = settings or ServingSettings()
    metrics = Metrics()
    if background is not None:
        metrics.watch(background)
    service = Service(_named(graph, policies or {}), settings=settings, metrics=metrics)
    readiness = Readiness(checks or {}, holds=settings.readiness_seconds, timeout=settings.readiness_timeout_seconds)
    # The pages that FastAPI makes of the schema load scripts from elsewhere.
    app = FastAPI(
        title="automix-graph",
        version=version("automix-graph"),
        docs_url=None,
        redoc_url=None,
        lifespan=_threads(_PER_REQUEST * settings.max_concurrent + _OTHERS),
        responses=OTHER_FAILURES,
    )
    app.include_router(page_router(service))
    app.include_router(openai_router(service, ignored=settings.ignored_parameters))
    app.include_router(health_router(readiness, metrics))
    if settings.langserve or (settings.langserve is None and find_spec("langserve")):
        add_service_routes(app, service, DEFAULT_MODEL, path=LANGSERVE_PATH)
    app.add_exception_handler(RequestFailed, _failed)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _not_routed)
    app.state.service = service
    _add_gate(app, settings, metrics)
    return app


def _named(graph: CompiledGraph, policies: Mapping[str, CompiledGraph]) -> dict[str, CompiledGraph]:
    if DEFAULT_MODEL in policies:
        raise ConfigurationError(f"{DEFAULT_MODEL!r} is the name of the graph itself; give the policy another name")
    return {DEFAULT_MODEL: graph, **policies}


def _add_gate(app: FastAPI, settings: ServingSettings, metrics: Metrics) -> None:
    # The last one added is the outermost.
    app.add_middleware(Bounded, settings=settings, metrics=metrics)
    app.add_middleware(Guarded, settings=settings)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type", REQUEST_ID],
            expose_headers=list(_TOLD),
        )
    app.add_middleware(Observed, settings=settings, metrics=metrics)


def _threads(number: int) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None, None]:
        # Models and retrievers that know no async run in threads, of which asyncio has few more than there are cores.
        threads = Threads(number)
        asyncio.get_running_loop().set_default_executor(threads)
        yield
        threads.shutdown()

    return lifespan


async def _failed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestFailed)
    note(error.code)
    return response_of(error)


async def _not_routed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if door_of(path_of(request.scope)) == "langserve":
        return await http_exception_handler(request, error)
    code = "not_found" if error.status_code == 404 else "method_not_allowed"
    message = f"{request.method} has nothing here"
    headers = dict(error.headers or {})  # which methods are allowed
    failure = RequestFailed(message, status=error.status_code, kind="invalid_request_error", code=code, headers=headers)
    return response_of(failure)


async def _not_valid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if door_of(path_of(request.scope)) == "langserve":
        return await request_validation_exception_handler(request, error)
    if "json" not in request.headers.get("content-type", ""):
        return await _failed(request, invalid("Send the header 'Content-Type: application/json'", code="not_json"))
    first = error.errors()[0]
    where = [str(part) for part in first["loc"] if part != "body"]
    if first["type"] == "json_invalid":
        return await _failed(request, invalid("The body is not valid JSON", code="invalid_json"))
    param = ".".join(where)[:200] or None
    return await _failed(request, invalid(f"{param or 'body'}: {first['msg']}", param=param))
