"""``automix evaluate`` with a file of records: it needs no options but prices."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from click.testing import CliRunner
from evaluating import QUICK, found, invoke

from automix_graph.cli.evaluate import evaluate
from automix_graph.errors import ConfigurationError
from automix_graph.records import Call, Draft, Record, Recorded, Usage, Verdict, Verification

CONFIDENCES = {"a": 0.9, "b": 0.8, "c": 0.2, "d": None}


def recorded(name: str, confidence: float | None) -> Recorded:
    """A question whose small answer is right unless the judge doubts it; small and large read 1,000 tokens."""
    verdict = Verdict.UNPARSED if confidence is None else Verdict.CORRECT if confidence > 0.5 else Verdict.INCORRECT
    failure = "no verdict" if confidence is None else None
    read = Usage(input_tokens=1000, output_tokens=100)
    cached = Usage(input_tokens=1000, output_tokens=100, cached_input_tokens=900)
    record = Record(
        question=f"question {name}?",
        language="en",
        prompts="",
        drafts=(Draft(tier="small", text="yes"), Draft(tier="large", text="yes")),
        verifications=(Verification(method="words", verdict=verdict, confidence=confidence, failure=failure),),
        calls=(
            Call(stage="small_answer", model="s", usage=read, seconds=1),
            Call(stage="verify", model="l", usage=read, seconds=2),
            Call(stage="large_answer", model="l", usage=cached, seconds=3),
        ),
    )
    return Recorded(id=name, record=record, scores={"small": float((confidence or 0) > 0.5), "large": 1.0})


@pytest.fixture
def records(tmp_path: Path) -> str:
    path = tmp_path / "records.jsonl"
    rows = [recorded(name, confidence) for name, confidence in CONFIDENCES.items()]
    rows = [Recorded(id="a", error="interrupted"), *rows, Recorded(id="e", error="timeout")]
    path.write_text("".join(row.to_json() + "\n" for row in rows) + '{"id": "f", "rec')
    return str(path)


PRICED = ("--price", "s=1/1", "--price", "l=10/10/1")


def test_records_need_no_options(records: str) -> None:
    data = found(records, *PRICED)
    answer = 1100 * 10
    assert (data["n"], data["unit"]) == (4, "usd")
    assert (data["small"], data["large"], data["quality"]) == (0.5, 1.0, 1.0)
    assert data["escalated"] == 0.5
    # Small and verification always, the large answer from the cache for half; alone, it finds no cache.
    assert data["cost"] == pytest.approx((1100 + answer + 0.5 * (100 * 10 + 900 * 1 + 100 * 10)) / 1e6)
    assert data["references"]["large_only"] == {"quality": 1.0, "cost": pytest.approx(answer / 1e6)}
    assert data["references"]["small_only"] == {"quality": 0.5, "cost": pytest.approx(1100 / 1e6)}
    assert data["left_out"] == {"n": 1, "reasons": {"failed": 1}, "ids": {"failed": ["e"]}, "uncharged": []}
    assert data["tiers"][0]["failed_verifications"] == 1
    assert data["policy"]["keeps"] == "verdict CORRECT"
    assert data["records"] == {"settings": {}, "replaced": 1, "unfinished": True, "agreement_scorers": []}


@pytest.mark.parametrize(("unit", "cost"), [("tokens", 1100 + 1100 + 200 / 2), ("seconds", 1 + 2 + 3 / 2)])
def test_records_can_be_charged_in_other_units(records: str, unit: str, cost: float) -> None:
    data = found(records, "--unit", unit)
    assert (data["unit"], data["cost"]) == (unit, pytest.approx(cost))


def test_people_see_what_was_left_out(records: str) -> None:
    result = CliRunner(env={"COLUMNS": "140"}).invoke(evaluate, [records, *PRICED, *QUICK])
    assert result.exit_code == 0, result.output
    text = " ".join(result.stdout.split())
    assert "Left out of 5 questions: 1 failed" in text
    assert "Failed verifications of tier 'small': 1." in text
    assert "costs in USD" in text
    assert "Records replaced by a later one with the same id: 1." in text
    assert "The last record was not finished" in text


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "no price is known for 'l', 's'"),
        (["--price", "s=1/1"], "no price is known for 'l'"),
        ([*PRICED, "--price", "x=1/1"], "--price x names none of the models of the records: l, s"),
    ],
)
def test_unknown_prices_of_records_are_named(records: str, arguments: list[str], complaint: str) -> None:
    result = invoke(records, *arguments)
    assert isinstance(result.exception, ConfigurationError)
    assert complaint in str(result.exception)


def test_records_are_known_by_their_content(records: str, tmp_path: Path) -> None:
    table = tmp_path / "table.jsonl"
    table.write_text('{"id": 1, "s_ok": 1}\n')
    for path in (table, tmp_path / "empty.jsonl", tmp_path / "broken.jsonl"):
        path.touch()
        if path.name == "broken.jsonl":
            path.write_text("{\n")
        result = invoke(str(path))
        assert (result.exit_code, "only a file of records needs none" in result.stderr) == (2, True)
    with_settings = tmp_path / "settings.txt"
    with_settings.write_text('{"fingerprint": "", "settings": {"small": "s"}}\n' + Path(records).read_text())
    data = found(str(with_settings), "--unit", "tokens")
    assert (data["n"], data["records"]["settings"]) == (4, {"small": "s"})


def test_agreement_is_not_shown_as_quality_without_a_word(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path, report = tmp_path / "shadow.jsonl", tmp_path / "report.html"
    rows = [dataclasses.replace(recorded(*each), scorer="agreement:auto") for each in CONFIDENCES.items()]
    path.write_text("".join(row.to_json() + "\n" for row in rows))
    result = CliRunner(env={"COLUMNS": "140"}).invoke(evaluate, [str(path), *PRICED, *QUICK, "--report", str(report)])
    assert "agreement with the large model's answer (agreement:auto)" in " ".join(result.stdout.split())
    assert "agreement with the large model&#39;s answer" in report.read_text(encoding="utf-8")
    assert found(str(path), *PRICED)["records"]["agreement_scorers"] == ["agreement:auto"]


def test_a_report_is_written(records: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    report = tmp_path / "report.html"
    data = found(records, *PRICED, "--report", str(report))
    assert data["n"] == 4
    assert "question c?" in report.read_text(encoding="utf-8")


def test_calls_that_told_nothing_are_told_of(tmp_path: Path) -> None:
    row = recorded("a", 0.9)
    assert row.record is not None
    timeout = Call(stage="verify", model="l", usage=Usage(), seconds=9, error="timeout")
    record = dataclasses.replace(row.record, calls=(timeout, *row.record.calls))
    path = tmp_path / "records.jsonl"
    path.write_text(dataclasses.replace(row, record=record).to_json() + "\n")
    assert found(str(path), *PRICED)["left_out"]["uncharged"] == ["a"]
    result = invoke(str(path), *PRICED)
    assert "questions with a failed call that told no tokens: 1." in " ".join(result.stdout.split())
