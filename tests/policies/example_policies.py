"""Policies that the tests of several files use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from automix_graph.policies import Bins, OptimalStopping, PomdpPolicy, StepCurve, UtilityPolicy
from automix_graph.records import Verification

HALVES = Bins((0.5,))
GAIN = StepCurve(bins=Bins((0.25, 0.5, 0.75)), values=(0.05, 0.4, 0.2, -0.1))
BEST = StepCurve(bins=HALVES, values=(0.3, 0.8))
UTILITY = UtilityPolicy(gain=GAIN, lam=0.01, cost=20)
STOPPING = OptimalStopping(
    bins=(HALVES,), mass=(0.5, 0.5), quality=((0.2, 0.9), (0.8, 0.9)), costs=(1, 20), lam=0.01, abstain_below=0.1
)
STOPPING_OF_THREE = OptimalStopping(
    bins=(HALVES, HALVES),
    mass=(0.25, 0.25, 0.25, 0.25),
    quality=((0.1, 0.1, 0.9, 0.9), (0.1, 0.8, 0.1, 0.8), (0.2, 0.9, 0.9, 0.9)),
    costs=(1, 5, 20),
    lam=0.01,
)
POMDP = PomdpPolicy(
    bins=(HALVES,),
    prior=(0.5, 0.25, 0.25),
    observation=(((0.2, 0.8), (0.6, 0.4), (0.8, 0.2)),),
    quality=((1, 0, 0), (1, 1, 0)),
    costs=(1, 20),
    lam=0.01,
)


class Own:
    """A policy that says what it is made to say."""

    name, keeps = "own", "nothing"

    def __init__(self, said: Any) -> None:
        self.said = said

    def __repr__(self) -> str:
        return "<own>"

    def decide(self, history: Sequence[Verification]) -> Any:
        return self.said
