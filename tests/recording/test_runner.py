"""Recording a data set: every row once, resumed, scored, and nothing lost."""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.runnables import RunnableLambda
from scripts import PRICES, reply, row, tiers_of, write

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.record_files import read_records
from automix_graph.recording import LLMJudge, Progress, Spent, arecord_dataset, record_dataset
from automix_graph.recording.report import Failed
from automix_graph.testing import FunctionChatModel, HashEmbeddings, StaticRetriever
from automix_graph.testing.chat_models import Reply
from automix_graph.verification import Votes

MILLIONTH = 1e-6


class Counting:
    """A model's function that counts its calls."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.prompts: list[str] = []

    def __call__(self, prompt: str) -> Reply:
        self.prompts.append(prompt)
        return reply(self.text)


def test_every_row_is_recorded_and_scored(tmp_path: Path) -> None:
    data = write(tmp_path / "data.jsonl", row(1), row(2, answers=["June"]), row(3, answers=[]))
    told: list[Progress] = []
    report = record_dataset(data, tmp_path / "out.jsonl", tiers_of(), concurrency=1, progress=told.append)
    assert (report.recorded, report.total, report.added, report.scored) == (3, 3, 3, 2)
    assert report.scores == {"small": 0.5, "large": 0.5}
    assert report.complete
    # Three questions of three calls, each of 110 tokens at 1 USD a million.
    assert report.spent.cost == pytest.approx(990 * MILLIONTH)
    assert report.spent == report.spent_now
    assert [(progress.done, progress.total, progress.failed) for progress in told] == [
        (0, 3, 0),
        (1, 3, 0),
        (2, 3, 0),
        (3, 3, 0),
    ]
    assert told[1].spent.cost == pytest.approx(330 * MILLIONTH)
    rows = {one.id: one for one in read_records(tmp_path / "out.jsonl").rows}
    assert rows["1"].scores == {"small": 0.0, "large": 1.0}
    assert rows["2"].scores == {"small": 1.0, "large": 0.0}
    assert (rows["3"].scores, rows["3"].scorer, rows["3"].error) == ({}, None, None)
    assert (rows["1"].scorer, rows["1"].answers) == ("auto", ("May",))
    record = rows["1"].record
    assert record is not None
    assert record.bill is not None
    assert record.bill.cost == pytest.approx(330 * MILLIONTH)
    assert [passage.text for passage in record.passages] == ["Event 1 was in May."]
    assert rows["1"].time is not None
    assert rows["1"].time.endswith("+00:00")


def test_the_same_call_does_the_rest_only(tmp_path: Path) -> None:
    data = write(tmp_path / "data.jsonl", row(1), row(2), row(3))
    out = tmp_path / "out.jsonl"
    record_dataset(data, out, tiers_of(), limit=2)
    small = Counting("June")
    report = record_dataset(data, out, tiers_of(small=small))
    assert (report.recorded, report.added, len(small.prompts)) == (3, 1, 1)
    assert "event 3" in small.prompts[0]
    assert report.spent.cost == pytest.approx(990 * MILLIONTH)
    assert report.spent_now.cost == pytest.approx(330 * MILLIONTH)
    report = record_dataset(data, out, tiers_of(small=small))
    assert (report.recorded, report.added, len(small.prompts)) == (3, 0, 1)
    assert report.scores == {"small": 0.0, "large": 1.0}
    assert report.spent_now == Spent()


@pytest.mark.parametrize("changed", [{"answers": ["June"]}, {"question": "Why was event 1?"}, {"context": "Other."}])
def test_a_changed_row_is_recorded_again(tmp_path: Path, changed: dict[str, Any]) -> None:
    out = tmp_path / "out.jsonl"
    record_dataset(write(tmp_path / "data.jsonl", row(1), row(2)), out, tiers_of())
    small = Counting("June")
    report = record_dataset(write(tmp_path / "data.jsonl", row(1, **changed), row(2)), out, tiers_of(small=small))
    assert (report.added, report.recorded, len(small.prompts)) == (1, 2, 1)
    found = read_records(out)
    assert ({one.id for one in found.rows}, found.replaced) == ({"1", "2"}, 1)


def test_a_row_that_failed_is_kept_listed_not_scored_and_tried_again(tmp_path: Path) -> None:
    data = write(tmp_path / "data.jsonl", *(row(number) for number in range(5)))
    out = tmp_path / "out.jsonl"

    def small(prompt: str) -> Reply:
        return ConnectionError("words of the provider") if "event 3" in prompt else reply("June")

    report = record_dataset(data, out, tiers_of(small=small))
    error = "the small model gave no answer: ConnectionError"
    assert report.failed == (Failed(id="3", error=error),)
    assert (report.recorded, report.scored, report.complete) == (4, 4, False)
    failed = read_records(out).failed[0]
    assert (failed.id, failed.error, failed.scores, failed.scorer) == ("3", error, {}, None)
    assert failed.record is not None
    assert [call.stage for call in failed.record.calls] == ["small_answer", "large_answer"]
    assert report.spent.cost is None  # what the failed call cost is not known
    assert report.spent.at_least == pytest.approx((4 * 330 + 110) * MILLIONTH)
    report = record_dataset(data, out, tiers_of())
    assert (report.recorded, report.added, report.failed, report.complete) == (5, 1, (), True)


def test_rows_that_cannot_be_used_are_listed(tmp_path: Path) -> None:
    data = write(tmp_path / "data.jsonl", row(1), {"id": 2}, row(3, context=None))
    report = record_dataset(data, tmp_path / "out.jsonl", tiers_of())
    assert (report.recorded, report.total, report.complete) == (1, 1, False)
    assert [bad.place for bad in report.bad] == ["line 2", "id '3'"]


def test_a_context_takes_the_place_of_retrieval_unless_it_is_ignored(tmp_path: Path) -> None:
    data = write(tmp_path / "data.jsonl", row(1, context=["One.", "Two."]), row(2, context=None))
    tiers = tiers_of(retriever=StaticRetriever(["Found."]))
    report = record_dataset(data, tmp_path / "own.jsonl", tiers)
    assert report.own_context == 1
    record_dataset(data, tmp_path / "found.jsonl", tiers, use_context=False)

    def texts(name: str) -> dict[str, list[str]]:
        rows = read_records(tmp_path / name).rows
        return {one.id: [passage.text for passage in one.record.passages] for one in rows if one.record}

    assert texts("own.jsonl") == {"1": ["One.", "Two."], "2": ["Found."]}
    assert texts("found.jsonl") == {"1": ["Found."], "2": ["Found."]}


def test_no_more_questions_at_one_time_than_told(tmp_path: Path) -> None:
    data = write(tmp_path / "data.jsonl", *(row(number, context=None) for number in range(12)))
    now, most = 0, 0

    async def found(question: str) -> list[Document]:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.005)
        now -= 1
        return [Document("In May.")]

    record_dataset(data, tmp_path / "out.jsonl", tiers_of(retriever=RunnableLambda(found)), concurrency=3)
    assert most == 3


@pytest.mark.parametrize("score", [float("nan"), 2.0])
def test_what_is_no_score_fails_its_row(tmp_path: Path, score: float) -> None:
    data = write(tmp_path / "data.jsonl", row(1), row(2))

    def odd(question: str, answer: str, golds: Any) -> float:
        return score if "event 1" in question else 0.5

    report = record_dataset(data, tmp_path / "out.jsonl", tiers_of(), scorer=odd)
    assert [failed.id for failed in report.failed] == ["1"]
    assert report.scores == {"small": 0.5, "large": 0.5}
    failed = read_records(tmp_path / "out.jsonl").failed[0]
    assert failed.record is not None
    assert len(failed.record.drafts) == 2  # the answers are kept


def test_a_judge_is_paid_and_asked_once_for_equal_answers(tmp_path: Path) -> None:
    data = write(tmp_path / "data.jsonl", row(1), row(2))
    judge = Counting("Correct")
    scorer = LLMJudge(judge=FunctionChatModel(judge, label="scoring"), prices={"scoring": (1, 1)})

    def large(prompt: str) -> Reply:
        return reply("June" if "event 1" in prompt else "May")

    report = record_dataset(data, tmp_path / "out.jsonl", tiers_of(large=large), scorer=scorer)
    rows = {one.id: one for one in read_records(tmp_path / "out.jsonl").rows}
    assert [len(rows[name].scoring) for name in "12"] == [1, 2]
    assert len(judge.prompts) == 3
    assert rows["1"].scores == {"small": 1.0, "large": 1.0}
    assert rows["1"].scorer == "judge:scoring"
    assert report.spent.cost == pytest.approx((6 + 3) * 110 * MILLIONTH)
    record = rows["1"].record
    assert record is not None
    assert record.bill is not None
    assert record.bill.cost == pytest.approx(330 * MILLIONTH)  # scoring is no cost of the question


def test_a_judge_that_cannot_be_read_fails_the_row(tmp_path: Path) -> None:
    scorer = LLMJudge(judge=FunctionChatModel(lambda prompt: reply("Who knows?"), label="scoring"))
    report = record_dataset(write(tmp_path / "data.jsonl", row(1)), tmp_path / "out.jsonl", tiers_of(), scorer=scorer)
    assert report.failed[0].error == "scorer 'judge:scoring': the judge's reply holds no decision"
    assert len(read_records(tmp_path / "out.jsonl").rows[0].scoring) == 2


OTHERS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"small": FunctionChatModel(lambda prompt: "June", label="other"), "prices": None}, {}, "small.label"),
    ({"language": "zh"}, {}, "prompts"),
    ({"layout": "document"}, {}, "prompts"),
    ({"verifier": Votes(judge=FunctionChatModel(lambda prompt: "Correct", label="judge"))}, {}, "verifier.method"),
    ({"retriever": StaticRetriever(["a"])}, {}, "retrieval"),
    ({}, {"scorer": "f1"}, "scorer.name"),
]


@pytest.mark.parametrize(("tiers", "arguments", "named"), OTHERS)
def test_another_configuration_needs_another_file(
    tmp_path: Path, tiers: dict[str, Any], arguments: dict[str, Any], named: str
) -> None:
    from automix_graph.graph.all_tiers import AllTiers

    data, out = write(tmp_path / "data.jsonl", row(1)), tmp_path / "out.jsonl"
    models = {name: FunctionChatModel(lambda prompt: reply("June"), label=name) for name in ("small", "large", "judge")}
    same = {"small": models["small"], "large": models["large"], "verifier": models["judge"]}
    record_dataset(data, out, AllTiers(**same))
    record_dataset(data, out, AllTiers(**same))
    with pytest.raises(ConfigurationError, match="another configuration") as refused:
        record_dataset(data, out, AllTiers(**{**same, **tiers}), **arguments)
    assert named in str(refused.value)


@pytest.mark.parametrize("arguments", [{"concurrency": 0}, {"concurrency": True}, {"limit": 0}, {"scorer": "nope"}])
def test_arguments_are_checked_before_a_file_is_made(tmp_path: Path, arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        record_dataset(write(tmp_path / "data.jsonl", row(1)), tmp_path / "out.jsonl", tiers_of(), **arguments)
    assert not (tmp_path / "out.jsonl").exists()


async def test_in_an_event_loop_the_other_door_is_named(tmp_path: Path) -> None:
    data = write(tmp_path / "data.jsonl", row(1))
    with pytest.raises(ConfigurationError, match="await arecord_dataset"):
        record_dataset(data, tmp_path / "out.jsonl", tiers_of())
    assert (await arecord_dataset(data, tmp_path / "out.jsonl", tiers_of())).recorded == 1


async def test_what_is_done_when_it_is_cancelled_is_on_disk(tmp_path: Path) -> None:
    data = write(tmp_path / "data.jsonl", *(row(number) for number in range(50)))
    out = tmp_path / "out.jsonl"

    def slow(prompt: str) -> Reply:
        time.sleep(0.02)
        return reply("June")

    task = asyncio.create_task(arecord_dataset(data, out, tiers_of(small=slow), concurrency=2))
    while not out.exists() or len(read_records(out).rows) < 4:
        await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    done = len(read_records(out).rows)
    assert 4 <= done < 50
    report = await arecord_dataset(data, out, tiers_of())
    assert (report.recorded, report.added) == (50, 50 - done)


def test_a_mistake_in_code_stops_the_run_and_keeps_what_is_done(tmp_path: Path) -> None:
    data = write(tmp_path / "data.jsonl", *(row(number) for number in range(5)))

    def small(prompt: str) -> Reply:
        assert "event 3" not in prompt, "a mistake"
        return reply("June")

    with pytest.raises(AssertionError, match="a mistake"):
        record_dataset(data, tmp_path / "out.jsonl", tiers_of(small=small), concurrency=1)
    assert [one.id for one in read_records(tmp_path / "out.jsonl").rows] == ["0", "1", "2"]


KILLED = """
import sys, time
sys.path.insert(0, sys.argv[3])
from scripts import reply, tiers_of
from automix_graph.recording import record_dataset
def small(prompt):
    time.sleep(0.002)
    return reply("June")
