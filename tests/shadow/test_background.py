"""The queue, the ceiling and the sample, under threads and at their ends."""

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from gates import Gate
from scipy.stats import binomtest

from automix_graph import Background
from automix_graph.costs import Price, Prices
from automix_graph.errors import ConfigurationError, LimitReachedError
from automix_graph.evaluation import read_records
from automix_graph.graph.all_tiers import Run
from automix_graph.graph.behind import Job, is_drawn
from automix_graph.models.calling import call_model, named
from automix_graph.records import Call, Record, Recorded, Usage
from automix_graph.shadow.live_file import LiveFile
from automix_graph.shadow.purse import JobBudget, Purse
from automix_graph.testing import FunctionChatModel, ScriptedReply

RECORD = Record(question="When?", language="en", prompts="")


def job(name: str, complete: Any = None, prices: Prices | None = None) -> Job:
    return Job(id=name, origin="shadow", rate=1.0, record=RECORD, complete=complete, prices=prices or Prices())


def finish(record: Record) -> Run:
    return Run(record=record)


def paying(cost: float) -> Any:
    paid = Call(stage="small_answer", model="m", usage=Usage(input_tokens=1, output_tokens=1), seconds=0, cost=cost)
    return lambda record: Run(record=record.adding(calls=(paid,)))


def test_the_queue_is_bounded_and_what_does_not_fit_is_counted(tmp_path: Path) -> None:
    gate = Gate()
    background = Background(records=tmp_path / "r.jsonl", queue=3, concurrency=1)
    background.offer(job("0", gate.before(finish)))
    assert gate.begun.wait(30)
    for number in range(1, 11):
        background.offer(job(str(number)))
    counts = background.counts
    assert (counts.drawn, counts.waiting, counts.dropped) == (11, 4, 7)
    gate.opened.set()
    assert background.flush(30)
    assert [row.id for row in read_records(background.path).rows] == ["0", "1", "2", "3"]
    assert background.counts.waiting == 0


def test_no_thread_is_left_once_all_is_done(tmp_path: Path) -> None:
    background = Background(records=tmp_path / "r.jsonl", concurrency=4)
    for number in range(20):
        background.offer(job(str(number)))
    assert background.flush(30)
    ends = time.monotonic() + 30
    while any(thread.name == "automix-behind" for thread in threading.enumerate()):
        assert time.monotonic() < ends


def test_closing_drops_what_has_not_begun_and_takes_nothing_more(tmp_path: Path) -> None:
    gate = Gate()
    background = Background(records=tmp_path / "r.jsonl", concurrency=1)
    background.offer(job("0", gate.before(finish)))
    assert gate.begun.wait(30)
    background.offer(job("1"))
    background.close(timeout=0.0)
    background.offer(job("2"))
    assert (background.counts.dropped, background.counts.waiting) == (2, 1)
    gate.opened.set()
    assert background.flush(30) and background.counts.recorded == 1


@pytest.mark.parametrize("ends", [SystemExit, KeyboardInterrupt, asyncio.CancelledError])
def test_a_job_that_would_end_its_thread_ends_no_other_job(tmp_path: Path, ends: type[BaseException]) -> None:
    def raises(record: Record) -> Run:
        raise ends

    background = Background(records=tmp_path / "r.jsonl", concurrency=1)
    for number in range(3):
        background.offer(job(str(number), raises))
        assert background.flush(30)
    background.offer(job("3"))
    assert background.flush(30)
    assert (background.counts.failed, background.counts.recorded) == (3, 4)


def test_where_no_thread_can_begin_at_the_end_only_what_has_begun_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    background = Background(records=tmp_path / "r.jsonl", concurrency=1)
    background.offer(job("0", gate.before(finish)))
    assert gate.begun.wait(30)
    background.offer(job("1"))
    monkeypatch.setattr(Background, "close", lambda _: gate.opened.set())
    monkeypatch.setattr("automix_graph.shadow.background._can_begin_threads", lambda: False)
    background._at_exit()
    assert background.flush(30)
    assert (background.counts.recorded, background.counts.dropped) == (1, 1)


@pytest.mark.parametrize("max_cost", [0.001, 0.01])
def test_concurrent_jobs_never_spend_more_than_the_ceiling(tmp_path: Path, max_cost: float) -> None:
    prices = Prices({"m": Price(1.0, 1.0)})
    reply = ScriptedReply(text="x", usage=(40, 10))  # 0.00005 USD; at worst 8 + 1 tokens read and 100 written
    model = FunctionChatModel(lambda _: reply, label="m")
    target = named(model)

    def asks(record: Record) -> Run:
        attempt = call_model(target, [], stage="small_answer", options={"max_tokens": 100})
        error = None if attempt.error is None else "limit"
        return Run(record=record.adding(calls=prices.charge(attempt.calls)), error=error)

    background = Background(records=tmp_path / "r.jsonl", max_cost=max_cost, queue=2000, concurrency=16)
    for number in range(400):
        background.offer(job(str(number), asks, prices))
    assert background.flush(60)
    made = len(model.prompts)
    counts = background.counts
    assert counts.spent == pytest.approx(made * 0.00005) and counts.spent <= max_cost
    assert made * 0.00005 > max_cost - 17 * 0.0001  # it is used up, but for what sixteen may set aside at worst
    assert counts.over_budget > 0 and counts.recorded + counts.over_budget == 400


