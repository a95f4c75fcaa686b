"""What the server counts, for Prometheus. Labels hold names that the operator chose or that are written here, no text.

The share of escalated questions: ``sum(rate(automix_escalated_total[5m])) / sum(rate(automix_answers_total[5m]))``.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from automix_graph.records import Call
from automix_graph.serving.asking import Outcome, Progress, Step
from automix_graph.serving.gate.exchange import DOORS, Exchange
from automix_graph.shadow import Background

Stage = Literal["retrieve", "draft", "verify", "last_answer"]

_ENDS: Final[Mapping[str, Stage]] = {"retrieved": "retrieve", "drafted": "draft", "verified": "verify"}
"""The stage that ends with an event."""
_BEHIND: Final = {
    "drawn": "Questions drawn for shadow mode or an audit",
    "recorded": "Questions recorded, failed ones included",
    "failed": "Questions recorded without an answer to compare",
    "compared": "Small answers compared with the large model's",
    "agreed": "Sum of their agreements, each in [0, 1]",
    "dropped": "Questions dropped because the queue was full",
    "over_budget": "Questions passed over because the ceiling on cost was reached",
    "lost": "Questions that could not be written",
    "unwritable": "Questions passed over because the file of records could not be written",
    "unpriced": "Background calls of unknown cost",
}
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_KINDS: Final = {"input": "input_tokens", "cached_input": "cached_input_tokens", "output": "output_tokens"}


class Metrics:
    """The counters of one server, in a registry of its own.

    Example:
        >>> "automix_requests_in_flight 0.0" in Metrics().text().decode()
        True
    """

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self.requests = Counter("automix_requests", "Requests", ["door", "status"], registry=registry)
        self.in_flight = Gauge("automix_requests_in_flight", "Requests that call models", registry=registry)
        self.left_behind = Gauge(
            "automix_places_left_behind", "Places taken by calls in threads whose requests ended", registry=registry
        )
        self.request_seconds = Histogram(
            "automix_request_seconds", "Time of a request", ["door"], buckets=_SECONDS, registry=registry
        )
        self.errors = Counter("automix_errors", "Requests without an answer, by reason", ["code"], registry=registry)
        self.answers = Counter("automix_answers", "Answers", ["served_model", "route"], registry=registry)
        self.escalated = Counter("automix_escalated", "Questions that went beyond the small model", registry=registry)
        self.degraded = Counter("automix_degraded", "Rejected answers given for want of a better", registry=registry)
        self.verdicts = Counter("automix_verdicts", "Verdicts on drafts", ["verdict"], registry=registry)
        self.stage_seconds = Histogram(
            "automix_stage_seconds", "Time of a stage of a question", ["stage"], buckets=_SECONDS, registry=registry
        )
        self.calls = Counter("automix_model_calls", "Model calls", ["model", "stage", "outcome"], registry=registry)
        self.call_seconds = Histogram(
            "automix_model_call_seconds", "Time of a model call", ["model"], buckets=_SECONDS, registry=registry
        )
        self.tokens = Counter("automix_tokens", "Tokens, as reported", ["model", "kind"], registry=registry)
        self.cost = Counter("automix_cost_usd", "Cost of the calls of known price", ["model"], registry=registry)
        self.unpriced = Counter("automix_unpriced_calls", "Calls of unknown cost", ["model"], registry=registry)
        self.always_large = Counter(
            "automix_always_large_cost_usd",
            "What the large model's answers alone would have cost, for questions where both costs are known",
            registry=registry,
        )
        self.compared = Counter(
            "automix_compared_cost_usd", "What these same questions cost in the cascade", registry=registry
        )
        for door in DOORS:
            self.request_seconds.labels(door)

    def watch(self, background: Background) -> None:
        """Tell what becomes of the work behind the answers, too.

        Args:
            background: of the graphs that are served.
        """
        self._registry.register(_Behind(background))

    def text(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self._registry)

    def finished(self, exchange: Exchange, status: int, seconds: float) -> None:
        """Count a request that ended.

        Args:
            exchange: what is known of it.
            status: of HTTP.
            seconds: that it took.
        """
        self.requests.labels(exchange.door, str(status)).inc()
        self.request_seconds.labels(exchange.door).observe(seconds)
        if exchange.error:
            self.errors.labels(exchange.error).inc()

    def answered(self, model: str, outcome: Outcome) -> None:
        """Count how a question ended, and every call that it took.

        Args:
            model: the name under which the graph is served.
            outcome: of the question.
        """
        output = outcome.output
        self.answers.labels(model, output["route"]).inc()
        self.verdicts.labels(output["verdict"]).inc()
        self.degraded.inc(bool(output["degraded"]))
        usage = output["usage"]
        for call in usage["calls"]:
            self._called(call)
        alone = usage.get("always_large_cost")
        if alone is not None and output["cost"] is not None:
            self.always_large.inc(alone)
            self.compared.inc(output["cost"])

    def failed(self, calls: Iterable[Call]) -> None:
        """Count the calls of a question that ended with an error.

        Args:
            calls: as far as they are known.
        """
        for call in calls:
            self._called({**vars(call), **vars(call.usage)})

    def clock(self) -> StageClock:
        """Return a clock for the stages of one question, which starts with the question."""
        return StageClock(self)

    def _called(self, call: Mapping[str, Any]) -> None:
        model = call["model"]
        self.calls.labels(model, call["stage"], "failed" if call["error"] else "answered").inc()
        self.call_seconds.labels(model).observe(call["seconds"])
        for kind, key in _KINDS.items():
            self.tokens.labels(model, kind).inc(call[key] or 0)
        if call["cost"] is None:
            self.unpriced.labels(model).inc()
        else:
            self.cost.labels(model).inc(call["cost"])


class _Behind(Collector):
    """Reads the counts of a background when somebody asks."""

    def __init__(self, background: Background) -> None:
        self._background = background

    def collect(self) -> Iterator[Metric]:
        counts = self._background.counts
        for name, told in _BEHIND.items():
            yield CounterMetricFamily(f"automix_background_{name}", told, value=getattr(counts, name))
        spent = "Cost of background calls in the file of records, in USD, unknown ones at their worst"
        yield CounterMetricFamily("automix_background_cost_usd", spent, value=counts.spent)
        waiting = "Questions in the background queue or in work"
        yield GaugeMetricFamily("automix_background_waiting", waiting, value=counts.waiting)


class StageClock:
    """Measures the stages of one question by its progress events; a stage that comes twice counts twice.

    Args:
        metrics: that it counts in.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._since = time.perf_counter()
        self._before = ""
        self._escalated = False

    def observe(self, step: Step) -> None:
        """Take note of a step."""
        if not isinstance(step, Progress):
            return
        stage = _ENDS.get(step.event)
        if (self._before, step.event) == ("escalated", "answer"):
            stage = "last_answer"
        if stage is not None:
            now = time.perf_counter()
            self._metrics.stage_seconds.labels(stage).observe(now - self._since)
            self._since = now
        self._before = step.event
        if step.event == "escalated" and not self._escalated:
            self._escalated = True
            self._metrics.escalated.inc()
