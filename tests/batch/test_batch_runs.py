"""Batches over scripted models: what is asked, what is written, what goes on, what is refused."""

import asyncio
import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from scripted import CALL, graph_of, read, reply, row, write

from automix_graph import build_automix
from automix_graph.batch import BatchOptions, BatchProgress, Rejected, arun_batch, run_batch
from automix_graph.batch.journal import BatchJournal
from automix_graph.errors import ConfigurationError
from automix_graph.recording import row_files
from automix_graph.testing import FunctionChatModel, StaticRetriever

SMALL_ROW = {
    "id": 1,
    "question": "When was event 1?",
    "answer": "small 1",
    "route": "small",
    "confidence": 1.0,
    "verdict": "CORRECT",
    "degraded": False,
    "degraded_reason": None,
    "cost": pytest.approx(2 * CALL),
    "usage": {
        "calls": 2,
        "failed_calls": 0,
        "unpriced_calls": 0,
        "input_tokens": 200,
        "cached_input_tokens": 0,
        "output_tokens": 20,
        "reasoning_tokens": 0,
        "calls_without_usage": 0,
        "cost_at_least": pytest.approx(2 * CALL),
        "always_large_cost": pytest.approx(CALL),
        "always_large_estimated": True,
        "saved": pytest.approx(-CALL),
    },
    "sources": [{"id": "p0", "metadata": {"source": "p0"}}],
    "error": None,
}


class Asked:
    """Counts questions by their number; some fail."""

    def __init__(self, *failing: int) -> None:
        self.numbers: list[int] = []
        self.failing = set(failing)

    def large(self, number: int) -> Any:
        return ConnectionError("down: a secret prompt") if number in self.failing else reply(f"large {number}")

    def small(self, number: int) -> Any:
        self.numbers.append(number)
        return ConnectionError("down") if number in self.failing else reply(f"small {number}")

    def graph(self, **values: Any) -> Any:
        return graph_of(self.small, large=self.large, **values)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "new" / "out.jsonl"