def test_the_ceiling_is_over_all_processes_that_write_the_file(tmp_path: Path) -> None:
    path, prices = tmp_path / "r.jsonl", Prices({"m": Price(1.0, 1.0)})
    pays = paying(0.75)
    first = Background(records=path, max_cost=1.0)
    first.offer(job("a", pays, prices))
    assert first.flush(30) and first.counts.spent == 0.75
    second = Background(records=path, max_cost=1.0)
    second.offer(job("b", pays, prices))
    assert second.flush(30) and second.counts.spent == 1.5
    second.offer(job("c", pays, prices))
    assert second.counts.over_budget == 1
    first.offer(job("d", pays, prices))  # has not looked since; then it has
    assert first.flush(30) and first.counts.spent == 2.25
    third = Background(records=path, max_cost=1.0)
    third.offer(job("e", pays, prices))
    assert third.flush(30) and third.counts.over_budget == 1 and len(read_records(path).rows) == 3


@pytest.mark.parametrize("max_cost", [1.0, None])
def test_what_calls_of_unknown_cost_were_charged_is_known_to_the_next_process(
    tmp_path: Path, max_cost: float | None
) -> None:
    path, prices = tmp_path / "r.jsonl", Prices({"m": Price(1.0, 1.0)})
    model = FunctionChatModel(lambda _: ScriptedReply(text="x", usage=None), label="m")
    target = named(model)

    def asks(record: Record) -> Run:
        attempt = call_model(target, [], stage="small_answer", options={"max_tokens": 600_000})
        return Run(record=record.adding(calls=prices.charge(attempt.calls)), error=attempt.call.error)

    first = Background(records=path, max_cost=max_cost)
    first.offer(job("a", asks, prices))
    assert first.flush(30) and first.counts.spent == pytest.approx(0.6)
    (row,) = read_records(path).rows
    assert row.charged == pytest.approx(0.6) and row.record is not None and row.record.calls[0].cost is None
    second = Background(records=path, max_cost=1.0)
    second.offer(job("b", asks, prices))
    assert second.flush(30) and second.counts.spent == pytest.approx(0.6)
    assert len(model.prompts) == 1  # 0.6 more might not fit


def test_what_a_mistake_in_code_has_cost_is_known_to_the_next_process(tmp_path: Path) -> None:
    def redact(text: str) -> str:
        raise ZeroDivisionError("the question of a user")

    first = Background(records=tmp_path / "r.jsonl", max_cost=1.0, redact=redact)
    first.offer(job("a", paying(0.75), Prices({"m": Price(1.0, 1.0)})))
    assert first.flush(30) and (first.counts.failed, first.counts.spent) == (1, 0.75)
    (row,) = read_records(first.path).rows
    assert (row.record, row.charged, row.error) == (None, 0.75, "the work behind the answer raised ZeroDivisionError")
    second = Background(records=first.path, max_cost=1.0)
    second.offer(job("b"))
    assert second.flush(30) and second.counts.spent == 0.75


def test_what_a_lost_call_may_have_cost_is_paid() -> None:
    purse = Purse(1.0)
    budget = JobBudget(purse, Prices({"m": Price(1.0, 1.0)}), seconds=60)
    target = named(FunctionChatModel(lambda _: "x", label="m"))
    budget.admit(target, [], {"max_tokens": 100_000})
    unknown = Call(stage="verify", model="m", usage=Usage(), seconds=1)
    budget.settle([unknown])
    assert purse.spent == pytest.approx(0.1)


def test_the_first_call_that_does_not_fit_ends_all() -> None:
    purse = Purse(1.0)
    prices = Prices({"m": Price(1.0, 1.0)})
    target = named(FunctionChatModel(lambda _: "x", label="m"))
    with pytest.raises(LimitReachedError):
        JobBudget(purse, prices, seconds=60).admit(target, [], {"max_tokens": 2_000_000})
    with pytest.raises(LimitReachedError):
        JobBudget(purse, prices, seconds=60).admit(target, [], {"max_tokens": 1})


def test_the_share_of_a_sample_is_right_and_higher_rates_hold_lower_ones() -> None:
    names = [f"question {number}" for number in range(20_000)]
    samples = {rate: {name for name in names if is_drawn(name, rate=rate, seed=3)} for rate in (0.01, 0.1, 0.5)}
    for rate, drawn in samples.items():
        assert binomtest(len(drawn), len(names), rate).pvalue > 0.001
    assert samples[0.01] < samples[0.1] < samples[0.5]
    assert {name for name in names if is_drawn(name, rate=0.1, seed=4)} != samples[0.1]


def test_two_writers_lose_no_line(tmp_path: Path) -> None:
    files = [LiveFile(tmp_path / "r.jsonl") for _ in range(2)]

    def write(number: int) -> None:
        for line in range(20):
            files[number].append(Recorded(id=f"{number}-{line}", record=RECORD))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_records(tmp_path / "r.jsonl").rows) == 40


BAD = [
    {"queue": 0},
    {"concurrency": 1.5},
    {"seconds": 0},
    {"max_cost": -1},
    {"seed": "x"},
    {"redact": 1},
    {"scorer": "?"},
]


@pytest.mark.parametrize("settings", BAD)
def test_settings_that_cannot_be_used_are_refused(settings: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        Background(records=tmp_path / "r.jsonl", **settings)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello\n")
    with pytest.raises(ConfigurationError, match="holds something else"):
        Background(records=tmp_path / "notes.txt")
