import io
import json

from langchain_core.documents import Document
from rich.console import Console

from automix_graph.cli.view import as_json, show
from automix_graph.costs import Prices, bill_of, summarise
from automix_graph.records import Bill, Call, Usage

CALLS = Prices({"s": (1.0, 2.0)}).charge(
    [
        Call(stage="small_answer", model="s", usage=Usage(input_tokens=100, output_tokens=5), seconds=0.5),
        Call(
            stage="verify", model="l", usage=Usage(input_tokens=90, output_tokens=1, cached_input_tokens=80), seconds=1
        ),
        Call(stage="large_answer", model="l", usage=Usage(), seconds=2.0, error="ConnectionError"),
    ]
)
RESULT = {
    "answer": "[bold]not markup[/bold] 巴西",
    "route": "small",
    "confidence": 0.25,
    "verdict": "INCORRECT",
    "documents": [Document(id="a", page_content="Some  text\n" * 99, metadata={"source": "a.pdf", "page": 3})],
    "usage": summarise(CALLS, bill_of(CALLS, large="l", prices=Prices())),
    "cost": None,
    "degraded": True,
    "degraded_reason": "ConnectionError",
    "decision": {"accept": False, "policy": "accept-correct", "reason": "the verdict is INCORRECT"},
}


def shown(bill: Bill | None = None) -> str:
    output = io.StringIO()
    usage = {} if bill is None else {"usage": summarise(CALLS, bill)}
    show(Console(file=output, width=100), RESULT | usage)
    return output.getvalue()


def test_people_see_answer_route_verdict_sources_and_calls() -> None:
    text = shown()
    for part in (
        "[bold]not markup[/bold] 巴西",
        "Route: small",
        "INCORRECT, confidence 0.25",
        "Degraded: this answer was not accepted, and there is no other (ConnectionError).",
        "[1] a.pdf, page 3",
        "90 (80 cached)",
        "failed: ConnectionError",
        "Decision: the verdict is INCORRECT",
        "$0.000110",
        "unknown",
    ):
        assert part in text
    assert max(map(len, text.splitlines())) <= 100


def test_a_page_is_named_by_title_and_place() -> None:
    pages = [Document("A", metadata={"title": "Home", "source": "a.html"}), Document("B", id="b-1")]
    output = io.StringIO()
    show(Console(file=output, width=100), RESULT | {"documents": pages})
    assert "[1] Home, a.html\n" in output.getvalue()
    assert "[2] b-1\n" in output.getvalue()


def test_who_sees_a_failed_call_is_told_where_to_read_on() -> None:
    assert shown().rstrip().endswith("What to do about a failed call: automix explain model-call")
    usage = summarise(CALLS[:2], bill_of(CALLS[:2], large="l", prices=Prices()))
    limited = summarise(
        [*CALLS[:2], Call(stage="large_answer", model="l", usage=Usage(), seconds=0, error="limit on cost reached")],
        bill_of(CALLS[:2], large="l", prices=Prices()),
    )
    for fine in (usage, limited):
        output = io.StringIO()
        show(Console(file=output, width=100), RESULT | {"usage": fine})
        assert "automix explain" not in output.getvalue()


def test_what_is_missing_is_not_shown_as_zero() -> None:
    text = shown()
    assert " ? " in text
    assert "190 (80 cached) + ?" in text
    assert "6 + ?" in text
    assert "≥ $0.000110" in text
    assert "The large model's answer alone: unknown" in text


def test_a_loss_is_shown_as_a_loss() -> None:
    text = shown(Bill(cost=0.003, at_least=0.003, always_large=0.001, estimated=False))
    assert "The large model's answer alone: $0.001000   Lost: $0.002000" in text
    text = shown(Bill(cost=0.001, at_least=0.001, always_large=0.003, estimated=True))
    assert "The large model's answer alone: $0.003000 (estimated)   Saved: $0.002000" in text


def test_programs_get_json() -> None:
    data = json.loads(as_json("Q?", RESULT))
    assert data["question"] == "Q?"
    assert data["documents"][0]["metadata"] == {"source": "a.pdf", "page": 3}
    assert data["cost"] is None
