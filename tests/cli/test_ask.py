import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import automix_graph.graph
import automix_graph.models
from automix_graph import FaissStore, Threshold, save_policy
from automix_graph.cli.ask import ask
from automix_graph.errors import ConfigurationError
from automix_graph.graph import ModelTier
from automix_graph.policies import Always, MadeFor, Policy, Provenance, TierMade
from automix_graph.policies.provenance import FACTS
from automix_graph.testing import FunctionChatModel, HashEmbeddings


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, list[Policy | None]]:
    """Return an index, and the policies of the graphs that the command makes; their models are doubles."""
    with FaissStore.from_texts(["James Watt patented his engine in 1781."], HashEmbeddings()) as store:
        store.save(tmp_path / "index")
    policies: list[Policy | None] = []

    def said(prompt: str) -> str:
        return "Correct"

    create: Callable[..., Any] = automix_graph.graph.create_automix

    def scripted(*, policy: Policy | None, **arguments: Any) -> Any:
        policies.append(policy)
        tiers = [FunctionChatModel(lambda _: "1781", label=str(tier.model)) for tier in arguments["tiers"]]
        judges = [FunctionChatModel(said, label=str(tier.verifier)) for tier in arguments["tiers"][:-1]]
        judged = [ModelTier(model=model, verifier=judge) for model, judge in zip(tiers, judges, strict=False)]
        return create(**arguments | {"tiers": [*judged, tiers[-1]], "policy": policy})

    monkeypatch.setattr(automix_graph.graph, "create_automix", scripted)
    monkeypatch.setattr(automix_graph.models, "load_embeddings", lambda _: HashEmbeddings(), raising=False)
    return str(tmp_path / "index"), policies


def test_the_saved_policy_decides(index: tuple[str, list[Policy | None]], tmp_path: Path) -> None:
    path, policies = index
    save_policy(Threshold(0.75), tmp_path / "policy.json")
    arguments = ["When?", "--index", path, "--policy", str(tmp_path / "policy.json")]
    result = CliRunner().invoke(ask, arguments)
    assert result.exit_code == 0, result.output
    assert policies == [Threshold(0.75)]
    assert "confidence 1.000 is at least 0.75" in " ".join(result.stdout.split())


def test_a_ceiling_on_the_cost_takes_the_prices_that_are_given(index: tuple[str, list[Policy | None]]) -> None:
    path, _ = index
    arguments = ["When?", "--index", path, "--small", "a:s", "--large", "a:l", "--verifier", "a:l", "--limit-cost", "1"]
    refused = CliRunner().invoke(ask, arguments)
    assert isinstance(refused.exception, ConfigurationError)
    assert refused.exception.code == "unknown-price"
    priced = CliRunner().invoke(ask, [*arguments, "--price", "a:s=1/2", "--price", "a:l=3/4"])
    assert priced.exit_code == 0, priced.output


def test_without_a_policy_the_graph_chooses(index: tuple[str, list[Policy | None]]) -> None:
    path, policies = index
    result = CliRunner().invoke(ask, ["When?", "--index", path])
    assert result.exit_code == 0, result.output
    assert policies == [None]


def test_what_is_no_policy_is_refused_before_models_are_loaded(
    index: tuple[str, list[Policy | None]], tmp_path: Path
) -> None:
    path, policies = index
    (tmp_path / "policy.json").write_text("{}")
    result = CliRunner().invoke(ask, ["When?", "--index", path, "--policy", str(tmp_path / "policy.json")])
    assert isinstance(result.exception, ConfigurationError)
    assert policies == []


def calls_of(result: Any) -> list[tuple[str, str]]:
    return [(call["stage"], call["model"]) for call in json.loads(result.stdout)["usage"]["calls"]]


def test_more_than_two_models_are_named_one_by_one(index: tuple[str, list[Policy | None]], tmp_path: Path) -> None:
    tiers = ["--tier", "a", "--tier", "b", "--tier", "c", "--verifier", "j1", "--verifier", "j2"]
    result = CliRunner().invoke(ask, ["When?", "--index", index[0], *tiers, "--json"])
    assert result.exit_code == 0, result.output
    assert calls_of(result) == [("small_answer", "a"), ("verify", "j1")]
    save_policy(Always(1), tmp_path / "policy.json")
    result = CliRunner().invoke(
        ask, ["When?", "--index", index[0], *tiers, "--policy", str(tmp_path / "policy.json"), "--json"]
    )
    assert calls_of(result) == [
        ("small_answer", "a"),
        ("verify", "j1"),
        ("middle_answer", "b"),
        ("verify_middle", "j2"),
    ]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--tier", "a"], "--tier is given once (a)"),
        (["--tier", "a", "--tier", "b", "--small", "c"], "--tier and --small are given"),
        (
            ["--tier", "a", "--tier", "b", "--tier", "c", "--tier", "d", "--verifier", "x", "--verifier", "y"],
            "or 3 times",
        ),
        (["--verifier", "x", "--verifier", "y"], "--verifier is given 2 times"),
    ],
)
def test_models_that_contradict_each_other_are_refused(
    index: tuple[str, list[Policy | None]], options: list[str], complaint: str
) -> None:
    result = CliRunner().invoke(ask, ["When?", "--index", index[0], *options])
    assert result.exit_code == 2
    assert complaint in " ".join(result.output.split())


def test_a_policy_for_another_cascade_is_followed_only_when_asked_for(
    index: tuple[str, list[Policy | None]], tmp_path: Path
) -> None:
    made = MadeFor(tiers=(TierMade(name="small", model="x"), TierMade(name="large", model="y")))
    provenance = Provenance(made_for=made, facts=dict.fromkeys(FACTS))
    save_policy(Threshold(0.5), tmp_path / "policy.json", provenance=provenance)
    arguments = ["When?", "--index", index[0], "--policy", str(tmp_path / "policy.json")]
    refused = CliRunner().invoke(ask, arguments)
    assert "was calibrated for another cascade" in str(refused.exception)
    assert "--unchecked" in str(refused.exception)
    assert CliRunner().invoke(ask, [*arguments, "--unchecked"]).exit_code == 0


def test_a_limit_is_told(index: tuple[str, list[Policy | None]]) -> None:
    result = CliRunner().invoke(ask, ["When?", "--index", index[0], "--limit-calls", "1", "--json"])
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    assert (printed["degraded"], printed["degraded_reason"]) == (True, "limit on calls reached")
