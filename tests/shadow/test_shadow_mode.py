"""What users of a graph get while the cascade is watched behind it, and what is recorded meanwhile."""

import threading
from pathlib import Path
from typing import Any

import pytest
from gates import Gate
from langchain_core.callbacks import BaseCallbackHandler, UsageMetadataCallbackHandler

from automix_graph import Background, Price, Threshold, create_automix
from automix_graph.errors import ConfigurationError
from automix_graph.evaluation import read_records
from automix_graph.graph.build import CompiledGraph
from automix_graph.records import Recorded
from automix_graph.testing import FunctionChatModel, ScriptedChatModel, StaticRetriever

PASSAGES = StaticRetriever(["It began in May."])
QUESTION: Any = {"question": "When did it begin?"}
PRICES = {"s": Price(1, 1), "l": Price(10, 10), "j": Price(2, 2)}
SMALL, LARGE = "SMALL in May", "It was in May."


def models(*, small: Any = SMALL, judge: Any = "Correct", large: Any = LARGE) -> dict[str, Any]:
    def said(reply: Any) -> Any:
        return reply if callable(reply) else lambda _: reply

    return {
        "small": FunctionChatModel(said(small), label="s"),
        "verifier": FunctionChatModel(said(judge), label="j"),
        "large": FunctionChatModel(said(large), label="l"),
    }


def graph_of(background: Background | None, **arguments: Any) -> CompiledGraph:
    given = {**models(), "retriever": PASSAGES, "prices": PRICES} | arguments
    return create_automix(**given, background=background)


def rows_of(background: Background) -> tuple[Recorded, ...]:
    assert background.flush(30)
    return read_records(background.path).rows


@pytest.fixture
def background(tmp_path: Path) -> Background:
    return Background(records=tmp_path / "records.jsonl")


def seen(graph: CompiledGraph) -> list[Any]:
    """Return all that a stream shows, without what is drawn at random."""

    def plain(part: Any) -> Any:
        return str(part).partition("id='")[0]

    modes: Any = ["custom", "messages"]
    shown = [(mode, plain(part)) for mode, part in graph.stream(QUESTION, stream_mode=modes)]
    final = graph.invoke(QUESTION)
    calls = [{**call, "seconds": 0.0} for call in final["usage"]["calls"]]
    return [*shown, {key: final[key] for key in ("answer", "route", "confidence", "verdict", "cost")}, calls]


def test_users_of_shadow_mode_get_the_large_answer_and_its_bill(background: Background) -> None:
    result = graph_of(background, mode="shadow").invoke(QUESTION)
    assert (result["answer"], result["route"], result["degraded"]) == (LARGE, "large", False)
    assert (result["confidence"], result["verdict"]) == (None, "UNPARSED")
    (call,) = result["usage"]["calls"]
    assert call["stage"] == "large_answer" and result["cost"] == call["cost"]


async def test_shadow_mode_streams_the_large_answer_token_by_token_and_nothing_else(background: Background) -> None:
    graph = graph_of(background, mode="shadow")
    modes: Any = ["messages", "custom", "updates", "values"]
    parts = [(mode, part) async for mode, part in graph.astream(QUESTION, stream_mode=modes)]
    texts = [part[0].text for mode, part in parts if mode == "messages" and part[0].text]
    assert texts == ["It", " was", " in", " May."]
    rows_of(background)
    assert not any(SMALL in str(part) for _, part in parts)
    assert [part["event"] for mode, part in parts if mode == "custom"] == ["retrieved", "answer"]


def test_a_shadow_record_holds_all_tiers_and_tells_whose_calls_are_whose(background: Background) -> None:
    graph_of(background, mode="shadow", policy=Threshold(0.7)).invoke(QUESTION)
    (row,) = rows_of(background)
    record = row.record
    assert record is not None and row.error is None and (row.origin, row.rate) == ("shadow", 1.0)
    assert [(draft.tier, draft.text) for draft in record.drafts] == [("small", SMALL), ("large", LARGE)]
    assert [found.confidence for found in record.verifications] == [1.0]
    assert [(decision.policy, decision.accept) for decision in record.decisions] == [("threshold(0.7)", True)]
    assert [call.stage for call in record.calls] == ["large_answer", "small_answer", "verify"]
    assert row.background == (1, 2) and record.route == "large"
    assert dict(row.scores) == {"small": 1.0, "large": 1.0} and row.scorer == "agreement:auto"
    assert background.counts.spent == pytest.approx(sum(record.calls[place].cost or 0 for place in (1, 2)))
    assert record.bill is not None and record.bill.cost == record.calls[0].cost


