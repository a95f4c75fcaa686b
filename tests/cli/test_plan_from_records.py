"""``automix plan RECORDS``: what was recorded comes first, and options win over it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from automix_graph import Threshold
from automix_graph.cli.main import automix
from automix_graph.policies import save_policy
from automix_graph.records import Call, Draft, Record, Recorded, Stage, Usage, Verdict, Verification

TOKENS = ["--context-tokens", "9", "--small-answer-tokens", "9", "--large-answer-tokens", "9", "--accept-rate", "0.5"]
PRICES = ["--price", "s=1/4", "--price", "l=10/40/1"]


def call(stage: Stage, model: str, read: int, written: int, cached: int | None = None) -> Call:
    usage = Usage(input_tokens=read, output_tokens=written, cached_input_tokens=cached)
    return Call(stage=stage, model=model, usage=usage, seconds=0.5)


def recorded(number: int, confidence: float, small: float) -> str:
    verdict = Verdict.CORRECT if confidence > 0.5 else Verdict.INCORRECT
    record = Record(
        question="When?",
        language="en",
        prompts="p",
        drafts=(Draft(tier="small", text="a"), Draft(tier="large", text="b")),
        verifications=(Verification(method="likelihood", verdict=verdict, confidence=confidence),),
        calls=(
            call("small_answer", "s", 2000 + 200 * number, 40 + 20 * number),
            call("verify", "l", 2400, 1, cached=400),
            call("large_answer", "l", 2400, 80, cached=2300),
        ),
    )
    return Recorded(id=str(number), settings="f", record=record, scores={"small": small, "large": 1.0}).to_json()


@pytest.fixture
def records(tmp_path: Path) -> Path:
    path = tmp_path / "records.jsonl"
    rows = [recorded(0, 0.9, 1.0), recorded(1, 0.4, 0.0)]
    path.write_text("".join(row + "\n" for row in rows), encoding="utf-8")
    return path


def run(*arguments: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "100"}).invoke(automix, ["plan", *map(str, arguments)])


def plain(*arguments: str | Path) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    data: dict[str, Any] = json.loads(result.output)
    return data


def test_records_give_models_tokens_accept_rate_and_costs(records: Path) -> None:
    data = plain(records, *PRICES)
    assert data["models"] == {"small": "s", "large": "l"}
    assert data["accept_rate"] == 0.5
    workload = data["workload"]
    assert (workload["small_answer"], workload["large_answer"]) == (50, 80)
    # The small model read 2,100 tokens on average: context, question and the instructions for an answer.
    assert workload["context"] + workload["question"] + workload["prompts"]["answer"] == 2100
    found = data["recorded"]
    small, verify = (2100 * 1 + 50 * 4) / 1e6, (2000 * 10 + 400 * 1 + 40) / 1e6
    escalate = (100 * 10 + 2300 * 1 + 80 * 40) / 1e6
    # Alone, the large model reads what the small one read, 400 and 200 tokens less than were sent, and as much less of
    # the 400 that its first call found in the cache.
    alone = (2000 * 10 + (0 + 200) / 2 * 1 + 80 * 40) / 1e6
    assert found["small_cost"] == pytest.approx(small)
    assert found["verify_cost"] == pytest.approx(verify)
    assert found["escalate_cost"] == pytest.approx(escalate)
    assert found["always_large_cost"] == pytest.approx(alone)
    assert found["expected_cost"] == pytest.approx(small + verify + 0.5 * escalate)
    assert (found["small_quality"], found["large_quality"], found["n"]) == (0.5, 1.0, 2)
    assert found["pays"] is False


def test_what_was_recorded_is_told_first(records: Path) -> None:
    text = " ".join(run(records, *PRICES).output.split())
    assert text.startswith(
        "As recorded (2 questions, verifier likelihood, accept rate 50%), 1,000 questions cost $25.99"
    )
    assert "instead of $23.30 for always asking l: it would pay above 91%." in text
    pays = " ".join(run(records, *PRICES, "--accept-rate", "0.95").output.split())
    assert "instead of $23.30 for always asking l: it pays (above an accept rate of 91%)." in pays


def test_a_cascade_that_cannot_pay_is_said_so_first(records: Path) -> None:
    text = " ".join(run(records, "--price", "s=10/40", "--price", "l=10/40/1").output.split())
    assert "the cascade cannot pay, even if every small answer were kept." in text.split("By the same tokens")[0]


def test_options_win_over_records(records: Path, tmp_path: Path) -> None:
    assert plain(records, *PRICES, "--accept-rate", "0.9", "--context-tokens", "5000")["workload"]["context"] == 5000
    assert plain(records, *PRICES, "--accept-rate", "0.9")["recorded"]["expected_cost"] == pytest.approx(0.02339)
    save_policy(Threshold(0.3), tmp_path / "policy.json")
    assert plain(records, *PRICES, "--policy", tmp_path / "policy.json")["accept_rate"] == 1.0
    other = plain(records, *PRICES, "--large", "other", "--price", "other=20/80")
    assert other["models"]["large"] == "other"
    assert other["recorded"] is None  # nobody recorded that model


def test_what_is_missing_is_named(records: Path, tmp_path: Path) -> None:
    result = run(*PRICES)
    assert result.exit_code == 2
    needed = "--context-tokens, --small-answer-tokens, --large-answer-tokens, --accept-rate"
    assert f"without RECORDS, give {needed}" in " ".join(result.output.split())
    save_policy(Threshold(0.3), tmp_path / "policy.json")
    assert "--policy decides about records" in run("--policy", tmp_path / "policy.json", *TOKENS).output


def test_models_that_are_equally_good_are_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text("".join(recorded(number, 0.9, 1.0) + "\n" for number in range(4)), encoding="utf-8")
    told = (
        "The large model's answers are no better than the small model's: quality 1 and 1, over 4 questions, which are "
        "too few to tell: record 50 or more before you decide."
    )
    result = run(path, *PRICES)
    text = " ".join(result.output.split())
    assert result.exit_code == 0
    assert text.startswith("As recorded (4 questions") and told in text and "always large" in text
    assert plain(path, *PRICES)["no_gap"] == told
    path.write_text("".join(recorded(number, 0.9, 1.0) + "\n" for number in range(50)), encoding="utf-8")
    enough = "quality 1 and 1, over 50 questions. No cascade is needed: use the small model alone."
    assert plain(path, *PRICES)["no_gap"].endswith(enough)
    mine = plain(path, *PRICES, "--small-quality", "0.9", "--large-quality", "0.8")["no_gap"]
    assert mine.endswith("quality 0.8 and 0.9. No cascade is needed: use the small model alone.")


def test_unknown_prices_of_records_are_asked_for_in_words_of_the_plan(records: Path) -> None:
    price = "INPUT/OUTPUT[/CACHED]"
    assert str(run(records).exception) == (
        "no price is known for 'l', 's', and nothing can be said without it; give it in USD per million tokens: "
        f"--price l={price} --price s={price}"
    )
    assert "known for 'l', and" in str(run(records, *PRICES[:2]).exception)
    # The other large model is priced, the recorded one is not: what was recorded has no cost.
    replaced = run(records, *PRICES[:2], "--large", "other", "--price", "other=20/80")
    assert "known for 'l', and" in str(replaced.exception)
    assert run(records, *PRICES).exit_code == 0
