"""``automix calibrate`` on records: their prices, their questions, and quality by agreement."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from automix_graph import load_policy
from automix_graph.cli.calibrate import calibrate
from automix_graph.errors import ConfigurationError
from automix_graph.policies import load_provenance
from automix_graph.records import Call, Draft, Record, Recorded, Stage, Usage, Verdict, Verification


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(calibrate, [str(argument) for argument in arguments])


def found(*arguments: str | Path) -> dict[str, Any]:
    result = invoke(*arguments, "--json")
    assert result.exit_code == 0, result.output
    data: dict[str, Any] = json.loads(result.stdout)
    return data


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """A hundred questions without gold answers, each twice; the small answer is the large one's from 0.4 on."""

    def call(stage: Stage, model: str) -> Call:
        return Call(stage=stage, model=model, usage=Usage(input_tokens=1000, output_tokens=10), seconds=1)

    lines = []
    for n in range(200):
        sure = (n // 2) / 100
        record = Record(
            question=f"Which {n // 2}?",
            language="en",
            prompts="p",
            drafts=(Draft(tier="small", text="May" if sure >= 0.4 else "June"), Draft(tier="large", text="May")),
            verifications=(Verification(method="votes", verdict=Verdict.CORRECT, confidence=sure),),
            calls=(call("small_answer", "s"), call("verify", "l"), call("large_answer", "l")),
        )
        lines.append(Recorded(id=str(n), record=record, settings="f").to_json())
    path = tmp_path / "records.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


TOKENS_TOLD = "costs are in tokens: the price of a model is unknown, and this target needs none\n"


@pytest.mark.parametrize("target", ["--max-error", "--max-regret"])
def test_a_guarantee_needs_no_prices(records: Path, tmp_path: Path, target: str) -> None:
    given = (records, target, "0.2", "--out", tmp_path / "p.json", "--label-free")
    unpriced = invoke(*given)
    assert (unpriced.exit_code, unpriced.stderr) == (0, TOKENS_TOLD)
    assert "What to expect of a question (costs in tokens)" in unpriced.output
    provenance = load_provenance(tmp_path / "p.json")
    assert provenance is not None
    assert provenance.facts["costs"]["unit"] == "tokens"
    chosen = load_policy(tmp_path / "p.json")
    priced = invoke(*given, "--price", "s=1/1", "--price", "l=10/10")
    assert (priced.exit_code, priced.stderr) == (0, "")
    assert "(costs in USD)" in priced.output
    assert load_policy(tmp_path / "p.json") == chosen
    assert invoke(*given, "--unit", "tokens").stderr == ""
    assert isinstance(invoke(*given, "--unit", "usd").exception, ConfigurationError)


def test_other_targets_need_prices(records: Path, tmp_path: Path) -> None:
    refused = invoke(records, "--max-cost", "1", "--out", tmp_path / "p.json", "--label-free").exception
    assert isinstance(refused, ConfigurationError)
    assert refused.code == "unknown-price"


def test_records_without_gold_answers_are_calibrated_by_agreement(records: Path, tmp_path: Path) -> None:
    given = (records, "--price", "s=1/1", "--price", "l=10/10", "--price-of-error", "1", "--out", tmp_path / "p.json")
    with pytest.raises(ConfigurationError, match="not scored: 200"):
        CliRunner().invoke(calibrate, list(map(str, given)), standalone_mode=False, catch_exceptions=False)
    data = found(*given, "--label-free")
    assert (data["n"], data["questions"]) == (200, 100)
    assert "What to expect of a question (costs in USD)" in invoke(*given, "--label-free").output
    assert data["alone"][0]["quality"] == 0.6
    provenance = load_provenance(tmp_path / "p.json")
    assert provenance is not None
    assert provenance.facts["costs"]["unit"] == "usd"
    assert provenance.facts["costs"]["prices"] == {"l": [10.0, 10.0, None], "s": [1.0, 1.0, None]}
    assert provenance.facts["data"]["settings"] == "f"
    assert provenance.made_for is not None
    assert [tier.model for tier in provenance.made_for.tiers] == ["s", "l"]


def test_agreements_are_not_taken_for_quality(records: Path, tmp_path: Path) -> None:
    def scored(line: str) -> str:
        data = json.loads(line)
        data["scores"] = {"small": 1.0, "large": 1.0}
        return json.dumps({**data, "scorer": "agreement:auto" if data["id"] == "7" else "auto"})

    records.write_text("\n".join(map(scored, records.read_text().splitlines())) + "\n")
    given = (records, "--price", "s=1/1", "--price", "l=10/10", "--price-of-error", "1", "--out", tmp_path / "p.json")
    with pytest.raises(ConfigurationError, match=r"by 'agreement:auto': .* they are right; .* --label-free"):
        CliRunner().invoke(calibrate, list(map(str, given)), standalone_mode=False, catch_exceptions=False)
    assert not (tmp_path / "p.json").exists()
    assert found(*given, "--label-free")["n"] == 200


def test_columns_of_groups_are_for_tables(records: Path, tmp_path: Path) -> None:
    result = invoke(
        records, "--unit", "tokens", "--label-free", "--max-cost", "9", "--groups", "id", "--out", tmp_path / "p"
    )
    assert result.exit_code == 2
    assert "records are grouped by their questions" in " ".join(result.output.split())
