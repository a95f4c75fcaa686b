"""Scores of recorded rows: what is no score, and judges that are paid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scripts import MILLIONTH, Counting, reply, row, tiers_of, write

from automix_graph.evaluation.record_files import read_records
from automix_graph.recording import LLMJudge, record_dataset
from automix_graph.testing import FunctionChatModel
from automix_graph.testing.chat_models import Reply


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
