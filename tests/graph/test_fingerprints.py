"""Which parts are the same to a cache: whatever could act differently is told apart."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langchain_core.language_models import FakeListChatModel
from pydantic import Field

from automix_graph.graph.fingerprints import model_fingerprint, policy_fingerprint, verifier_fingerprint
from automix_graph.models.named import NamedModel
from automix_graph.policies import Threshold
from automix_graph.records import Decision, Verification
from automix_graph.verification import FunctionVerifier, ShortVerdict


class Tuned(FakeListChatModel):
    responses: list[str] = Field(default_factory=list)
    stop: list[str] = Field(default_factory=list)
    extra: dict[str, Any] = Field(default_factory=dict)
    client: Any = None


def of(label: str = "m", **settings: Any) -> str:
    return model_fingerprint(NamedModel(label=label, model=Tuned(**settings)))


def test_lists_and_mappings_among_the_settings_of_a_model_count() -> None:
    plain = of()
    assert of() == plain
    stops, seeds = of(stop=["\n"]), of(extra={"seed": 1})
    assert len({plain, stops, seeds, of(extra={"seed": 2})}) == 4


def test_of_a_client_only_its_class_counts() -> None:
    one, other = of(client=object()), of(client=object())
    assert one == other != of(client=Path())


def test_a_local_file_counts_by_size_and_time(tmp_path: Path) -> None:
    path = tmp_path / "weights.gguf"
    path.write_bytes(b"one")
    os.utime(path, ns=(1, 1))
    label = f"local:{path}"
    before = of(label)
    assert of(label) == before
    path.write_bytes(b"three")
    os.utime(path, ns=(1, 1))
    larger = of(label)
    os.utime(path, ns=(2, 2))
    assert len({before, larger, of(label)}) == 3


@dataclass(frozen=True)
class Mine:
    name = "mine"

    def decide(self, history: tuple[Verification, ...]) -> Decision:
        return Decision(accept=True, policy=self.name, reason="always")


def test_parts_of_the_users_own_are_themselves_alone() -> None:
    assert (
        policy_fingerprint(Threshold(0.5)) == policy_fingerprint(Threshold(0.5)) != policy_fingerprint(Threshold(0.6))
    )
    mine = Mine()
    assert policy_fingerprint(mine) != policy_fingerprint(mine)
    judge = FunctionVerifier(function=lambda case: 0.5)
    assert verifier_fingerprint(judge) != verifier_fingerprint(judge)


def test_verifiers_of_this_package_are_told_by_their_settings_and_their_judge() -> None:
    one, other = (NamedModel(label=label, model=Tuned()) for label in ("one", "other"))
    found = [ShortVerdict(judge=one), ShortVerdict(judge=other), ShortVerdict(judge=one, max_tokens=8)]
    prints = [verifier_fingerprint(verifier) for verifier in found]
    assert len(set(prints)) == 3
    assert verifier_fingerprint(ShortVerdict(judge=one)) == prints[0]
