"""Graphs over models of the fault-injecting server, and what must hold of their results whatever fails."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Literal

from fault_server import LONG, SECRET, Fault, FaultServer, model_at
from langchain_openai import ChatOpenAI

from automix_graph.graph import ModelTier, create_automix
from automix_graph.models.calling import NamedModel
from automix_graph.models.retrying import ONCE, Retries
from automix_graph.testing import StaticRetriever
from automix_graph.verification import ShortVerdict, TokenProbability, Verifier, Votes

VOTES = 3
TWICE = Retries(attempts=2, first_wait=0.001, longest_wait=0.05, opens_after=None)

Stage = Literal["small", "short", "votes", "probability", "middle", "large"]
STAGES: tuple[Stage, ...] = ("small", "short", "votes", "probability", "middle", "large")


@dataclass(frozen=True, kw_only=True)
class Cascade:
    """A graph of which one model fails.

    Attributes:
        victim: its model.
        node: the node that asks it.
        result: what the graph gave.
    """

    victim: str
    node: str
    result: dict[str, Any]

    @property
    def charged(self) -> list[dict[str, Any]]:
        """The calls in the ledger that the node made."""
        return [call for call in self.result["usage"]["calls"] if call["stage"] == self.node]


class Cascades:
    """Makes graphs of one server's models, each of which is made once."""

    def __init__(self, server: FaultServer) -> None:
        self.server = server
        self._models: dict[tuple[str, bool, float], ChatOpenAI] = {}

    def model(self, name: str, retries: Retries = ONCE, **settings: Any) -> NamedModel:
        key = (name, settings.pop("streaming", False), settings.pop("timeout", LONG))
        if key not in self._models:
            self._models[key] = model_at(self.server, name, streaming=key[1], timeout=key[2])
        return NamedModel(label=name, model=self._models[key], retries=retries, **settings)

    def judge(self, stage: Stage, retries: Retries, **settings: Any) -> Verifier:
        judge = self.model("judge", retries, **settings)
        if stage == "votes":
            return Votes(judge=judge, samples=VOTES)
        return TokenProbability(judge=judge) if stage == "probability" else ShortVerdict(judge=judge)

    async def run(
        self, stage: Stage, faults: Iterator[Fault], retries: Retries = TWICE, *, sync: bool = True, **settings: Any
    ) -> Cascade:
        """Ask a question while one model fails; before it all is well, and the judge rejects what comes before."""
        self.server.forget()
        self.server.texts |= {"small": "S", "middle": "M", "large": "L", "judge": "Correct"}
        victim = stage if stage in {"small", "middle", "large"} else "judge"
        self.server.fail(victim, faults)
        if stage in {"middle", "large"}:
            self.server.texts["judge"] = "Incorrect"
        names = ("small", "middle", "large") if stage == "middle" else ("small", "large")
        chosen = [self.model(name, retries, **(settings if name == victim else {})) for name in names]
        graph = create_automix(
            tiers=[ModelTier(model=model) for model in chosen],  # type: ignore[arg-type]  # named models are taken too
            verifier=self.judge(stage, retries, **(settings if victim == "judge" else {})),
            retriever=StaticRetriever(["A passage."]),
        )
        asked = {"question": "What?"}
        result = graph.invoke(asked) if sync else await graph.ainvoke(asked)
        node = f"{victim}_answer" if victim != "judge" else "verify"
        return Cascade(victim=victim, node=node, result=result)  # type: ignore[arg-type]  # a TypedDict is a dict


def always(fault: Fault) -> Iterator[Fault]:
    return repeat(fault)


def once(fault: Fault) -> Iterator[Fault]:
    return iter((fault,))


def assert_sound(cascade: Cascade) -> None:
    """Nothing rejected or unjudged was accepted, and no word of a provider and no key got out."""
    result = cascade.result
    if result["route"] != "large" and not result["degraded"]:
        assert result["verdict"] == "CORRECT"
        assert result["confidence"] > 0.5
    told = repr(result)
    assert SECRET not in told
    assert "sk-KEY" not in told


def assert_found_another_way(cascade: Cascade, stage: Stage) -> None:
    """Without the model that fails, the question ended where it should."""
    result = cascade.result
    ended = (result["answer"], result["route"], result["degraded"])
    if stage == "large":
        assert ended == ("S", "small", True)
    else:
        assert ended == ("L", "large", False)
        assert result["verdict"] == ("INCORRECT" if stage == "middle" and result["confidence"] == 0.0 else "UNPARSED")
