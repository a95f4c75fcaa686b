"""What ``automix batch`` and ``automix record`` tell people at the end of a run."""

from pathlib import Path
from typing import Any

import pytest

from automix_graph.batch import BatchReport
from automix_graph.batch.questions import Rejected
from automix_graph.batch.report import FailedRow
from automix_graph.cli import batch_view, record_view
from automix_graph.costs import Price
from automix_graph.recording.report import Failed, RecordingReport
from automix_graph.recording.rows import BadRow
from automix_graph.recording.spending import Spent

QUIET = {
    "out": Path("out.jsonl"),
    "journal": Path("out.jsonl.journal"),
    "rejects": None,
    "total": 9,
    "answered": 9,
    "failed": 0,
    "left": 0,
    "rejected": 0,
    "asked": 9,
    "routes": {"small": 6, "large": 3},
    "escalated": 1 / 3,
    "degraded": 0,
    "spent": Spent(cost=0.5, at_least=0.5),
    "spent_now": Spent(cost=0.25, at_least=0.25),
    "charged": 0.5,
    "seconds": 4.0,
    "stop": None,
    "cut": 0,
    "first_failed": (),
    "first_rejected": (),
}


def batch(capsys: pytest.CaptureFixture[str], **changes: Any) -> list[str]:
    batch_view.show(BatchReport(**QUIET | changes))
    return capsys.readouterr().out.splitlines()


def test_a_batch_without_trouble_tells_of_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert batch(capsys) == [
        "answered: 9 of 9 rows, 9 asked about now",
        "routes: large 3, small 6; escalated 33.3 %",
        "cost: $0.500000, $0.250000 of it now; 4.0 seconds",
        "rows: out.jsonl",
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"cut": 12}, "An unfinished last line of 12 bytes was cut off; its question was asked again."),
        ({"charged": 0.75}, "charged to --max-cost: $0.750000, with calls that were given up at their worst"),
        ({"degraded": 2}, "degraded: 2 answers were rejected and are the best there is"),
        ({"failed": 1, "first_failed": (FailedRow(id=7, error="timeout"),)}, "failed: 7: timeout"),
        ({"failed": 5, "first_failed": (FailedRow(id=7, error="timeout"),)}, "failed: 4 more"),
        ({"failed": 1}, "The same command asks again about the rows that failed."),
        (
            {"rejected": 1, "first_rejected": (Rejected(line=3, reason="no id", text=None),)},
            "cannot be used: line 3: no id",
        ),
        ({"rejected": 3}, "cannot be used: 3 more"),
        ({"rejects": Path("bad.jsonl")}, "rows that cannot be used: bad.jsonl"),
        (
            {"stop": "budget", "left": 4},
            "Stopped at --max-cost with 4 rows left; the same command with a higher one goes on.",
        ),
        ({"stop": "budget"}, "Stopped at --max-cost before all rows that failed were asked about again; the same"),
        ({"stop": "failures", "left": 4}, "Stopped at --stop-after-failures with 4 rows left"),
        ({"stop": "unknown cost", "left": 4}, "Stopped with 4 rows left: a model did not tell its tokens"),
    ],
)
def test_a_batch_tells_what_went_wrong(capsys: pytest.CaptureFixture[str], changes: dict[str, Any], told: str) -> None:
    assert any(line.startswith(told) for line in batch(capsys, **changes))


def test_a_batch_that_answered_nothing_has_no_routes(capsys: pytest.CaptureFixture[str]) -> None:
    assert not [line for line in batch(capsys, answered=0, routes={}, escalated=None) if line.startswith("routes")]


def recorded(capsys: pytest.CaptureFixture[str], *, index_given: bool = True, **changes: Any) -> list[str]:
    usual: dict[str, Any] = {
        "out": Path("r.jsonl"),
        "total": 3,
        "recorded": 3,
        "added": 2,
        "failed": (),
        "bad": (),
        "scored": 3,
        "scorer": "auto",
        "scores": {"small": 0.5, "large": 1.0},
        "own_context": 0,
        "spent": Spent(cost=0.5, at_least=0.5),
        "spent_now": Spent(cost=0.5, at_least=0.5),
        "seconds": 1.0,
        "cut": 0,
    }
    report = RecordingReport(**usual | changes)
    record_view.show(report, None, [("a b", Price(1, 2)), ("l", Price(3, 4, 0.5))], index_given=index_given)
    return capsys.readouterr().out.splitlines()


def test_a_recording_without_trouble_tells_the_next_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert recorded(capsys) == [
        "recorded: 3 of 3 rows, 2 of them now",
        "score (auto, 3 rows): small 0.5000, large 1.0000",
        "cost: $0.500000, $0.500000 of it now; 1.0 seconds",
        "records: r.jsonl",
        "compare policies: automix evaluate r.jsonl --price 'a b'=1/2 --price l=3/4/0.5",
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"cut": 12}, "An unfinished last line of 12 bytes was cut off; its question was asked again."),
        ({"failed": (Failed(id="7", error="timeout"),)}, "failed: '7': timeout"),
        ({"failed": (Failed(id="7", error="timeout"),)}, "The same command asks again about the rows that failed."),
        ({"bad": (BadRow(place="line 3", reason="no id"),)}, "cannot be used: line 3: no id"),
        ({"own_context": 2}, "2 rows were answered from a context of their own, not from the index"),
        ({"scores": {}, "scored": 0}, "score: none; no recorded row has gold answers"),
        ({"spent": Spent(cost=None)}, "compare policies: automix evaluate r.jsonl --unit tokens"),
    ],
)
def test_a_recording_tells_what_it_lacks(
    capsys: pytest.CaptureFixture[str], changes: dict[str, Any], told: str
) -> None:
    assert any(line.startswith(told) for line in recorded(capsys, **changes))


def test_a_recording_without_an_index_does_not_speak_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert not [line for line in recorded(capsys, own_context=2, index_given=False) if "index" in line]


def test_a_recording_of_nothing_has_no_score(capsys: pytest.CaptureFixture[str]) -> None:
    told = recorded(capsys, recorded=0, added=0, scores={}, scored=0)
    assert not [line for line in told if line.startswith(("score", "compare"))]
