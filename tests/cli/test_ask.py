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
from automix_graph.policies import Policy
from automix_graph.testing import FunctionChatModel, HashEmbeddings


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, list[Policy | None]]:
    """Return an index, and the policies of the graphs that the command makes; their models are doubles."""
    with FaissStore.from_texts(["James Watt patented his engine in 1781."], HashEmbeddings()) as store:
        store.save(tmp_path / "index")
    policies: list[Policy | None] = []
    create: Callable[..., Any] = automix_graph.graph.create_automix

    def scripted(*, policy: Policy | None, **arguments: Any) -> Any:
        policies.append(policy)
        small = FunctionChatModel(lambda _: "1781", label="small")
        judge = FunctionChatModel(lambda _: "Correct", label="judge")
        large = FunctionChatModel(lambda _: "in 1781", label="large")
        return create(**arguments | {"small": small, "large": large, "verifier": judge, "policy": policy})

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
