"""A ceiling on the cost of a batch: where it stops, and where the cost is unknown."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripted import CALL, Asked, graph_of, read, row, write

from automix_graph.batch import BatchOptions, run_batch
from automix_graph.errors import ConfigurationError


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


def test_rows_that_failed_stay_where_a_ceiling_keeps_them_from_being_asked(tmp_path: Path, out: Path) -> None:
    data = write(tmp_path / "in.jsonl", row(1), row(4), row(7))
    run_batch(data, out, Asked(1, 7).graph())
    before = out.read_bytes()
    report = run_batch(data, out, Asked().graph(), options=BatchOptions(max_cost=3 * CALL, concurrency=1))
    assert (report.stop, report.asked, report.answered, report.failed, report.left) == ("budget", 0, 1, 2, 0)
    assert out.read_bytes() == before