@pytest.mark.parametrize("verdict", ["Correct", "Incorrect"])
def test_an_audit_changes_nothing_that_users_see(verdict: str, tmp_path: Path) -> None:
    background = Background(records=tmp_path / "audit.jsonl")
    parts = models(judge=verdict)
    assert seen(graph_of(background, audit_rate=1.0, **parts)) == seen(graph_of(None, **models(judge=verdict)))
    assert background.flush(30)


def test_an_audit_asks_the_large_model_only_about_answers_that_were_kept(background: Background) -> None:
    parts = models(large="In June.", judge=lambda prompt: "Correct" if "first" in prompt else "Incorrect")
    graph = graph_of(background, audit_rate=1.0, **parts)
    for name in ("first", "second"):
        graph.invoke({"question": f"When, {name}?"}, {"metadata": {"question_id": name}})
        assert background.flush(30)
    kept, escalated = rows_of(background)
    assert (kept.id, kept.background, dict(kept.scores)) == ("first", (2,), {"small": 0.0, "large": 1.0})
    assert (escalated.id, escalated.background) == ("second", ()) and dict(escalated.scores)["small"] == 0.0
    assert kept.record is not None and kept.record.route == "small"
    assert len(parts["large"].prompts) == 2
    counts = background.counts
    assert (counts.drawn, counts.recorded, counts.compared, counts.agreed) == (2, 2, 2, 0.0)


def test_callbacks_of_users_see_no_background_call(background: Background) -> None:
    class Starts(BaseCallbackHandler):
        calls = 0

        def on_chat_model_start(self, *arguments: Any, **options: Any) -> None:
            self.calls += 1

    usage, starts = UsageMetadataCallbackHandler(), Starts()
    graph_of(background, mode="shadow").invoke(QUESTION, {"callbacks": [usage, starts]})
    rows_of(background)
    assert starts.calls == 1 and list(usage.usage_metadata) == ["l"]


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_users_do_not_wait_for_a_model_that_hangs(background: Background, asynchronous: bool) -> None:
    gate = Gate()
    graph = graph_of(background, mode="shadow", **models(small=gate.before(lambda _: SMALL)))
    answer = (await graph.ainvoke(QUESTION) if asynchronous else graph.invoke(QUESTION))["answer"]
    assert answer == LARGE and gate.begun.wait(30) and not gate.opened.is_set()
    assert not background.flush(0.0) and background.counts.waiting == 1
    gate.opened.set()
    assert len(rows_of(background)) == 1


@pytest.mark.parametrize("stage", ["small", "judge"])
def test_a_background_failure_is_recorded_and_nobody_else_hears_of_it(stage: str, background: Background) -> None:
    def fails(_: str) -> Exception:
        return ConnectionError("secret words of a provider")

    graph = graph_of(background, mode="shadow", **models(**{stage: fails}))
    assert graph.invoke(QUESTION)["answer"] == LARGE
    (row,) = rows_of(background)
    assert row.error is not None and "secret" not in background.path.read_text() and row.scores == {}
    assert (background.counts.failed, background.counts.recorded, background.counts.lost) == (1, 1, 0)


def test_a_model_that_runs_longer_than_it_may_is_given_up(tmp_path: Path) -> None:
    gate = threading.Event()
    background = Background(records=tmp_path / "r.jsonl", seconds=0.05)
    graph = graph_of(background, mode="shadow", **models(small=lambda _: str(gate.wait(30))))
    graph.invoke(QUESTION)
    (row,) = rows_of(background)
    gate.set()
    assert row.error is not None and "seconds" in row.error and background.counts.failed == 1


def test_a_scorer_that_raises_leaves_an_error(tmp_path: Path) -> None:
    def broken(question: str, answer: str, golds: Any) -> float:
        raise ValueError("the text of a user")

    background = Background(records=tmp_path / "r.jsonl", scorer=broken)
    graph_of(background, mode="shadow").invoke(QUESTION)
    (row,) = rows_of(background)
    assert row.error == "scorer 'broken' raised ValueError" and row.scores == {}


def test_where_the_file_cannot_be_written_nobody_is_asked_and_that_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    background = Background(records=tmp_path / "r.jsonl")

    def full(*_: object) -> None:
        raise OSError("the question of a user")

    monkeypatch.setattr("automix_graph.shadow.live_file.append_line", full)
    graph = graph_of(background, mode="shadow")
    for _ in range(2):
        assert graph.invoke(QUESTION)["answer"] == LARGE
        assert background.flush(30)
    assert (background.counts.lost, background.counts.unwritable, background.counts.recorded) == (1, 1, 0)
    assert len(caplog.records) == 1 and "question of a user" not in caplog.text