def tell(progress):
    print(progress.done, flush=True)
record_dataset(sys.argv[1], sys.argv[2], tiers_of(small=small), concurrency=4, progress=tell)
"""


def test_a_killed_run_goes_on_and_records_every_row_once(tmp_path: Path) -> None:
    data = write(tmp_path / "data.jsonl", *(row(number) for number in range(60)))
    out = tmp_path / "out.jsonl"
    command = [sys.executable, "-c", KILLED, str(data), str(out), str(Path(__file__).parent)]
    for target in (7, 41):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if int(line) >= target:
                    break
            process.kill()
        assert target <= len(read_records(out).rows) < 60
    report = record_dataset(data, out, tiers_of())
    assert report.complete
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert sorted(int(line["id"]) for line in lines[1:]) == list(range(60))


def test_the_settings_of_a_store_are_those_of_its_content(tmp_path: Path) -> None:
    from automix_graph.recording.scoring import scorer_of
    from automix_graph.recording.settings import Settings
    from automix_graph.retrieval import FaissStore

    def fingerprint(**arguments: Any) -> str:
        with FaissStore.open(tmp_path / "index", HashEmbeddings()) as store:
            return Settings.of(tiers_of(retriever=store.as_retriever(**arguments)), scorer_of("auto")).fingerprint

    with FaissStore.from_texts(["Otters hold hands."], HashEmbeddings()) as store:
        store.save(tmp_path / "index")
        first = fingerprint()
        assert fingerprint() == first
        assert fingerprint(search_kwargs={"k": 2}) != first
        assert fingerprint(search_type="bm25") != first
        store.add_texts(["Owls fly."])
        store.save(tmp_path / "index")
    assert fingerprint() != first


def test_prices_are_no_part_of_the_configuration(tmp_path: Path) -> None:
    data, out = write(tmp_path / "data.jsonl", row(1)), tmp_path / "out.jsonl"
    record_dataset(data, out, tiers_of())
    assert record_dataset(data, out, tiers_of(prices={**PRICES, "small": (5, 5)})).added == 0