def test_rows_tell_what_the_graph_told(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", row(1), row(3))
    report = run_batch(data, out, graph_of())
    first, second = read(out)
    assert len(first.pop("fingerprint")) == 32
    assert first == SMALL_ROW
    assert (second["answer"], second["route"], second["verdict"]) == ("large 3", "large", "INCORRECT")
    assert (report.complete, report.answered, report.asked, report.left, report.failed) == (True, 2, 2, 0, 0)
    assert (report.routes, report.escalated) == ({"small": 1, "large": 1}, 0.5)
    assert report.spent.cost == pytest.approx(5 * CALL)
    assert report.rejects is None
    assert sorted(path.name for path in out.parent.iterdir()) == [
        ".out.jsonl.journal.lock",
        "out.jsonl",
        "out.jsonl.journal",
    ]


def test_rows_hold_what_was_chosen(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", row(1))
    run_batch(data, out, graph_of(), options=BatchOptions(with_question=False, with_texts=True))
    (found,) = read(out)
    assert "question" not in found
    assert found["sources"] == [{"id": "p0", "metadata": {"source": "p0"}, "text": "Events happen."}]


@pytest.mark.parametrize("order", ["input", "completed"])
async def test_rows_stand_in_the_order_that_was_chosen(tmp_path: Path, out: Path, order: Any) -> None:
    data = write(tmp_path / "in.jsonl", *map(row, range(4)))
    gates = [asyncio.Event() for _ in range(4)]
    graph = graph_of()

    class Gated:
        async def ainvoke(self, question: Any, config: Any = None) -> Any:
            number = int(question["question"].removesuffix("?").split()[-1])
            await gates[number].wait()
            return await graph.ainvoke(question, config)

    seen: list[list[int]] = []

    def follow(progress: BatchProgress) -> None:
        seen.append([one["id"] for one in read(out)])
        if progress.done < 4:
            gates[3 - progress.done].set()

    await arun_batch(data, out, Gated(), options=BatchOptions(order=order, concurrency=4), progress=follow)
    assert seen[-1] == ([0, 1, 2, 3] if order == "input" else [3, 2, 1, 0])
    assert seen[:-1] == ([[], [], [], []] if order == "input" else [[], [3], [3, 2], [3, 2, 1]])


def test_no_more_questions_are_in_work_than_allowed(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", *map(row, range(20)))
    now, most = 0, 0
    graph = graph_of()

    class Counting:
        async def ainvoke(self, question: Any, config: Any = None) -> Any:
            nonlocal now, most
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.001)
            now -= 1
            return await graph.ainvoke(question, config)

    run_batch(data, out, Counting(), options=BatchOptions(concurrency=7))
    assert most == 7


def test_the_same_call_asks_nobody_again(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", *map(row, range(5)))
    run_batch(data, out, graph_of())
    before = out.read_bytes()
    asked = Asked()
    report = run_batch(data, out, asked.graph())
    assert asked.numbers == []
    assert (report.asked, report.answered, report.complete, report.spent_now.cost) == (0, 5, True, 0.0)
    assert report.routes == {"large": 2, "small": 3}
    assert report.spent.cost == pytest.approx(12 * CALL)
    assert out.read_bytes() == before


def test_an_output_that_was_lost_or_damaged_is_written_again(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", *map(row, range(5)))
    run_batch(data, out, graph_of())
    whole = out.read_bytes()
    for damaged in (b"", whole[:-7], whole[:40], whole + b"more\n", b"x" * len(whole)):
        out.write_bytes(damaged)
        assert run_batch(data, out, Asked().graph()).asked == 0
        assert out.read_bytes() == whole
    out.unlink()
    run_batch(data, out, Asked().graph())
    assert out.read_bytes() == whole


def test_rows_that_changed_or_came_new_are_asked_and_others_leave(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", *map(row, range(5)))
    run_batch(data, out, graph_of())
    write(data, row(4), {"id": 1, "question": "When was event 11?"}, row(0), row(7))
    asked = Asked()
    report = run_batch(data, out, asked.graph())
    assert sorted(asked.numbers) == [7, 11]
    assert [(one["id"], one["answer"]) for one in read(out)] == [
        (4, "small 4"),
        (1, "small 11"),
        (0, "large 0"),
        (7, "small 7"),
    ]
    assert (report.total, report.asked) == (4, 2)


def test_what_failed_is_written_counted_and_asked_again(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", *map(row, range(4)))
    report = run_batch(data, out, Asked(1, 2).graph())
    assert (report.answered, report.failed, report.left, report.complete) == (2, 2, 0, False)
    assert [failed.id for failed in report.first_failed] == [1, 2]
    failed = read(out)[1]
    assert failed["error"] == report.first_failed[0].error
    assert failed["error"].startswith("large failed in large_answer: ConnectionError")
    assert "secret" not in out.read_text()
    assert (failed["id"], failed["answer"], failed["route"], failed["cost"]) == (1, None, None, None)
    assert failed["usage"]["cost_at_least"] == 0.0
    again = Asked(2)
    report = run_batch(data, out, again.graph())
    assert again.numbers == [1, 2]
    assert (report.answered, report.failed, report.asked) == (3, 1, 2)
    assert [(one["id"], one["answer"]) for one in read(out)] == [
        (0, "large 0"),
        (1, "small 1"),
        (2, None),
        (3, "large 3"),
    ]
    last = Asked()
    for _ in range(2):
        run_batch(data, out, last.graph())
    assert last.numbers == [2]


def test_what_failed_stays_on_demand(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", *map(row, range(3)))
    run_batch(data, out, Asked(1).graph())
    before = out.read_bytes()
    report = run_batch(data, out, Asked().graph(), options=BatchOptions(retry_failed=False))
    assert (report.asked, report.failed) == (0, 1)
    assert out.read_bytes() == before


def test_a_failed_question_is_charged_for_the_calls_before(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", row(3))

    def broken(number: int) -> Any:
        return ConnectionError("down")

    graph = graph_of(large=broken)

    class Raising:
        async def ainvoke(self, question: Any, config: Any = None) -> Any:
            await graph.ainvoke(question, config)
            raise ConnectionError("after the calls")

    report = run_batch(data, out, Raising())
    (failed,) = read(out)
    assert failed["error"] == "ConnectionError"
    assert (failed["cost"], failed["usage"]["calls"]) == (None, 3)
    assert report.spent.at_least == pytest.approx(2 * CALL)  # of the third call nothing is known
    assert report.spent.cost is None


def test_a_question_that_its_last_model_fails_is_charged_for_all_its_calls(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", row(3))

    def broken(number: int) -> Any:
        return ConnectionError("down")

    report = run_batch(data, out, graph_of(large=broken, on_large_failure="raise"))
    (failed,) = read(out)
    assert (failed["usage"]["calls"], failed["usage"]["failed_calls"]) == (3, 1)
    assert report.spent.at_least == pytest.approx(2 * CALL)


def test_another_configuration_is_refused_with_what_differs(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", row(1))
    settings = {"small": {"label": "a"}, "k": 4}
    run_batch(data, out, graph_of(), settings=settings)
    before = {path: path.read_bytes() for path in out.parent.iterdir()}
    with pytest.raises(ConfigurationError) as refused:
        run_batch(data, out, graph_of(), settings={"small": {"label": "b"}, "k": 4})
    message = str(refused.value)
    assert "small.label is 'a' in the file, and 'b' now" in message
    assert "k is" not in message
    assert "delete this file and the output to begin anew" in message
    with pytest.raises(ConfigurationError, match=r"rows\.texts is False in the file, and True now"):
        run_batch(data, out, graph_of(), settings=settings, options=BatchOptions(with_texts=True))
    assert {path: path.read_bytes() for path in out.parent.iterdir()} == before


def test_bad_rows_are_listed_and_the_rest_goes_on(tmp_path: Path, out: Path) -> None:
    data = tmp_path / "in.jsonl"
    data.write_bytes(
        b'{"id": 1, "question": "When was event 1?"}\n{"id": 2,\n\n{"id": 3}\n{"id": 4, "question": " "}\n'
        b'{"id": "1", "question": "When was event 5?"}\n{"id": 6, "question": "\xff"}\n'
        b'{"id": 7, "question": "When was event 7, the long one?"}\n[8]\n{"question": "When was event 9?"}'
    )
    report = run_batch(data, out, graph_of(), options=BatchOptions(longest_question=20))
    assert [one["id"] for one in read(out)] == [1, 10]
    rejects = read(out.with_name("out.rejects.jsonl"))
    assert [one["line"] for one in rejects] == [2, 4, 5, 6, 7, 8, 9]
    reasons = [one["reason"] for one in rejects]
    assert reasons[0].startswith("it is no JSON")
    assert reasons[1] == "question is missing; give a text that is not blank"
    assert reasons[2] == "question is ' '; give a text that is not blank"
    assert reasons[3] == "id '1' is there already, at line 1; give each row an id of its own"
    assert "'utf-8' codec can't decode byte 0xff" in reasons[4]
    assert reasons[5] == "question has 31 characters, and 20 are allowed; shorten it"
    assert reasons[6] == "it is a JSON list; give an object"
    assert [one["text"] for one in rejects][::5] == [
        '{"id": 2,',
        '{"id": 7, "question": "When was event 7, the long one?"}',
    ]
    assert rejects[4]["text"] == '{"id": 6, "question": "\\xff"}'
    assert (report.rejected, report.total, report.complete) == (7, 2, False)
    assert report.first_rejected[6] == Rejected(line=9, reason=reasons[6], text="[8]")
    assert report.rejects == out.with_name("out.rejects.jsonl")


def test_a_line_that_is_too_long_is_rejected_and_the_next_one_is_not(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_files, "LONGEST_LINE", 60)
    data = write(tmp_path / "in.jsonl", {**row(1), "more": "x" * 500}, row(2), "y" * 59, "z" * 60)
    report = run_batch(data, out, graph_of())
    assert [one["id"] for one in read(out)] == [2]
    assert [(one.line, one.reason[:27]) for one in report.first_rejected] == [
        (1, "it is longer than 60 bytes;"),
        (3, "it is no JSON: Expecting va"),
        (4, "it is longer than 60 bytes;"),
    ]


def test_the_file_of_rejects_is_that_of_the_last_run(tmp_path: Path, out: Path) -> None:
    rejects = tmp_path / "bad" / "rows.jsonl"
    options = BatchOptions(rejects=rejects)
    data = write(tmp_path / "in.jsonl", row(1), "{")
    run_batch(data, out, graph_of(), options=options)
    assert [one["line"] for one in read(rejects)] == [2]
    run_batch(write(data, row(1), row(2)), out, graph_of(), options=options)
    assert list(rejects.parent.iterdir()) == []


def test_a_ceiling_on_the_cost_stops_before_it_is_passed(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", *map(row, range(1, 12, 3)), *map(row, range(2, 12, 3)))  # none escalates
    asked = Asked()
    options = BatchOptions(max_cost=7 * CALL, concurrency=3)
    report = run_batch(data, out, asked.graph(), options=options)
    assert report.stop == "budget"
    assert (report.answered, report.left, len(asked.numbers), report.complete) == (3, 5, 3, False)
    assert report.spent.cost == pytest.approx(6 * CALL)
    assert len(read(out)) == 3
    report = run_batch(data, out, asked.graph(), options=options)
    assert (report.stop, report.asked, report.left) == ("budget", 0, 5)
    report = run_batch(data, out, asked.graph(), options=BatchOptions(max_cost=16 * CALL, concurrency=3))
    assert (report.stop, report.asked, report.left, report.complete) == (None, 5, 0, True)
    assert report.spent.cost == pytest.approx(16 * CALL)
    assert [one["id"] for one in read(out)] == [1, 4, 7, 10, 2, 5, 8, 11]


def test_an_unknown_cost_stops_where_there_is_a_ceiling(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", *map(row, range(9)))
    prices = {"small": (1, 1), "judge": (1, 1)}
    report = run_batch(data, out, graph_of(prices=prices), options=BatchOptions(max_cost=1.0, concurrency=2))
    assert (report.stop, report.asked, report.left) == ("unknown cost", 1, 8)
    with pytest.raises(ConfigurationError, match="1 calls of earlier runs have an unknown cost"):
        run_batch(data, out, graph_of(), options=BatchOptions(max_cost=1.0))
    assert run_batch(data, out, graph_of()).complete


def test_a_failed_call_does_not_make_the_cost_unknown(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", *map(row, range(1, 7)))
    graph = graph_of(lambda number: ConnectionError("down"))
    report = run_batch(data, out, graph, options=BatchOptions(max_cost=1.0))
    assert (report.stop, report.answered) == (None, 6)
    assert report.spent.cost is None


async def test_what_is_done_when_it_is_cancelled_is_in_the_output(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", *map(row, range(40)))
    halfway = asyncio.Event()
    graph = graph_of(lambda number: reply("small", seconds=0.001))

    def follow(progress: BatchProgress) -> None:
        if progress.asked == 10:
            halfway.set()

    task = asyncio.create_task(arun_batch(data, out, graph, options=BatchOptions(concurrency=4), progress=follow))
    await halfway.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    done = read(out)
    journal = [json.loads(line) for line in Path(f"{out}.journal").read_bytes().splitlines()[1:]]
    assert {one["id"] for one in done} == {one["id"] for one in journal}
    assert 10 <= len(done) < 40
    assert [one["id"] for one in done] == sorted(one["id"] for one in done)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    asked = Asked()
    report = await arun_batch(data, out, asked.graph())
    assert report.complete
    assert len(asked.numbers) == 40 - len(done)
    assert [one["id"] for one in read(out)] == list(range(40))


async def test_a_row_that_is_being_written_when_it_is_cancelled_is_in_the_output(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write(tmp_path / "in.jsonl", row(1))
    writing = threading.Event()
    append = BatchJournal.append

    def slowly(journal: BatchJournal, lines: bytes) -> int:
        writing.set()
        time.sleep(0.1)
        return append(journal, lines)

    monkeypatch.setattr(BatchJournal, "append", slowly)
    task = asyncio.create_task(arun_batch(data, out, graph_of()))
    await asyncio.to_thread(writing.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [one["id"] for one in read(out)] == [1]


def test_rows_that_failed_stay_where_a_ceiling_keeps_them_from_being_asked(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", row(1), row(4), row(7))
    run_batch(data, out, Asked(1, 7).graph())
    before = out.read_bytes()
    report = run_batch(data, out, Asked().graph(), options=BatchOptions(max_cost=3 * CALL, concurrency=1))
    assert (report.stop, report.asked, report.answered, report.failed, report.left) == ("budget", 0, 1, 2, 0)
    assert out.read_bytes() == before


def test_an_unfinished_last_line_is_asked_again_and_said(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", row(1), row(2))
    run_batch(data, out, graph_of(), options=BatchOptions(concurrency=1))
    whole = out.read_bytes()
    journal = Path(f"{out}.journal")
    journal.write_bytes(journal.read_bytes()[:-9])
    asked = Asked()
    report = run_batch(data, out, asked.graph())
    assert report.cut == len(whole.splitlines()[1]) + 1 - 9
    assert asked.numbers == [2]
    assert out.read_bytes() == whole


@pytest.mark.parametrize(
    ("data", "out", "message"),
    [
        ("none.jsonl", "out.jsonl", "'none.jsonl' cannot be read"),
        ("in.txt", "out.jsonl", "unknown ending"),
        ("blank.jsonl", "out.jsonl", "has no rows"),
        ("in.jsonl", "in.jsonl", "is both data set and output"),
        ("in.jsonl", "out.csv", "would be no JSON Lines"),
        ("in.jsonl", "kept.jsonl", "is there without its journal"),
    ],
)
def test_what_cannot_be_done_is_refused_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: str, out: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("in.jsonl"), row(1))
    Path("in.txt").write_text("")
    Path("blank.jsonl").write_text("\n \n")
    Path("kept.jsonl").write_text("mine\n")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ConfigurationError, match=message):
        run_batch(data, out, graph_of())
    assert sorted(tmp_path.iterdir()) == before
    assert Path("kept.jsonl").read_text() == "mine\n"


def test_somebody_elses_journal_is_refused(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", row(1))
    out.parent.mkdir()
    Path(f"{out}.journal").write_text('{"id": 1}\n')
    with pytest.raises(ConfigurationError, match="something else than answers that 'automix batch' wrote"):
        run_batch(data, out, graph_of())


@pytest.mark.parametrize(
    "damage", [{"fingerprint": "zz"}, {"fingerprint": "00"}, {"usage": None}, {"usage": {"cost_at_least": "much"}}]
)
def test_a_journal_with_a_damaged_row_is_refused_with_its_line(
    tmp_path: Path, out: Path, damage: dict[str, Any]
) -> None:
    data = write(tmp_path / "in.jsonl", row(1))
    run_batch(data, out, graph_of())
    journal = Path(f"{out}.journal")
    head, line = journal.read_text().splitlines()
    write(journal, head, {**json.loads(line), **damage})
    with pytest.raises(ConfigurationError, match="holds no row at line 2"):
        run_batch(data, out, graph_of())


def test_a_checkpointer_keeps_each_question_under_the_fingerprint_of_its_row(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", row(1), row(3))
    saver = InMemorySaver()
    graph = build_automix(
        small=FunctionChatModel(lambda prompt: "In May"),
        large=FunctionChatModel(lambda prompt: "Correct"),
        retriever=StaticRetriever(["It was in May."]),
    ).compile(checkpointer=saver)
    assert run_batch(data, out, graph).complete
    assert set(saver.storage) == {one["fingerprint"] for one in read(out)}


def test_a_graph_that_returns_something_else_is_refused(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", row(1))

    class Other:
        async def ainvoke(self, question: Any, config: Any = None) -> Any:
            return {"answer": "May"}

    with pytest.raises(ConfigurationError, match="returned no route, confidence"):
        run_batch(data, out, Other())


def test_a_mistake_in_code_is_no_failed_row(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", *map(row, range(5)))

    class Broken:
        async def ainvoke(self, question: Any, config: Any = None) -> Any:
            raise NameError("typo")

    with pytest.raises(NameError):
        run_batch(data, out, Broken())
    assert read(out) == []


def test_a_data_set_that_changes_meanwhile_ends_the_run(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", *({**row(n), "more": "x" * 10_000} for n in range(9)))

    def follow(progress: BatchProgress) -> None:
        if progress.asked == 2:
            write(data, row(0), row(1), *["{"] * 50_000)

    with pytest.raises(ConfigurationError, match="has changed at line"):
        run_batch(data, out, graph_of(), options=BatchOptions(concurrency=1), progress=follow)
    assert len(read(out)) >= 2


def test_rows_that_are_added_meanwhile_wait_for_the_next_run(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", row(1), row(2))

    def follow(progress: BatchProgress) -> None:
        if progress.asked == 1:
            write(data, row(1), row(2), row(4))

    assert run_batch(data, out, graph_of(), progress=follow).total == 2
    assert [one["id"] for one in read(out)] == [1, 2]
    assert run_batch(data, out, graph_of()).asked == 1


async def test_a_loop_that_runs_is_told_of(tmp_path: Path, out: Path) -> None:
    with pytest.raises(ConfigurationError, match="await arun_batch"):
        run_batch(tmp_path / "in.jsonl", out, graph_of())


def test_a_full_disk_ends_the_run_and_loses_nothing(tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from automix_graph.recording import appending

    data = write(tmp_path / "in.jsonl", *map(row, range(6)))
    run_batch(write(tmp_path / "first.jsonl", row(0), row(1)), out, graph_of())

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(appending.os, "fsync", full)
    with pytest.raises(ConfigurationError, match="No space left on device; make room"):
        run_batch(data, out, graph_of())
    monkeypatch.undo()
    asked = Asked()
    assert run_batch(data, out, asked.graph()).complete
    assert sorted(asked.numbers) == [2, 3, 4, 5]


def test_progress_tells_rate_share_cost_and_what_is_left(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", *map(row, range(6)), "{")
    run_batch(write(tmp_path / "first.jsonl", row(0), row(1)), out, graph_of())
    seen: list[BatchProgress] = []
    run_batch(data, out, graph_of(), options=BatchOptions(concurrency=1), progress=seen.append)
    assert [(now.done, now.total, now.asked, now.rejected) for now in seen] == [
        (0, 6, 0, 1),
        (3, 6, 1, 1),
        (4, 6, 2, 1),
        (5, 6, 3, 1),
        (6, 6, 4, 1),
    ]
    assert [now.escalated for now in seen] == [None, 1 / 3, 1 / 2, 2 / 5, 2 / 6]
    assert [now.spent.cost for now in seen] == pytest.approx([5 * CALL, 7 * CALL, 10 * CALL, 12 * CALL, 14 * CALL])
    assert (seen[0].rate, seen[0].eta) == (None, None)
    assert seen[2].eta == pytest.approx(2 / (2 / seen[2].seconds))


def test_many_failures_in_a_row_end_the_run_and_the_next_one_goes_on(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", *map(row, range(30)))
    options = BatchOptions(concurrency=1, stop_after_failures=4)
    report = run_batch(data, out, Asked(1, 2, 3, 5, 6, 7, 8, 9).graph(), options=options)
    assert (report.stop, report.asked, report.failed, report.answered, report.left) == ("failures", 9, 7, 2, 21)
    assert [one["id"] for one in read(out)] == list(range(9))
    again = Asked()
    assert run_batch(data, out, again.graph(), options=options).complete
    assert again.numbers == [1, 2, 3, *range(5, 30)]


def test_a_run_that_has_asked_about_all_rows_was_not_stopped(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", *map(row, range(4)))
    options = BatchOptions(concurrency=1, stop_after_failures=4)
    report = run_batch(data, out, Asked(0, 1, 2, 3).graph(), options=options)
    assert (report.stop, report.asked, report.failed, report.left) == (None, 4, 4, 0)


def test_failures_never_end_the_run_where_that_is_chosen(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", *map(row, range(120)))
    graph = Asked(*range(120)).graph()
    report = run_batch(data, out, graph, options=BatchOptions(stop_after_failures=0))
    assert (report.stop, report.failed) == (None, 120)
    other = run_batch(data, tmp_path / "other.jsonl", graph, options=BatchOptions(concurrency=1))
    assert (other.stop, other.failed) == ("failures", 100)


def test_a_function_that_makes_the_graph_does_too(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", row(1))
    assert run_batch(data, out, graph_of).answered == 1
    with pytest.raises(ConfigurationError, match="graph is a int"):
        run_batch(data, tmp_path / "other.jsonl", 7)  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_tables_are_read_too(tmp_path: Path, out: Path, suffix: str) -> None:
    import pyarrow
    import pyarrow.csv
    import pyarrow.parquet

    table = pyarrow.table({"id": ["a", "b"], "question": ["When was event 1?", " "], "other": [1.5, 2.5]})
    data = tmp_path / f"in{suffix}"
    (pyarrow.csv.write_csv if suffix == ".csv" else pyarrow.parquet.write_table)(table, data)
    report = run_batch(data, out, graph_of())
    assert [(one["id"], one["answer"]) for one in read(out)] == [("a", "small 1")]
    assert [(one.line, one.text) for one in report.first_rejected] == [(3 if suffix == ".csv" else 2, None)]


@pytest.mark.parametrize(
    "options",
    [
        {"order": "random"},
        {"concurrency": 0},
        {"concurrency": True},
        {"max_cost": 0},
        {"longest_question": 1.5},
        {"stop_after_failures": -1},
    ],
)
def test_options_that_cannot_be_used_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        BatchOptions(**options)