def test_a_judge_compares_where_words_do_not(tmp_path: Path) -> None:
    from automix_graph.recording import LLMJudge

    judge = LLMJudge(judge=ScriptedChatModel(["Incorrect"], label="k"), prices={"k": Price(1, 1)})
    background = Background(records=tmp_path / "r.jsonl", scorer=judge, max_cost=1.0)
    graph_of(background, mode="shadow").invoke(QUESTION)
    (row,) = rows_of(background)
    assert dict(row.scores) == {"small": 0.0, "large": 1.0} and row.scorer == "agreement:judge:k"
    assert [call.stage for call in row.scoring] == ["score"] and (row.scoring[0].cost or 0) > 0
    assert row.record is not None
    paid = [call.cost or 0 for call in (*row.record.calls[1:], *row.scoring)]
    assert background.counts.spent == pytest.approx(sum(paid))


def test_texts_are_redacted_after_they_were_compared(tmp_path: Path) -> None:
    background = Background(records=tmp_path / "r.jsonl", redact=True)
    graph_of(background, mode="shadow").invoke(QUESTION)
    (row,) = rows_of(background)
    assert "May" not in background.path.read_text() and dict(row.scores) == {"small": 1.0, "large": 1.0}


def test_fallbacks_stay_out_of_the_records(background: Background) -> None:
    from automix_graph import ModelTier, Retries

    def down(_: str) -> Exception:
        return ConnectionError("down")

    small = ModelTier(
        model=FunctionChatModel(down, label="s"),
        fallbacks=[FunctionChatModel(lambda _: "fallback", label="f")],
        retries=Retries(attempts=2, first_wait=0.0),
    )
    parts = models()
    graph = create_automix(
        tiers=[small, parts["large"]],
        verifier=parts["verifier"],
        retriever=PASSAGES,
        mode="shadow",
        background=background,
    )
    graph.invoke(QUESTION)
    (row,) = rows_of(background)
    assert row.record is not None
    assert [call.model for call in row.record.calls] == ["l", "s", "s"] and row.record.draft("small") is None


def test_three_tiers_are_all_recorded(background: Background) -> None:
    tiers = [FunctionChatModel(lambda _, reply=reply: reply, label=reply) for reply in ("a", "b", "c")]
    judge = FunctionChatModel(lambda _: "Incorrect", label="j")
    graph = create_automix(tiers=tiers, verifier=judge, retriever=PASSAGES, mode="shadow", background=background)
    assert graph.invoke(QUESTION)["answer"] == "c"
    (row,) = rows_of(background)
    assert row.record is not None and row.error is None
    assert [draft.text for draft in row.record.drafts] == ["a", "b", "c"] and len(row.record.verifications) == 2


CONTRADICTIONS = [
    ({"mode": "shadow"}, "no place for the records"),
    ({"audit_rate": 0.1}, "no place for the records"),
    ({"mode": "shadow", "audit_rate": 0.1, "background": True}, "no kept answers to audit"),
    ({"shadow_rate": 0.1}, "mode is 'cascade'"),
    ({"background": True}, "nothing is sampled"),
    ({"mode": "shadow", "speculative": True, "background": True}, "speculative is given"),
    ({"mode": "shadow", "review": ["abstain"], "background": True}, "review is given"),
    ({"audit_rate": 1.5, "background": True}, r"audit_rate is 1.5; use a share in \[0, 1\]"),
    ({"mode": "shadow", "shadow_rate": -1, "background": True}, "shadow_rate is -1"),
    ({"mode": "other"}, "mode is 'other'"),
]


@pytest.mark.parametrize(("arguments", "message"), CONTRADICTIONS)
def test_contradictions_are_refused(arguments: dict[str, Any], message: str, background: Background) -> None:
    given = background if arguments.pop("background", False) else None
    with pytest.raises(ConfigurationError, match=message):
        graph_of(given, **arguments)
    arguments["background"] = given is not None  # the list is shared


def test_a_ceiling_needs_prices(tmp_path: Path) -> None:
    background = Background(records=tmp_path / "r.jsonl", max_cost=1.0)
    with pytest.raises(ConfigurationError, match="no price is known for 'j', 'l', 's'"):
        graph_of(background, mode="shadow", prices=None)
