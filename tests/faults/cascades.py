"""Graphs over models of the fault-injecting server, and what must hold of their results whatever fails."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Literal, get_args

from fault_server import LONG, Fault, FaultServer, model_at
from langchain_openai import ChatOpenAI
from provider_faults import SECRET

from automix_graph.costs import Limits
from automix_graph.graph import ModelTier, create_automix
from automix_graph.models.calling import NamedModel
from automix_graph.models.retrying import ONCE, Retries
from automix_graph.testing import StaticRetriever
from automix_graph.verification import (
    Likelihood,
    ReasonedVerdict,
    ShortVerdict,
    TokenProbability,
    Verifier,
    Votes,
)

VOTES = 3
CONVERSATION: Any = {"messages": [("user", "Who?"), ("ai", "Someone."), ("user", "What?")]}
TWICE = Retries(attempts=2, first_wait=0.001, longest_wait=0.05, opens_after=None)

Stage = Literal["condense", "small", "short", "reasoned", "votes", "probability", "likelihood", "middle", "large"]
STAGES: tuple[Stage, ...] = get_args(Stage)
JUDGED = frozenset({"short", "reasoned", "votes", "probability", "likelihood"})
"""Stages in which a judge fails, each of another kind."""


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
    """Makes graphs of one server's models, each of which is made once.

    Attributes:
        server: that they speak to.
        began: when the last question was asked, by the performance counter.
    """

    def __init__(self, server: FaultServer) -> None:
        self.server = server
        self.began = 0.0
        self._models: dict[tuple[str, bool, float], ChatOpenAI] = {}

    def model(self, name: str, retries: Retries = ONCE, **settings: Any) -> NamedModel:
        key = (name, settings.pop("streaming", False), settings.pop("timeout", LONG))
        if key not in self._models:
            self._models[key] = model_at(self.server, name, streaming=key[1], timeout=key[2])
        return NamedModel(label=name, model=self._models[key], retries=retries, **settings)

    def judge(self, stage: Stage, retries: Retries, **settings: Any) -> Verifier:
        judge = self.model("judge", retries, **settings)
        made: dict[Stage, Callable[[], Verifier]] = {
            "reasoned": lambda: ReasonedVerdict(judge=judge),
            "votes": lambda: Votes(judge=judge, samples=VOTES),
            "probability": lambda: TokenProbability(judge=judge),
            "likelihood": lambda: Likelihood(judge=judge, scoring="prompt"),
        }
        return made[stage]() if stage in made else ShortVerdict(judge=judge)

    async def run(
        self,
        stage: Stage,
        faults: Iterator[Fault],
        retries: Retries = TWICE,
        *,
        sync: bool = True,
        limits: Limits | None = None,
        **settings: Any,
    ) -> Cascade:
        """Ask a question while one model fails; before it all is well, and the judge rejects what comes before.

        The model that condenses is the small one, which has to be well again when it answers.
        """
        self.server.forget()
        self.server.texts |= {"small": "S", "middle": "M", "large": "L", "judge": "Correct"}
        victim = "judge" if stage in JUDGED else "small" if stage == "condense" else stage
        self.server.fail(victim, faults)
        if stage in {"middle", "large"}:
            self.server.texts["judge"] = "Incorrect"
        names = ("small", "middle", "large") if stage == "middle" else ("small", "large")
        chosen = [self.model(name, retries, **(settings if name == victim else {})) for name in names]
        graph = create_automix(
            tiers=[ModelTier(model=model) for model in chosen],  # type: ignore[arg-type]  # named models are taken too
            verifier=self.judge(stage, retries, **(settings if victim == "judge" else {})),
            retriever=StaticRetriever(["A passage."]),
            condense=stage == "condense",
            limits=limits,
        )
        asked = CONVERSATION if stage == "condense" else {"question": "What?"}
        self.began = time.perf_counter()
        result = graph.invoke(asked) if sync else await graph.ainvoke(asked)
        await asyncio.sleep(0.005)  # connections that were closed end in the next turns of the loop, which ends here
        node = "verify" if victim == "judge" else "condense" if stage == "condense" else f"{victim}_answer"
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
    if stage == "condense":
        assert ended == ("S", "small", False)
        assert result["messages"][-2].text == "What?"
    elif stage == "large":
        assert ended == ("S", "small", True)
    else:
        assert ended == ("L", "large", False)
        assert result["verdict"] == ("INCORRECT" if stage == "middle" and result["confidence"] == 0.0 else "UNPARSED")
