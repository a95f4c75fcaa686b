"""LangServe's doors on a graph, which show committed output alone.

LangServe itself would stream what every node writes. So it is given a Runnable around the graph, with typed input and
output, whose stream holds pieces of the answer and then the rest of the output. Handlers that follow a run (events,
logs) see this Runnable and nothing inside it.

LangServe is deprecated (bug fixes only since November 2024), and its licence is not an open-source one: it forbids to
offer it to third parties as a hosted or managed service. `create_app` serves the same graph without it.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from langchain_core.documents import Document
from langchain_core.runnables import Runnable, RunnableConfig, RunnableGenerator, RunnableLambda
from langchain_core.runnables.utils import AddableDict
from pydantic import BaseModel, ConfigDict, Field

from automix_graph.errors import MissingExtraError
from automix_graph.graph.build import CompiledGraph
from automix_graph.serving.asking import Outcome, Restart, Step, Text
from automix_graph.serving.doors.detached import detached
from automix_graph.serving.gate.failures import interrupted
from automix_graph.serving.service import Service
from automix_graph.serving.settings import DEFAULT_MODEL, LANGSERVE_PATH, ServingSettings

if TYPE_CHECKING:
    from fastapi import APIRouter, FastAPI

MAX_AT_ONCE: Final = 4
"""Questions of one batch that are worked on at once."""
_ENDPOINTS: Final = (
    "invoke",
    "batch",
    "stream",
    "stream_log",
    "stream_events",
    "playground",
    "input_schema",
    "output_schema",
    "config_schema",
)


class Question(BaseModel):
    """A question over the documents."""

    model_config = ConfigDict(extra="forbid", title="Question")

    question: str = Field(
        title="Question", description="In words; English or Chinese.", examples=["When was it built?"]
    )


class Answer(BaseModel):
    """The committed answer and how it came about; see `automix_graph.graph.AutomixOutput`."""

    model_config = ConfigDict(title="Answer")

    answer: str
    route: str
    confidence: float | None
    verdict: str
    documents: list[Document]
    usage: dict[str, Any]
    cost: float | None
    degraded: bool
    degraded_reason: str | None


def add_automix_routes(
    app: FastAPI | APIRouter,
    graph: CompiledGraph,
    path: str = LANGSERVE_PATH,
    *,
    settings: ServingSettings | None = None,
) -> None:
    """Add LangServe's routes for a graph to an application of yours.

    Unlike ``langserve.add_routes(app, graph)`` this streams pieces of the committed answer, never a draft, and the
    playground knows what goes in and what comes out. Limits on concurrency and on bodies are those of your application;
    the limit on questions is that of the settings.

    Caution: LangServe is deprecated, and its licence forbids to offer it as a hosted service; see the module.

    Args:
        app: to add to.
        graph: made by `create_automix`.
        path: under which the routes are added.
        settings: of which the limit on questions counts; None: the default.

    Raises:
        MissingExtraError: the extra ``langserve`` is not installed.
    """
    service = Service({DEFAULT_MODEL: graph}, settings=settings or ServingSettings())
    add_service_routes(app, service, DEFAULT_MODEL, path=path)


def add_service_routes(app: FastAPI | APIRouter, service: Service, model: str, *, path: str) -> None:
    """Add LangServe's routes for one model of a service; see `add_automix_routes`."""
    try:
        from fastapi import Depends
        from langserve import add_routes

        from automix_graph.serving.doors.langserve_bodies import body_check
    except ImportError as error:
        raise MissingExtraError("serving a graph with LangServe", extra="langserve") from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # LangServe's own, about itself
        add_routes(
            app,
            CommittedRunnable(service, model),
            path=path,
            config_keys=(),
            enabled_endpoints=_ENDPOINTS,
            enable_feedback_endpoint=False,
            dependencies=[Depends(body_check(lambda question: service.check(model, question, param="question")))],
        )


class CommittedRunnable(Runnable[Any, Any]):
    """A graph as a Runnable of which nothing shows but its committed output.

    Args:
        service: that asks it.
        model: its name.
    """

    def __init__(self, service: Service, model: str) -> None:
        self.name = "automix"
        self._service = service
        self._model = model
        self._whole = RunnableLambda(self._answer, name="automix")
        self._pieces = RunnableGenerator(self._stream, name="automix")

    InputType = Question
    OutputType = Answer

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Refuse: a server answers asynchronously."""
        raise NotImplementedError("a server answers asynchronously; use ainvoke")

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Answer a question."""
        return await self._whole.ainvoke(input, config)

    async def astream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncIterator[Any]:
        """Answer a question in chunks that add up to the output."""
        async for chunk in self._pieces.astream(input, config):
            yield chunk

    async def astream_log(self, input: Any, config: RunnableConfig | None = None, **options: Any) -> AsyncIterator[Any]:
        """Log a run with its output in one piece, because the playground shows chunks one below the other."""
        async for patch in self._whole.astream_log(input, config, **options):
            yield patch

    async def abatch(
        self,
        inputs: list[Any],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any | None,
    ) -> list[Any]:
        """Answer questions, a few at a time: a batch has one place among the requests, and must not fill all."""
        places = asyncio.Semaphore(MAX_AT_ONCE)
        configs = config if isinstance(config, list) else [config or {} for _ in inputs]

        async def answer(input: Any, config: RunnableConfig) -> Any:
            async with places:
                return await self.ainvoke(input, config)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(answer(*pair)) for pair in zip(inputs, configs, strict=True)]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures
        return [task.result() for task in tasks]

    async def _answer(self, input: Any) -> dict[str, Any]:
        async with aclosing(self._steps(input)) as steps:
            async for step in steps:
                if isinstance(step, Outcome):
                    return dict(step.output)
        raise AssertionError("steps end with an outcome or raise")

    async def _stream(self, inputs: AsyncIterator[Any]) -> AsyncIterator[AddableDict]:
        input = [input async for input in inputs][-1]
        async with aclosing(self._steps(input)) as steps:
            async for step in steps:
                match step:
                    case Text():
                        yield AddableDict(answer=step.text)
                    case Restart():
                        raise interrupted()
                    case Outcome():
                        yield AddableDict({key: value for key, value in step.output.items() if key != "answer"})

    def _steps(self, input: Any) -> AsyncGenerator[Step, None]:
        question = Question.model_validate(input).question
        self._service.check(self._model, question, param="question")
        return detached(self._service.steps(self._model, question))
