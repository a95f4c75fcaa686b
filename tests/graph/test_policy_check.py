import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from automix_graph import create_automix, load_policy
from automix_graph.cli.calibrate import calibrate
from automix_graph.errors import ConfigurationError
from automix_graph.evaluation import outcomes_of, read_records, replay
from automix_graph.graph.all_tiers import AllTiers
from automix_graph.policies import Capped
from automix_graph.recording import record_dataset
from automix_graph.testing import FunctionChatModel, StaticRetriever
from automix_graph.verification import FunctionVerifier

PRICES = {"small": (1.0, 1.0), "large": (20.0, 20.0)}
N = 120


def number_in(text: str) -> int:
    """The number that the last question in a prompt asks about."""
    return int(text.rsplit("#", 1)[1].split("?", maxsplit=1)[0])


def sureness(case: dict[str, Any]) -> float:
    return (number_in(case["question"]) % 20) / 20


def small(label: str = "small") -> FunctionChatModel:
    """Right where the confidence is at least 0.4."""
    return FunctionChatModel(lambda p: "yes" if number_in(p) % 20 >= 8 else "no", label=label)


def large(label: str = "large") -> FunctionChatModel:
    return FunctionChatModel(lambda _: "yes", label=label)


def verifier(name: str = "sureness") -> FunctionVerifier:
    return FunctionVerifier(function=sureness, name=name)


def question(number: int) -> str:
    return f"Is it #{number}?"


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("records")
    data = folder / "data.jsonl"
    rows = [{"id": n, "question": question(n), "answers": ["yes"], "context": "It is."} for n in range(N)]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    report = record_dataset(
        data,
        folder / "records.jsonl",
        AllTiers(small=small(), large=large(), verifier=verifier()),
        scorer="exact-match",
    )
    assert report.recorded == N
    return folder / "records.jsonl"


@pytest.fixture(scope="module")
def policy_file(records: Path) -> Path:
    out = records.with_name("policy.json")
    prices = [part for label, price in PRICES.items() for part in ("--price", f"{label}={price[0]}/{price[1]}")]
    result = CliRunner().invoke(calibrate, [str(records), "--out", str(out), "--price-of-error", "1000", *prices])
    assert result.exit_code == 0, result.output
    return out


def graph(path: Path, **parts: Any) -> Any:
    given: dict[str, Any] = {"small": small(), "large": large(), "verifier": verifier()} | parts
    return create_automix(
        retriever=StaticRetriever(["It is."]), policy=load_policy(path), prices=PRICES if not parts else None, **given
    )


def test_the_graph_decides_as_the_records_foretold(records: Path, policy_file: Path) -> None:
    outcomes, _ = outcomes_of(read_records(records).rows, prices=PRICES)
    foretold = replay(outcomes, load_policy(policy_file))
    assert foretold.escalated == pytest.approx(0.4)
    running = graph(policy_file)
    for row, name in enumerate(outcomes.ids or ()):
        result = running.invoke({"question": question(int(name))})
        assert result["route"] == ("small", "large")[foretold.route[row]], name
        assert result["answer"] == "yes"


@pytest.mark.parametrize(
    ("parts", "difference"),
    [
        ({"small": small("another")}, "the small model is 'another', and was 'small'"),
        ({"large": large("another")}, "the large model is 'another', and was 'large'"),
        ({"verifier": verifier("another")}, "the verifier of the small answer is 'another', and was 'sureness'"),
        ({"layout": "document", "verifier": None}, "the verifier of the small answer is "),
    ],
)
def test_other_parts_are_refused(policy_file: Path, parts: dict[str, Any], difference: str) -> None:
    with pytest.raises(ConfigurationError, match="was calibrated for another cascade") as caught:
        graph(policy_file, **parts)
    assert difference in str(caught.value)
    assert "check=False" in str(caught.value)


def test_changed_prompts_are_refused(policy_file: Path) -> None:
    data = json.loads(policy_file.read_text())
    data["calibration"]["made_for"]["tiers"][0]["prompts"]["en"] = "0" * 64
    changed = policy_file.with_name("changed.json")
    changed.write_text(json.dumps(data))
    with pytest.raises(ConfigurationError, match="the prompts of the small model for 'en' have changed"):
        graph(changed)


def test_who_knows_better_can_say_so(policy_file: Path) -> None:
    policy = load_policy(policy_file, check=False)
    running = create_automix(
        small=small("another"), large=large(), verifier=verifier(), retriever=StaticRetriever(["It is."]), policy=policy
    )
    assert running.invoke({"question": question(0)})["route"] == "large"


def test_a_ceiling_around_it_does_not_hide_it(policy_file: Path) -> None:
    with pytest.raises(ConfigurationError, match="another cascade"):
        create_automix(
            small=small("another"),
            large=large(),
            verifier=verifier(),
            retriever=StaticRetriever(["It is."]),
            policy=Capped(load_policy(policy_file), max_tiers=2),
        )
