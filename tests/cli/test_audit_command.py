"""``automix audit`` from the records of a graph, and the options of ``automix serve`` that make them."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from automix_graph import Background, Price, create_automix, load_policy
from automix_graph.cli.main import automix
from automix_graph.cli.shadow_options import given_shadow, shadow_options
from automix_graph.serving.metrics import Metrics
from automix_graph.testing import FunctionChatModel, ScriptedReply, StaticRetriever

pytestmark = pytest.mark.integration

PRICES = {"s": Price(1, 1), "l": Price(20, 20), "j": Price(1, 1)}


def asked(path: Path, questions: int, *, wrong_every: int, **arguments: Any) -> None:
    """Have a graph answer questions that the small model gets wrong now and then; the judge sees half of that."""
    background = Background(records=path, queue=questions)

    def small(prompt: str) -> str:
        return "June" if number_of(prompt) % wrong_every == 0 else "May"

    def judge(prompt: str) -> ScriptedReply:
        number = number_of(prompt)
        sure = 0.6 if number % (2 * wrong_every) == 0 or number % 7 == 0 else 0.9
        return ScriptedReply(text="Correct", token_probabilities=(("Correct", sure), ("Incorrect", 1 - sure)))

    from automix_graph import TokenProbability

    graph = create_automix(
        small=FunctionChatModel(small, label="s"),
        large=FunctionChatModel(lambda _: "May", label="l"),
        verifier=TokenProbability(judge=FunctionChatModel(judge, label="j")),
        retriever=StaticRetriever(["It began in May."]),
        prices=PRICES,
        background=background,
        **arguments,
    )
    for number in range(questions):
        graph.invoke({"question": f"When did it begin, N{number}N?"})
    assert background.flush(120)
    assert background.counts.recorded == questions


def number_of(prompt: str) -> int:
    return int(prompt.rpartition(", N")[2].partition("N?")[0])


def run(*arguments: object) -> Any:
    return CliRunner().invoke(automix, [str(argument) for argument in arguments])


def test_from_shadow_mode_to_a_policy_to_an_audit(tmp_path: Path) -> None:
    shadow, policy, audits = tmp_path / "shadow.jsonl", tmp_path / "policy.json", tmp_path / "audit.jsonl"
    asked(shadow, 200, wrong_every=20, mode="shadow")
    prices = [part for name, price in PRICES.items() for part in ("--price", f"{name}={price.input}/{price.output}")]
    made = run("calibrate", shadow, "--label-free", "--out", policy, "--max-error", "0.1", "--delta", "0.1", *prices)
    assert made.exit_code == 0, made.output
    evaluated = run("evaluate", shadow, "--policy", policy, "--json", *prices)
    assert evaluated.exit_code == 0 and json.loads(evaluated.stdout)["n"] == 200

    asked(audits, 200, wrong_every=20, audit_rate=1.0, policy=load_policy(policy, check=False))
    kept = run("audit", audits, "--policy", policy, "--reference", shadow, "--json")
    found = json.loads(kept.stdout)
    assert (kept.exit_code, found["verdict"]["answer"], found["quality"]["alpha"]) == (0, "keep", 0.1)
    assert found["n"] == 200 and found["drift"]["psi"] < 0.1 and found["command"] is None


def test_a_broken_bound_ends_with_3_and_says_how_to_calibrate_again(tmp_path: Path) -> None:
    shadow, policy = tmp_path / "shadow.jsonl", tmp_path / "policy.json"
    asked(shadow, 80, wrong_every=3, mode="shadow")
    policy.write_text('{"schema_version": 1, "policy": "threshold", "minimum": 0.5}')
    result = run("audit", shadow, "--policy", policy, "--max-error", "0.1")
    assert result.exit_code == 3 and "Verdict: recalibrate" in result.stdout
    told = " ".join(result.stdout.split())
    assert "automix calibrate" in told and "--label-free --out" in told and "--max-error 0.1 --delta 0.1" in told


def test_too_few_answers_end_with_4(tmp_path: Path) -> None:
    shadow, policy = tmp_path / "shadow.jsonl", tmp_path / "policy.json"
    asked(shadow, 10, wrong_every=20, mode="shadow")
    policy.write_text('{"schema_version": 1, "policy": "threshold", "minimum": 0.5}')
    result = run("audit", shadow, "--policy", policy, "--max-error", "0.1")
    assert result.exit_code == 4 and "in all" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--mode", "shadow"], "--audit-records is missing"),
        (["--audit-rate", "0.1"], "--audit-records is missing"),
        (["--audit-max-cost", "1"], "--audit-max-cost is given and nothing is recorded"),
    ],
)
def test_serve_refuses_what_makes_no_sense(arguments: list[str], message: str, tmp_path: Path) -> None:
    result = run("serve", "--index", tmp_path, *arguments)
    assert result.exit_code == 2 and message in " ".join(result.output.split())


def test_options_become_a_background(tmp_path: Path) -> None:
    import click

    found: list[Any] = []

    @click.command()
    @shadow_options
    def command() -> None:
        found.append((given_shadow(), given_shadow().background()))

    path = tmp_path / "r.jsonl"
    options = ["--mode", "shadow", "--shadow-rate", "0.2", "--audit-records", str(path), "--audit-max-cost", "3"]
    assert CliRunner().invoke(command, options).exit_code == 0
    ((given, background),) = found
    assert (given.mode, given.shadow_rate, background.path, background.max_cost) == ("shadow", 0.2, path, 3.0)


def test_the_metrics_tell_what_has_become_of_the_questions(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    background, metrics = Background(records=path), Metrics()
    metrics.watch(background)
    graph = create_automix(
        small=FunctionChatModel(lambda _: "in May", label="s"),
        large=FunctionChatModel(lambda _: "It was in May.", label="l"),
        verifier=FunctionChatModel(lambda _: "Correct", label="j"),
        retriever=StaticRetriever(["text"]),
        prices=PRICES,
        audit_rate=1.0,
        background=background,
    )
    graph.invoke({"question": "When?"})
    assert background.flush(30)
    families = text_string_to_metric_families(metrics.text().decode())
    values = {sample.name: sample.value for family in families for sample in family.samples}
    told = Path(__file__).parents[2].joinpath("docs", "serving.md").read_text(encoding="utf-8")
    ours = [name for name in values if name.startswith("automix_background_") and not name.endswith("_created")]
    assert len(ours) == 12 and all(f"`{name}`" in told for name in ours)
    assert values["automix_background_compared_total"] == values["automix_background_agreed_total"] == 1
    assert values["automix_background_cost_usd_total"] == background.counts.spent > 0
