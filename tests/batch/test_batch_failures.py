"""Questions of a batch that fail: written, counted, charged, asked again, and the end of a run if many do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scripted import CALL, Asked, graph_of, read, row, write

from automix_graph.batch import BatchOptions, run_batch


def down(number: int) -> Exception:
    return ConnectionError("down")


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
    graph = graph_of(large=down)

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
    report = run_batch(data, out, graph_of(large=down, on_large_failure="raise"))
    (failed,) = read(out)
    assert (failed["usage"]["calls"], failed["usage"]["failed_calls"]) == (3, 1)
    assert report.spent.at_least == pytest.approx(2 * CALL)


def test_a_mistake_in_code_is_no_failed_row(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", *map(row, range(5)))

    class Broken:
        async def ainvoke(self, question: Any, config: Any = None) -> Any:
            raise NameError("typo")

    with pytest.raises(NameError):
        run_batch(data, out, Broken())
    assert read(out) == []


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
