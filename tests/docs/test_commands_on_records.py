"""What the pages say to do with records works on those that the default models leave, which have no price."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from automix_graph.cli.main import automix
from automix_graph.config import DEFAULT_LARGE, DEFAULT_SMALL
from automix_graph.records import Call, Draft, Record, Recorded, Stage, Usage, Verdict, Verification

ROOT = Path(__file__).parents[2]
GUIDES = sorted(page for page in (ROOT / "docs").rglob("*.md") if page.name != "tiers.md")
"""Without the one whose records are of three hosted models."""
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", *GUIDES]


def lines() -> list[str]:
    """Commands in blocks for a shell that read records, without reports, whose drawing takes long."""
    blocks = [
        block for page in PAGES for block in re.findall(r"```bash\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
    ]
    found = [line.split(" # ")[0] for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    reading = [line for line in found if re.match("automix (evaluate|calibrate|plan) records.jsonl", line)]
    return sorted({re.sub(r" --(report|policy) \S+", "", line).strip() for line in reading})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with records; every small answer from a confidence of 0.3 on is right."""

    def call(stage: Stage, model: str) -> Call:
        return Call(stage=stage, model=model, usage=Usage(input_tokens=1000, output_tokens=10), seconds=1)

    rows = []
    for number in range(150):
        sure = number / 150
        record = Record(
            question=f"Which {number}?",
            language="en",
            prompts="p",
            drafts=(Draft(tier="small", text="May"), Draft(tier="large", text="May")),
            verifications=(Verification(method="likelihood", verdict=Verdict.CORRECT, confidence=sure),),
            calls=(
                call("small_answer", DEFAULT_SMALL),
                call("verify", DEFAULT_LARGE),
                call("large_answer", DEFAULT_LARGE),
            ),
        )
        scores = {"small": float(sure >= 0.3), "large": 1.0}
        rows.append(Recorded(id=str(number), record=record, settings="f", scores=scores).to_json())
    (tmp_path / "records.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("line", lines())
def test_a_command_of_the_pages_works_as_written(line: str, folder: Path) -> None:
    result = CliRunner().invoke(automix, shlex.split(line)[1:], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert (folder / "policy.json").exists() == ("--out policy.json" in line)


def test_the_pages_evaluate_and_calibrate() -> None:
    assert {line.split()[1] for line in lines()} >= {"evaluate", "calibrate"}
