"""Records of three tiers, replayed: they foretell what a graph over the same tiers does and costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from giving_up import GIVES_UP

from automix_graph.evaluation import outcomes_of, read_records, replay
from automix_graph.graph import AllTiers, create_automix
from automix_graph.policies import AcceptCorrect, Always, Capped, PerTier, Policy, RandomMix, Threshold
from automix_graph.recording import record_dataset
from automix_graph.testing import FunctionChatModel, StaticRetriever
from automix_graph.verification import FunctionVerifier

PRICES = {"s": (1.0, 1.0), "m": (4.0, 4.0), "l": (20.0, 20.0)}


def sureness(case: dict[str, Any]) -> float:
    return (int(case["question"].split("#")[1][:-1]) * 7 + len(case["answer"]) * 13) % 20 / 20


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("three")
    rows = [{"id": n, "question": f"Is it #{n}?", "answers": ["yes"], "context": "It is."} for n in range(60)]
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    report = record_dataset(folder / "data.jsonl", folder / "records.jsonl", AllTiers(**parts()), scorer="exact-match")
    assert report.recorded == 60
    assert list(report.scores) == ["small", "middle", "large"]
    return folder / "records.jsonl"


def parts() -> dict[str, Any]:
    def model(label: str, right: int) -> FunctionChatModel:
        def answer(prompt: str) -> str:
            return "yes" if int(prompt.rsplit("#", 1)[1].split("?", 1)[0]) % 10 < right else f"no, says {label}"

        return FunctionChatModel(answer, label=label)

    return {
        "tiers": [model("s", 4), model("m", 7), model("l", 9)],
        "verifier": FunctionVerifier(function=sureness, name="sureness"),
        "prices": PRICES,
    }


@pytest.mark.parametrize(
    "policy",
    [
        AcceptCorrect(),
        Threshold(0.7),
        Always("large"),
        Always(1),
        PerTier((Threshold(0.9), Threshold(0.3))),
        Capped(Threshold(0.6), max_tiers=2),
        Capped(Threshold(0.6), max_tiers=1, beyond="abstain"),
        GIVES_UP,
    ],
    ids=lambda policy: policy.name,
)
def test_records_foretell_what_a_graph_does_and_costs(records: Path, policy: Policy) -> None:
    outcomes, left_out = outcomes_of(read_records(records).rows, prices=PRICES)
    assert (outcomes.n, left_out.n, [tier.name for tier in outcomes.tiers]) == (60, 0, ["small", "middle", "large"])
    foretold = replay(outcomes, policy)
    graph = create_automix(retriever=StaticRetriever(["It is."]), policy=policy, **parts())
    names = ["small", "middle", "large", "abstain"]
    for row, id_ in enumerate(outcomes.ids or ()):
        result = graph.invoke({"question": f"Is it #{id_}?"})
        assert result["route"] == names[foretold.route[row]], id_
        assert result["cost"] == pytest.approx(foretold.cost[row])


def test_a_random_mix_is_no_surprise_for_records(records: Path) -> None:
    outcomes, _ = outcomes_of(read_records(records).rows, unit="tokens")
    assert 0.2 < replay(outcomes, RandomMix(0.5, seed=3)).escalated < 0.8
