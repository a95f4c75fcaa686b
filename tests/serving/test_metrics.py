"""What is counted of questions, worked out by hand."""

import pytest
from prometheus_client.parser import text_string_to_metric_families
from served import CHAT, DRAFT, LARGE, PatientModel, chat, make_graph
from starlette.testclient import TestClient

from automix_graph.serving import ServingSettings, create_app
from automix_graph.testing import ScriptedReply


def samples(ask: TestClient) -> dict[tuple[str, ...], float]:
    """Return the values by name and labels, in the order of the labels' names, without the buckets of histograms."""
    text = ask.get("/metrics").text
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith(("_bucket", "_created", "_sum"))
    }


def test_questions_are_counted() -> None:
    graph = make_graph(
        small=lambda _: ScriptedReply(text=DRAFT, usage=(100, 5)),
        judge=lambda prompt: ScriptedReply(text="Incorrect" if "hard" in prompt else "Correct", usage=(300, 1)),
        large=lambda _: ScriptedReply(text=LARGE, usage=(100, 7)),
    )
    settings = ServingSettings(langserve=False)
    with TestClient(create_app(graph, policies={"second": graph}, settings=settings)) as ask:
        ask.post(CHAT, json=chat("easy"))
        ask.post(CHAT, json=chat("hard", stream=True))
        ask.post("/ask", json={"question": "hard", "model": "second"})
        ask.post(CHAT, json=chat("easy", seed=1))
        ask.post("/nowhere/TEXT-OF-A-USER")
        found = samples(ask)
        text = ask.get("/metrics").text
    assert "TEXT-OF-A-USER" not in text
    expected = {
        ("automix_requests_total", "chat", "200"): 2,
        ("automix_requests_total", "chat", "400"): 1,
        ("automix_requests_total", "ask", "200"): 1,
        ("automix_requests_total", "other", "404"): 1,
        ("automix_request_seconds_count", "chat"): 3,
        ("automix_requests_in_flight",): 0,
        ("automix_errors_total", "unsupported_parameter"): 1,
        ("automix_answers_total", "small", "automix"): 1,
        ("automix_answers_total", "large", "automix"): 1,
        ("automix_answers_total", "large", "second"): 1,
        ("automix_escalated_total",): 2,
        ("automix_degraded_total",): 0,
        ("automix_verdicts_total", "CORRECT"): 1,
        ("automix_verdicts_total", "INCORRECT"): 2,
        ("automix_stage_seconds_count", "retrieve"): 3,
        ("automix_stage_seconds_count", "draft"): 3,
        ("automix_stage_seconds_count", "verify"): 3,
        ("automix_stage_seconds_count", "last_answer"): 2,
        ("automix_model_calls_total", "small", "answered", "small_answer"): 3,
        ("automix_model_calls_total", "judge", "answered", "verify"): 3,
        ("automix_model_calls_total", "large", "answered", "large_answer"): 2,
        ("automix_model_call_seconds_count", "judge"): 3,
        ("automix_tokens_total", "input", "judge"): 900,
        ("automix_tokens_total", "output", "judge"): 3,
        ("automix_tokens_total", "cached_input", "judge"): 0,
        ("automix_tokens_total", "output", "large"): 14,
        ("automix_cost_usd_total", "small"): 3 * (100 * 1 + 5 * 2) / 1e6,
        ("automix_cost_usd_total", "judge"): 3 * (300 * 3 + 1 * 4) / 1e6,
        ("automix_cost_usd_total", "large"): 2 * (100 * 10 + 7 * 20) / 1e6,
    }
    assert {key: found.get(key) for key in expected} == pytest.approx(expected)
    spent = 3 * (110 + 904) / 1e6 + 2 * 1140 / 1e6
    assert found[("automix_compared_cost_usd_total",)] == pytest.approx(spent)
    assert found[("automix_always_large_cost_usd_total",)] > 2 * 1140 / 1e6


def test_what_fails_and_what_is_not_priced_is_counted() -> None:
    large = PatientModel(label="large", error_at=0)
    with TestClient(create_app(make_graph(large=large), settings=ServingSettings(langserve=False))) as ask:
        ask.post(CHAT, json=chat("hard"))
        found = samples(ask)
    assert found[("automix_degraded_total",)] == 1
    assert found[("automix_model_calls_total", "large", "failed", "large_answer")] >= 1
    assert found[("automix_unpriced_calls_total", "large")] >= 1
    assert ("automix_cost_usd_total", "large") not in found


def test_calls_of_questions_without_an_answer_are_counted() -> None:
    graph = make_graph(large=PatientModel(label="large", error_at=0), on_large_failure="raise")
    with TestClient(create_app(graph, settings=ServingSettings(langserve=False))) as ask:
        assert ask.post(CHAT, json=chat("hard")).status_code >= 500
        found = samples(ask)
    assert ("automix_answers_total", "large", "automix") not in found
    assert found[("automix_model_calls_total", "small", "answered", "small_answer")] == 1
    assert found[("automix_model_calls_total", "judge", "answered", "verify")] == 1
    assert found[("automix_model_calls_total", "large", "failed", "large_answer")] >= 1
    assert found[("automix_cost_usd_total", "judge")] > 0


def test_calls_before_a_deadline_are_counted() -> None:
    graph = make_graph(large=PatientModel(label="large", pause=30.0))
    with TestClient(create_app(graph, settings=ServingSettings(langserve=False, deadline_seconds=0.5))) as ask:
        assert ask.post(CHAT, json=chat("hard")).status_code == 504
        found = samples(ask)
    assert found[("automix_model_calls_total", "judge", "answered", "verify")] == 1


def test_two_servers_count_apart() -> None:
    with TestClient(create_app(make_graph(), settings=ServingSettings(langserve=False))) as one:
        one.post(CHAT, json=chat("easy"))
        with TestClient(create_app(make_graph(), settings=ServingSettings(langserve=False))) as other:
            assert ("automix_answers_total", "small", "automix") not in samples(other)
            assert ("automix_answers_total", "small", "automix") in samples(one)
