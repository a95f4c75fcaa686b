"""Table policies of few bins, drawn for hypothesis, and what their tables decide."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from example_policies import HALVES
from hypothesis import strategies as st
from verifications import judged

from automix_graph.policies import ABSTAIN, SKIPPED, OptimalStopping, PomdpPolicy, TablePolicy, decide
from automix_graph.records import Verification

Known = tuple[int | None, ...]
"""The bins so far, None for a tier that was not asked."""


def confidence_in(bin_: int) -> float:
    return (0.25, 0.75)[bin_]


def states(judged_tiers: int) -> list[Known]:
    found: list[Known] = []
    for tier in range(judged_tiers):
        middle: list[Sequence[int | None]] = [(0, 1, None)] * (tier - 1)
        found += itertools.product((0, 1), *middle, *([(0, 1)] if tier else []))
    return found


def own_table(policy: TablePolicy) -> dict[Known, int]:
    rules = {}
    for known in states(len(policy.bins)):
        history: list[Verification] = [SKIPPED if b is None else judged(confidence_in(b)) for b in known]
        decision = decide(policy, history)
        tier = len(known) - 1
        following = tier + 1 if decision.next_tier is None else decision.next_tier
        rules[known] = ABSTAIN if decision.abstain else tier if decision.accept else following
    return rules


@st.composite
def problems(draw: st.DrawFn, judged_tiers: int) -> OptimalStopping:
    cells = 2**judged_tiers
    hundredths = st.integers(0, 100).map(lambda value: value / 100)
    weights = draw(st.lists(st.integers(1, 9), min_size=cells, max_size=cells))
    quality = [tuple(draw(st.lists(hundredths, min_size=cells, max_size=cells))) for _ in range(judged_tiers + 1)]
    costs = draw(st.lists(st.integers(0, 20), min_size=judged_tiers + 1, max_size=judged_tiers + 1))
    return OptimalStopping(
        bins=(HALVES,) * judged_tiers,
        mass=tuple(weight / sum(weights) for weight in weights),
        quality=tuple(quality),
        costs=tuple(costs),
        lam=draw(st.sampled_from([0.0, 0.005, 0.01, 0.03])),
        abstain_below=draw(st.sampled_from([None, 0.3, 0.6])),
    )


@st.composite
def difficulties(draw: st.DrawFn, tiers: int) -> PomdpPolicy:
    def shares(count: int) -> tuple[float, ...]:
        weights = draw(st.lists(st.integers(1, 9), min_size=count, max_size=count))
        return tuple(weight / sum(weights) for weight in weights)

    hundredths = st.integers(0, 100).map(lambda value: value / 100)
    return PomdpPolicy(
        bins=(HALVES,) * (tiers - 1),
        prior=shares(tiers + 1),
        observation=tuple(tuple(shares(2) for _ in range(tiers + 1)) for _ in range(tiers - 1)),
        quality=tuple(tuple(draw(st.lists(hundredths, min_size=tiers + 1, max_size=tiers + 1))) for _ in range(tiers)),
        costs=tuple(draw(st.lists(st.integers(0, 20), min_size=tiers, max_size=tiers))),
        lam=draw(st.sampled_from([0.0, 0.005, 0.01, 0.03])),
    )
