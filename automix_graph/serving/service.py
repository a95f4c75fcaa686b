"""What every door opens on: graphs by name, the limits on a question, and the metrics of its way."""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from langchain_core.runnables import Runnable, RunnableConfig

from automix_graph.errors import ConfigurationError
from automix_graph.graph.build import CompiledGraph
from automix_graph.graph.call_listener import CallListener
from automix_graph.serving.asking import Earlier, Outcome, Step, asked
from automix_graph.serving.gate.exchange import current
from automix_graph.serving.gate.failures import RequestFailed, failure_of, invalid, too_large, too_late, unknown_model
from automix_graph.serving.settings import ServingSettings

if TYPE_CHECKING:
    from automix_graph.serving.metrics import Metrics

_log: Final = logging.getLogger(__name__)


class Service:
    """Asks graphs on behalf of requests.

    Args:
        graphs: by the name of the model under which each is served.
        settings: limits.
        metrics: that every question is counted in; None counts nowhere.

    Raises:
        ConfigurationError: there is no graph, or something that is none.
    """

    def __init__(
        self, graphs: Mapping[str, CompiledGraph], *, settings: ServingSettings, metrics: Metrics | None = None
    ) -> None:
        for name, graph in graphs.items():
            if not isinstance(graph, Runnable):
                raise ConfigurationError(
                    f"graph {name!r} is of type {type(graph).__name__}; give what create_automix returns, or compile "
                    "it",
                    code="not-a-graph",
                )
        self._graphs = dict(graphs)
        self._settings = settings
        self._metrics = metrics

    def beside(self, name: str, graph: CompiledGraph) -> Service:
        """Return a service of another graph, for a route that you add: with the same limits and the same metrics.

        Args:
            name: under which its answers are counted; no client can ask for it.
            graph: made by `create_automix`.

        Raises:
            ConfigurationError: it is no graph.
        """
        return Service({name: graph}, settings=self._settings, metrics=self._metrics)

    @property
    def names(self) -> list[str]:
        """The names of the models, the default one first."""
        return list(self._graphs)

    def check(self, model: str, question: str, *, param: str) -> None:
        """Refuse a question that cannot be asked, before anything is sent.

        Args:
            model: that is asked.
            question: in words.
            param: the field of the request that holds the question.

        Raises:
            RequestFailed: the model is unknown, or the question is blank or too long.
        """
        if model not in self._graphs:
            raise unknown_model(model, self.names)
        if not question.strip():
            raise invalid("The question is empty", param=param)
        most = self._settings.max_question_characters
        if len(question) > most:
            message = f"The question has {len(question)} characters; at most {most} are allowed"
            raise too_large(message, param=param, code="question_too_long")

    async def steps(
        self, model: str, question: str, earlier: Earlier = (), *, thread: str | None = None
    ) -> AsyncGenerator[Step, None]:
        """Ask a graph, and tell the steps; see `automix_graph.serving.asking.asked`.

        Args:
            model: that is asked.
            question: in words.
            earlier: what was said before it.
            thread: of a graph with a checkpointer, which keeps what is said on it; None: one that is used once.

        Raises:
            RequestFailed: there is no answer.
        """
        exchange = current.get()
        clock = self._metrics.clock() if self._metrics else None
        listener = CallListener()
        try:
            steps = asked(
                self._graphs[model],
                question,
                earlier,
                config=_config(model, exchange.request_id if exchange else None, listener, thread),
                as_message=thread is not None,
                deadline=exchange.deadline if exchange else None,
            )
            async with aclosing(steps):
                async for step in steps:
                    if clock:
                        clock.observe(step)
                    if isinstance(step, Outcome):
                        self._note(model, step)
                    yield step
        except Exception as error:
            if self._metrics:
                self._metrics.failed(listener.calls_before(error))
            raise self._failure(error) from error

    async def outcome(self, model: str, question: str, earlier: Earlier = (), *, thread: str | None = None) -> Outcome:
        """Ask a graph, and return how the question ended; see `steps`.

        Raises:
            RequestFailed: there is no answer.
        """
        async with aclosing(self.steps(model, question, earlier, thread=thread)) as steps:
            async for step in steps:
                if isinstance(step, Outcome):
                    return step
        raise AssertionError("steps end with an outcome or raise")

    def _note(self, model: str, outcome: Outcome) -> None:
        if exchange := current.get():
            exchange.route = outcome.output["route"]
            exchange.cost = outcome.output["cost"]
        if self._metrics:
            self._metrics.answered(model, outcome)

    def _failure(self, error: Exception) -> RequestFailed:
        exchange = current.get()
        late = isinstance(error, TimeoutError) and exchange is not None and exchange.passed
        failure = too_late(exchange.seconds) if late and exchange else failure_of(error)
        if exchange:
            exchange.error = failure.code
        if failure.status >= 500:
            # The kind alone: a provider's words may repeat a prompt.
            _log.error("%s: %s", failure.code, type(error).__name__)
            _log.debug("the failure of a question", exc_info=error)
        return failure


def _config(model: str, request_id: str | None, listener: CallListener, thread: str | None) -> RunnableConfig:
    """Return the config of a run: what names it in a trace, and a thread: its own, in case there is a checkpointer."""
    metadata = {"automix_model": model} | ({"request_id": request_id} if request_id else {})
    return {
        "run_name": "automix",
        "callbacks": [listener],
        "metadata": metadata,
        "configurable": {"thread_id": thread or uuid.uuid4().hex},
    }
