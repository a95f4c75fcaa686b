"""A policy that gives questions up, for cascades of three."""

from __future__ import annotations

from automix_graph.policies import Bins, StepCurve, UtilityPolicy

GIVES_UP = UtilityPolicy(
    gain=StepCurve(bins=Bins((0.5,)), values=(0.1, 0.1)),
    best=StepCurve(bins=Bins((0.5,)), values=(0.2, 0.9)),
    lam=0.01,
    cost=20,
    abstain_below=0.3,
)
