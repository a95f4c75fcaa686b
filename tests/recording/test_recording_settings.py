"""What the configuration of a recording is made of, and what is no part of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scripts import PRICES, reply, row, tiers_of, write

from automix_graph.errors import ConfigurationError
from automix_graph.graph.all_tiers import AllTiers
from automix_graph.recording import record_dataset
from automix_graph.recording.scoring import scorer_of
from automix_graph.recording.settings import Settings
from automix_graph.retrieval import FaissStore
from automix_graph.testing import FunctionChatModel, HashEmbeddings, StaticRetriever
from automix_graph.verification import Votes

OTHERS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"small": FunctionChatModel(lambda prompt: "June", label="other"), "prices": None}, {}, "small.label"),
    ({"language": "zh"}, {}, "prompts"),
    ({"layout": "document"}, {}, "prompts"),
    ({"verifier": Votes(judge=FunctionChatModel(lambda prompt: "Correct", label="judge"))}, {}, "verifier.method"),
    ({"retriever": StaticRetriever(["a"])}, {}, "retrieval"),
    ({}, {"scorer": "f1"}, "scorer.name"),
]


@pytest.mark.parametrize(("tiers", "arguments", "named"), OTHERS)
def test_another_configuration_needs_another_file(
    tmp_path: Path, tiers: dict[str, Any], arguments: dict[str, Any], named: str
) -> None:
    data, out = write(tmp_path / "data.jsonl", row(1)), tmp_path / "out.jsonl"
    models = {name: FunctionChatModel(lambda prompt: reply("June"), label=name) for name in ("small", "large", "judge")}
    same = {"small": models["small"], "large": models["large"], "verifier": models["judge"]}
    record_dataset(data, out, AllTiers(**same))
    record_dataset(data, out, AllTiers(**same))
    with pytest.raises(ConfigurationError, match="another configuration") as refused:
        record_dataset(data, out, AllTiers(**{**same, **tiers}), **arguments)
    assert named in str(refused.value)


def test_the_settings_of_a_store_are_those_of_its_content(tmp_path: Path) -> None:
    def fingerprint(**arguments: Any) -> str:
        with FaissStore.open(tmp_path / "index", HashEmbeddings()) as store:
            return Settings.of(tiers_of(retriever=store.as_retriever(**arguments)), scorer_of("auto")).fingerprint

    with FaissStore.from_texts(["Otters hold hands."], HashEmbeddings()) as store:
        store.save(tmp_path / "index")
        first = fingerprint()
        assert fingerprint() == first
        assert fingerprint(search_kwargs={"k": 2}) != first
        assert fingerprint(search_type="bm25") != first
        store.add_texts(["Owls fly."])
        store.save(tmp_path / "index")
    assert fingerprint() != first


def test_prices_are_no_part_of_the_configuration(tmp_path: Path) -> None:
    data, out = write(tmp_path / "data.jsonl", row(1)), tmp_path / "out.jsonl"
    record_dataset(data, out, tiers_of())
    assert record_dataset(data, out, tiers_of(prices={**PRICES, "small": (5, 5)})).added == 0
