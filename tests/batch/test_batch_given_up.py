"""The ceiling of a batch where calls are given up or cancelled: they are charged at their worst."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scripted import graph_of, read, reply, row, write

from automix_graph import Limits
from automix_graph.batch import BatchOptions, run_batch
from automix_graph.errors import ConfigurationError

PRICES = {"small": (0, 0), "judge": (0, 0), "large": (0, 1000)}
WORST = 2.048
"""Of a call of the large model in USD: 2048 tokens are taken to be written where nothing caps them."""
OPTIONS = BatchOptions(max_cost=5.0, concurrency=8)


class Large:
    """Takes longer than anybody waits, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, number: int) -> Any:
        self.asked += 1
        return reply("late", seconds=1.5)


def given_up(large: Large, **values: Any) -> Any:
    """Return a graph whose large model is given up."""
    limits = Limits(max_node_seconds=0.5)
    return graph_of(judge=lambda _: reply("Incorrect"), large=large, limits=limits, **{"prices": PRICES, **values})


def cancelled(large: Large) -> Any:
    """Return a graph whose large model begins ahead and is not needed."""
    return graph_of(judge=lambda _: reply("Correct", seconds=0.1), large=large, speculative=True, prices=PRICES)


@pytest.mark.parametrize("make", [given_up, cancelled])
def test_calls_that_are_given_up_are_charged_at_their_worst(tmp_path: Path, out: Path, make: Any) -> None:
    data, large = write(tmp_path / "in.jsonl", *map(row, range(40))), Large()
    report = run_batch(data, out, make(large), options=OPTIONS)
    assert (report.stop, report.asked, large.asked, report.left) == ("budget", 2, 2, 38)
    assert (report.charged, report.spent.at_least) == (pytest.approx(2 * WORST), 0.0)
    assert [one["usage"]["charged"] for one in read(out)] == [pytest.approx(WORST)] * 2
    again = run_batch(data, out, make(large), options=OPTIONS)
    assert (again.stop, again.asked, large.asked) == ("budget", 0, 2)
    assert again.charged == pytest.approx(2 * WORST)


def test_questions_that_fail_are_charged_too(tmp_path: Path, out: Path) -> None:
    data, large = write(tmp_path / "in.jsonl", *map(row, range(40))), Large()
    graph = graph_of(lambda _: ConnectionError("down"), large=large, limits=Limits(max_node_seconds=0.3), prices=PRICES)
    report = run_batch(data, out, graph, options=OPTIONS)
    assert (report.stop, report.failed, large.asked) == ("budget", 2, 2)
    assert report.charged == pytest.approx(2 * WORST)


def test_a_call_that_is_given_up_without_a_price_stops_the_batch(tmp_path: Path, out: Path) -> None:
    data, large = write(tmp_path / "in.jsonl", *map(row, range(9))), Large()
    graph = given_up(large, prices={"small": (0, 0), "judge": (0, 0)})
    report = run_batch(data, out, graph, options=OPTIONS)
    assert (report.stop, report.asked, large.asked) == ("unknown cost", 1, 1)
    with pytest.raises(ConfigurationError, match="1 calls of earlier runs have an unknown cost"):
        run_batch(data, out, graph, options=OPTIONS)
